// SPDX-License-Identifier: MIT
/*
 * meta: the header of a safetensors file. Read with sd-json; written by hand,
 * because sd-json prints 0.4 as 4.000000059604644775391e-01 and every number
 * in a header is a whole one or ours to shorten.
 */
#include "models/meta.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/meta_json.h"
#include "models/safetensors.h"

static int parse_dtype(struct st_tensor *t, sd_json_variant *v, struct why *why)
{
	sd_json_variant *f = sd_json_variant_by_key(v, "dtype");

	if (!f || !sd_json_variant_is_string(f))
		return why_set(why, -EINVAL, "tensor %s has no dtype", t->name);
	for (unsigned i = 0; i < ST_DTYPES; i++) {
		if (!strcmp(sd_json_variant_string(f), st_dtype_name(i))) {
			t->dtype = i;
			return 0;
		}
	}
	return why_set(why, -EINVAL, "tensor %s has the unknown dtype \"%.32s\"", t->name,
		       sd_json_variant_string(f));
}

/* An array of at most max whole numbers; their count, or -EINVAL. */
static int parse_numbers(uint64_t *out, unsigned max, sd_json_variant *v)
{
	size_t n;

	if (!v || !sd_json_variant_is_array(v))
		return -EINVAL;
	n = sd_json_variant_elements(v);
	if (n > max)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		sd_json_variant *e = sd_json_variant_by_index(v, i);

		if (!sd_json_variant_is_unsigned(e))
			return -EINVAL;
		out[i] = sd_json_variant_unsigned(e);
	}
	return (int)n;
}

static int parse_tensor(struct st_tensor *t, const char *name, sd_json_variant *v,
			struct why *why)
{
	uint64_t offset[2];
	char what[128];
	int n, err;

	t->name = name;
	if (!*name)
		return why_set(why, -EINVAL, "a tensor has no name");
	snprintf(what, sizeof what, "tensor %s", name);
	err = json_check_object(v, what, why);
	if (err)
		return err;
	err = parse_dtype(t, v, why);
	if (err)
		return err;
	n = parse_numbers(t->shape, ST_DIMS_MAX, sd_json_variant_by_key(v, "shape"));
	if (n < 0)
		return why_set(why, -EINVAL,
			       "tensor %s: shape is not a list of at most %d whole numbers", name,
			       ST_DIMS_MAX);
	t->dims = (unsigned)n;
	if (parse_numbers(offset, 2, sd_json_variant_by_key(v, "data_offsets")) != 2)
		return why_set(why, -EINVAL, "tensor %s: data_offsets is not two whole numbers",
			       name);
	t->begin = offset[0];
	t->end = offset[1];
	return 0;
}

/* The format wants strings only, whatever their keys. */
static int parse_metadata(struct st_file *f, sd_json_variant *v, struct why *why)
{
	int err = json_check_object(v, "__metadata__", why);

	for (size_t i = 0; !err && i < sd_json_variant_elements(v); i += 2) {
		const char *key = sd_json_variant_string(sd_json_variant_by_index(v, i));
		sd_json_variant *value = sd_json_variant_by_index(v, i + 1);

		if (!sd_json_variant_is_string(value))
			err = why_set(why, -EINVAL, "__metadata__: \"%.64s\" is not a string", key);
		else if (!strcmp(key, ST_TEXT_KEY))
			f->text = sd_json_variant_string(value);
	}
	return err;
}

int meta_header_parse(struct st_file *f, const char *json, struct why *why)
{
	sd_json_variant *v;
	size_t n;
	int err;

	err = json_object(&v, json, "the header", why);
	if (err)
		return err;
	f->json = v;
	n = sd_json_variant_elements(v);
	f->tensor = calloc(n / 2 + 1, sizeof *f->tensor);
	if (!f->tensor)
		return why_set(why, -ENOMEM, "no memory for %zu tensors", n / 2);
	for (size_t i = 0; !err && i < n; i += 2) {
		const char *key = sd_json_variant_string(sd_json_variant_by_index(v, i));
		sd_json_variant *value = sd_json_variant_by_index(v, i + 1);

		if (!strcmp(key, "__metadata__"))
			err = parse_metadata(f, value, why);
		else
			err = parse_tensor(&f->tensor[f->tensors++], key, value, why);
	}
	return err;
}

void meta_header_free(struct st_file *f)
{
	free(f->tensor);
	sd_json_variant_unref(f->json);
}

int meta_header_format(char **json, const struct st_tensor *tensor, unsigned tensors,
		       const char *text)
{
	size_t size;
	FILE *out = open_memstream(json, &size);
	int err;

	if (!out)
		return -ENOMEM;
	err = text ? json_put(out, "{\"__metadata__\":{\"" ST_TEXT_KEY "\":", text) :
	      json_put(out, "{\"__metadata__\":{\"format\":", "pt");
	putc('}', out);
	for (unsigned i = 0; !err && i < tensors; i++) {
		const struct st_tensor *t = &tensor[i];

		err = json_put(out, ",", t->name);
		fprintf(out, ":{\"dtype\":\"%s\",\"shape\":[", st_dtype_name(t->dtype));
		for (unsigned k = 0; k < t->dims; k++)
			fprintf(out, "%s%" PRIu64, k ? "," : "", t->shape[k]);
		fprintf(out, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", t->begin, t->end);
	}
	putc('}', out);
	if (ferror(out))
		err = -ENOMEM;
	if (fclose(out) && !err)
		err = -ENOMEM;
	if (err) {
		free(*json);
		*json = NULL;
	}
	return err;
}
