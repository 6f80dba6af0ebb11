// SPDX-License-Identifier: MIT
/*
 * model: file to struct and back, and a detector that has proved itself on this
 * machine. The arrays are used where they lie in the file's bytes; the checks
 * are in model_check.c, the JSON in meta_model.c, the bytes in safetensors.c.
 */
#include "models/model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/file.h"
#include "models/meta.h"
#include "models/model_impl.h"

_Static_assert(sizeof(struct tail) == (TAIL_KNOTS + 1) * sizeof(float), "a tail is a tensor");

static int take_tensor(const struct model_field *f, const struct st_tensor *t, struct why *why)
{
	char got[96], want[96];

	if (!t)
		return why_set(why, -EINVAL, "tensor %s is missing", f->name);
	if (t->dtype != f->dtype)
		return why_set(why, -EINVAL, "tensor %s is %s, expected %s", f->name,
			       st_dtype_name(t->dtype), st_dtype_name(f->dtype));
	if (t->dims != f->dims || memcmp(t->shape, f->shape, f->dims * sizeof *f->shape)) {
		st_shape_text(got, sizeof got, t->shape, t->dims);
		st_shape_text(want, sizeof want, f->shape, f->dims);
		return why_set(why, -EINVAL, "tensor %s has shape %s, expected %s", f->name, got,
			       want);
	}
	if (f->fc) {
		f->fc->out = (unsigned)f->shape[0];
		f->fc->in = (unsigned)f->shape[1];
	}
	if (f->f32)
		*f->f32 = t->data;
	else if (f->i8)
		*f->i8 = t->data;
	else if (f->i32)
		*f->i32 = t->data;
	else
		memcpy(f->tail, t->data, sizeof *f->tail);
	return 0;
}

/* The number of self-test rows is the one size that only a tensor knows. */
static int count_test_rows(struct model *m, const struct st_file *file, struct why *why)
{
	const struct st_tensor *x = st_find(file, "test.x"), *score = st_find(file, "test.score");

	if (!x != !score)
		return why_set(why, -EINVAL, "tensor %s is missing", x ? "test.score" : "test.x");
	if (!x)
		return 0;
	if (score->dims != 1 || !score->shape[0] || score->shape[0] > MODEL_TEST_ROWS_MAX)
		return why_set(why, -EINVAL, "tensor test.score is not a list of 1 to %d scores",
			       MODEL_TEST_ROWS_MAX);
	m->test_rows = (unsigned)score->shape[0];
	return 0;
}

static int parse(struct model *m, const struct st_file *file, struct why *why)
{
	static const char *const recurrent[] = { "gates.weight", "head.weight" };
	struct model_field field[MODEL_FIELDS_MAX];
	bool int8;
	unsigned n;
	int err;

	if (!file->text)
		return why_set(why, -EINVAL, "__metadata__ has no \"" ST_TEXT_KEY
			       "\": not a model of ours");
	err = meta_model_parse(m, &int8, file->text, why);
	if (err)
		return err;
	err = count_test_rows(m, file, why);
	if (err)
		return err;
	err = model_check_sizes(m, why);
	if (err)
		return err;
	for (unsigned i = 0; m->spec.recurrent.kind == RECURRENT_NONE && i < 2; i++)
		if (st_find(file, recurrent[i]))
			return why_set(why, -EINVAL, "tensor %s in a model without a net",
				       recurrent[i]);
	n = model_fields(m, int8, field);
	for (unsigned i = 0; i < n; i++) {
		err = take_tensor(&field[i], st_find(file, field[i].name), why);
		if (err)
			return err;
		if (field[i].fc)
			field[i].fc->dynamic = m->dynamic;
	}
	return model_check(m, why);
}

int model_parse(struct model **out, const void *data, size_t len, const char *label,
		struct why *why)
{
	struct st_file file;
	struct model *m;
	int err;

	err = st_open(&file, data, len, why);
	if (err)
		return why_in(why, err, "%s", label);
	m = calloc(1, sizeof *m);
	err = m ? parse(m, &file, why) : why_set(why, -ENOMEM, "no memory");
	st_close(&file);
	if (err) {
		model_free(m);
		return why_in(why, err, "%s", label);
	}
	*out = m;
	return 0;
}

int model_load(struct model **out, const char *path, struct why *why)
{
	const void *data;
	size_t len;
	int err;

	err = file_read(&data, &len, path, MODEL_FILE_MAX, why);
	if (err)
		return err;
	err = model_parse(out, data, len, path, why);
	if (err) {
		file_free(data, len);
		return err;
	}
	(*out)->memory = (void *)(uintptr_t)data;
	(*out)->memory_size = len;
	return 0;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	if (m->memory_size)
		file_free(m->memory, m->memory_size);
	else
		free(m->memory);
	free(m->expanded);
	free(m->channel);
	free(m);
}

int model_save(const struct model *m, const char *path, struct why *why)
{
	struct model_field field[MODEL_FIELDS_MAX];
	struct st_tensor tensor[MODEL_FIELDS_MAX];
	struct model copy = *m;		/* the table of fields points into it */
	uint64_t bytes = 0;
	char *text;
	unsigned n;
	int err;

	err = model_check(m, why);
	if (err)
		return why_in(why, err, "%s", path);
	n = model_fields(&copy, m->spec.linear.weight != NULL, field);
	for (unsigned i = 0; i < n; i++) {
		const struct model_field *f = &field[i];

		tensor[i] = (struct st_tensor){ .name = f->name, .dtype = f->dtype,
			.dims = f->dims, .shape = { f->shape[0], f->shape[1] } };
		tensor[i].data = f->f32 ? (const void *)*f->f32 :
				 f->i8 ? (const void *)*f->i8 :
				 f->i32 ? (const void *)*f->i32 : f->tail;
		bytes += f->shape[0] * (f->dims == 2 ? f->shape[1] : 1) * st_dtype_size(f->dtype);
	}
	if (bytes > MODEL_FILE_MAX - ST_HEADER_MAX)
		return why_set(why, -EFBIG, "%s: %" PRIu64 " bytes of tensors, more than could "
			       "be read again", path, bytes);
	err = meta_model_format(&text, m);
	if (err)
		return why_set(why, err, "%s: no memory", path);
	err = st_write(path, tensor, n, text, why);
	free(text);
	return err;
}

int model_detector(struct detector **out, const struct model *m, enum fc_kind kind,
		   struct why *why)
{
	struct detector_spec tested = m->spec;
	uint8_t valid[MODEL_CHANNELS_MAX];
	struct detector *d;
	int err;

	if (m->test_online) {
		tested.online = m->test_online;
		tested.spread.online = tested.spread.online ? m->test_online : 0;
	}
	err = detector_open(&d, &tested, kind, why);
	if (err)
		return err;
	memset(valid, 1, sizeof valid);
	for (unsigned i = 0; i < m->test_rows; i++) {
		struct detector_result r;

		detector_step(d, m->test_x + (size_t)i * m->spec.channels, valid, &r);
		if (memcmp(&r.score, &m->test_score[i], sizeof r.score)) {
			detector_close(d);
			return why_set(why, -EBADMSG, "model %s: self-test row %u of %u scores "
				       "%.9g, the file says %.9g", m->name, i + 1, m->test_rows,
				       (double)r.score, (double)m->test_score[i]);
		}
	}
	if (m->test_online) {
		detector_close(d);
		return detector_open(out, &m->spec, kind, why);
	}
	detector_reset(d);
	*out = d;
	return 0;
}

int model_detector_best(struct detector **out, const struct model *m, enum fc_kind *kind,
			struct why *why)
{
	int err = -ENOTSUP;

	for (unsigned k = 0; k < FC_KINDS; k++) {
		err = model_detector(out, m, (enum fc_kind)k, why);
		if (!err && kind)
			*kind = (enum fc_kind)k;
		if (!err)
			break;
	}
	return err;
}

const char *model_precision(const struct model *m)
{
	return m->spec.linear.weight ? "int8" : "float32";
}
