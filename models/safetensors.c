// SPDX-License-Identifier: MIT
/*
 * safetensors: the rules of the format are those of its own reader, which is
 * stricter than its description: tensors lie gapless from the first to the last
 * byte of the data section, in any order of the header. We add the alignment of
 * each element, because the arrays are used where they lie.
 */
#include "models/safetensors.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/file.h"
#include "models/meta.h"
#include "models/text.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arrays are used as they lie");

#define LENGTH_BYTES 8
#define PADS_NAME_MAX 16

static const struct {
	const char *name;
	unsigned size;
} dtypes[ST_DTYPES] = {
	[ST_BOOL] = { "BOOL", 1 }, [ST_U8] = { "U8", 1 }, [ST_I8] = { "I8", 1 },
	[ST_F8_E5M2] = { "F8_E5M2", 1 }, [ST_F8_E4M3] = { "F8_E4M3", 1 },
	[ST_I16] = { "I16", 2 }, [ST_U16] = { "U16", 2 },
	[ST_F16] = { "F16", 2 }, [ST_BF16] = { "BF16", 2 },
	[ST_I32] = { "I32", 4 }, [ST_U32] = { "U32", 4 }, [ST_F32] = { "F32", 4 },
	[ST_I64] = { "I64", 8 }, [ST_U64] = { "U64", 8 }, [ST_F64] = { "F64", 8 },
};

const char *st_dtype_name(enum st_dtype dtype)
{
	return dtypes[dtype].name;
}

unsigned st_dtype_size(enum st_dtype dtype)
{
	return dtypes[dtype].size;
}

void st_shape_text(char *out, size_t size, const uint64_t *shape, unsigned dims)
{
	size_t n = (size_t)snprintf(out, size, "[");

	for (unsigned i = 0; i < dims && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%" PRIu64, i ? ", " : "", shape[i]);
	if (n < size)
		snprintf(out + n, size - n, "]");
}

/* Bytes that the shape asks for; false when no 64-bit number holds them. */
static bool tensor_bytes(const struct st_tensor *t, uint64_t *bytes)
{
	*bytes = dtypes[t->dtype].size;
	for (unsigned i = 0; i < t->dims; i++)
		if (__builtin_mul_overflow(*bytes, t->shape[i], bytes))
			return false;
	return true;
}

static int by_offset(const void *a, const void *b)
{
	const struct st_tensor *s = a, *t = b;

	if (s->begin != t->begin)
		return s->begin < t->begin ? -1 : 1;
	return s->end < t->end ? -1 : s->end > t->end;
}

static int check_tensor(struct st_tensor *t, const uint8_t *data, uint64_t data_len,
			uint64_t expected, struct why *why)
{
	char shape[96];
	uint64_t bytes;

	st_shape_text(shape, sizeof shape, t->shape, t->dims);
	if (!tensor_bytes(t, &bytes))
		return why_set(why, -EINVAL, "tensor %.64s: shape %s overflows", t->name, shape);
	if (t->end < t->begin || t->end > data_len)
		return why_set(why, -EINVAL, "tensor %.64s lies at %" PRIu64 " to %" PRIu64
			       " of %" PRIu64 " bytes of data", t->name, t->begin, t->end,
			       data_len);
	if (t->end - t->begin != bytes)
		return why_set(why, -EINVAL, "tensor %.64s has %" PRIu64 " bytes, %s of shape %s "
			       "needs %" PRIu64, t->name, t->end - t->begin,
			       dtypes[t->dtype].name, shape, bytes);
	if (t->begin != expected)
		return why_set(why, -EINVAL, "tensor %.64s begins at %" PRIu64
			       ", the one before it ends at %" PRIu64, t->name, t->begin, expected);
	t->data = data + t->begin;
	if ((uintptr_t)t->data % dtypes[t->dtype].size)
		return why_set(why, -EINVAL, "tensor %.64s lies at %" PRIu64
			       ", not at a multiple of its %u-byte elements", t->name, t->begin,
			       dtypes[t->dtype].size);
	return 0;
}

/* The header's text with a NUL behind it; *text is the caller's. */
static int header_text(char **text, uint64_t *header_len, const uint8_t *data, size_t len,
		       struct why *why)
{
	uint64_t n = 0;
	const char *header = (const char *)data + LENGTH_BYTES;

	if (len < LENGTH_BYTES)
		return why_set(why, -EINVAL, "%zu bytes: too short for a model file", len);
	memcpy(&n, data, LENGTH_BYTES);
	if (n > ST_HEADER_MAX)
		return why_set(why, -EINVAL, "a header of %" PRIu64 " bytes: not a model file, "
			       "whose headers have at most %u", n, ST_HEADER_MAX);
	if (n > len - LENGTH_BYTES)
		return why_set(why, -EINVAL, "the header has %" PRIu64 " bytes, the file ends "
			       "after %zu of them", n, len - LENGTH_BYTES);
	if (!n || header[0] != '{')
		return why_set(why, -EINVAL, "the header does not begin with '{'");
	if (!text_utf8(header, n))
		return why_set(why, -EINVAL, "the header is not UTF-8 text");
	*text = strndup(header, n);
	*header_len = n;
	return *text ? 0 : why_set(why, -ENOMEM, "no memory for the header");
}

int st_open(struct st_file *f, const void *data, size_t len, struct why *why)
{
	const uint8_t *bytes = data;
	uint64_t header_len = 0, data_len, end = 0;
	char *text;
	int err;

	*f = (struct st_file){ 0 };
	err = header_text(&text, &header_len, bytes, len, why);
	if (err)
		return err;
	err = meta_header_parse(f, text, why);
	free(text);
	if (err)
		goto fail;
	bytes += LENGTH_BYTES + header_len;
	data_len = len - LENGTH_BYTES - header_len;
	qsort(f->tensor, f->tensors, sizeof *f->tensor, by_offset);
	for (unsigned i = 0; i < f->tensors; i++) {
		err = check_tensor(&f->tensor[i], bytes, data_len, end, why);
		if (err)
			goto fail;
		end = f->tensor[i].end;
	}
	if (end != data_len) {
		err = why_set(why, -EINVAL, "%" PRIu64 " bytes after the last tensor",
			      data_len - end);
		goto fail;
	}
	return 0;
fail:
	st_close(f);
	return err;
}

void st_close(struct st_file *f)
{
	meta_header_free(f);
	*f = (struct st_file){ 0 };
}

const struct st_tensor *st_find(const struct st_file *f, const char *name)
{
	for (unsigned i = 0; i < f->tensors; i++)
		if (!strcmp(f->tensor[i].name, name))
			return &f->tensor[i];
	return NULL;
}

/*
 * Lay the tensors out one after another with a padding tensor wherever the next
 * would not begin at a multiple of ST_ALIGN. all[] and name[] have room for
 * twice the tensors. Returns how many there are now.
 */
static unsigned lay_out(struct st_tensor *all, char (*name)[PADS_NAME_MAX],
			const struct st_tensor *tensor, unsigned tensors)
{
	static const uint8_t zeros[ST_ALIGN];
	unsigned n = 0, pads = 0;
	uint64_t at = 0;

	for (unsigned i = 0; i < tensors; i++) {
		uint64_t gap = -at % ST_ALIGN, bytes = 0;

		if (gap) {
			snprintf(name[pads], PADS_NAME_MAX, "pad.%u", pads);
			all[n++] = (struct st_tensor){ .name = name[pads++], .dtype = ST_U8,
				.dims = 1, .shape = { gap }, .begin = at, .end = at + gap,
				.data = zeros };
			at += gap;
		}
		all[n] = tensor[i];
		tensor_bytes(&tensor[i], &bytes);
		all[n].begin = at;
		at = all[n++].end = at + bytes;
	}
	return n;
}

/* Header and data of tensors whose places are known. */
static int write_file(const char *path, const struct st_tensor *all, unsigned n, const char *text,
		      struct why *why)
{
	struct iovec *part = calloc((size_t)n + 3, sizeof *part);
	char *json = NULL, spaces[ST_ALIGN];
	uint64_t padded;
	size_t len;
	int err = part ? meta_header_format(&json, all, n, text) : -ENOMEM;

	if (err)
		goto done;
	len = strlen(json);
	padded = len + (-(LENGTH_BYTES + len)) % ST_ALIGN;
	memset(spaces, ' ', sizeof spaces);
	part[0] = (struct iovec){ &padded, LENGTH_BYTES };
	part[1] = (struct iovec){ json, len };
	part[2] = (struct iovec){ spaces, padded - len };
	for (unsigned i = 0; i < n; i++)
		part[3 + i] = (struct iovec){ (void *)(uintptr_t)all[i].data,
					      all[i].end - all[i].begin };
	err = padded > ST_HEADER_MAX ?
		why_set(why, -E2BIG, "%s: a header of %" PRIu64 " bytes", path, padded) :
		file_replace(path, part, 3 + n, why);
done:
	free(json);
	free(part);
	return err;
}

int st_write(const char *path, const struct st_tensor *tensor, unsigned tensors,
	     const char *text, struct why *why)
{
	char (*name)[PADS_NAME_MAX] = calloc(tensors + 1, sizeof *name);
	struct st_tensor *all = calloc(2 * (size_t)tensors + 1, sizeof *all);
	int err = -ENOMEM;

	if (name && all)
		err = write_file(path, all, lay_out(all, name, tensor, tensors), text, why);
	if (err == -ENOMEM)
		why_set(why, err, "%s: no memory", path);
	free(all);
	free(name);
	return err;
}

int st_write_plain(const char *path, const struct st_tensor *tensor, unsigned tensors,
		   struct why *why)
{
	struct st_tensor *all = calloc((size_t)tensors + 1, sizeof *all);
	uint64_t at = 0, bytes = 0;
	int err = all ? 0 : -ENOMEM;

	for (unsigned i = 0; !err && i < tensors; i++) {
		all[i] = tensor[i];
		if (!tensor_bytes(&tensor[i], &bytes) || at % st_dtype_size(tensor[i].dtype))
			err = why_set(why, -EINVAL, "%s: tensor %.64s has no place at %" PRIu64, path,
				      tensor[i].name, at);
		all[i].begin = at;
		at = all[i].end = at + bytes;
	}
	if (!err)
		err = write_file(path, all, tensors, NULL, why);
	if (err == -ENOMEM)
		why_set(why, err, "%s: no memory", path);
	free(all);
	return err;
}
