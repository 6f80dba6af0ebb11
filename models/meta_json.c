// SPDX-License-Identifier: MIT
/*
 * meta_json: see the header. Reasons name the object, the key and what was found.
 */
#include "models/meta_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/text.h"

#define DEPTH_MAX 16

/* Brackets open at once, outside strings. An unbalanced text is the parser's matter. */
static bool too_deep(const char *s)
{
	unsigned depth = 0;

	for (bool string = false; *s; s++) {
		if (string && *s == '\\' && s[1])
			s++;
		else if (*s == '"')
			string = !string;
		else if (!string && (*s == '[' || *s == '{') && ++depth > DEPTH_MAX)
			return true;
		else if (!string && depth && (*s == ']' || *s == '}'))
			depth--;
	}
	return false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int json_check_object(sd_json_variant *v, const char *what, struct why *why)
{
	const char **key;
	size_t n;
	int err = 0;

	if (!sd_json_variant_is_object(v))
		return why_set(why, -EINVAL, "%s is not a JSON object", what);
	n = sd_json_variant_elements(v) / 2;
	if (!n)
		return 0;
	key = calloc(n, sizeof *key);
	if (!key)
		return why_set(why, -ENOMEM, "%s: no memory", what);
	for (size_t i = 0; i < n; i++) {
		key[i] = sd_json_variant_string(sd_json_variant_by_index(v, 2 * i));
		if (!text_printable(key[i], strlen(key[i])))
			err = why_set(why, -EINVAL, "%s: a key has unprintable characters", what);
	}
	qsort(key, n, sizeof *key, by_text);
	for (size_t i = 1; !err && i < n; i++)
		if (!strcmp(key[i - 1], key[i]))
			err = why_set(why, -EINVAL, "%s has \"%s\" twice", what, key[i]);
	free(key);
	return err;
}

int json_object(sd_json_variant **out, const char *text, const char *what, struct why *why)
{
	unsigned line = 0, column = 0;
	sd_json_variant *v = NULL;
	int err;

	if (too_deep(text))
		return why_set(why, -EINVAL, "%s is nested deeper than %d", what, DEPTH_MAX);
	err = sd_json_parse(text, 0, &v, &line, &column);
	if (err == -ENOMEM)
		return why_set(why, err, "%s: no memory", what);
	if (err < 0)
		return why_set(why, -EINVAL, "%s is not JSON, at line %u column %u", what, line,
			       column);
	err = json_check_object(v, what, why);
	if (err) {
		sd_json_variant_unref(v);
		return err;
	}
	*out = v;
	return 0;
}

/* Is the field there? 1, 0, or -EINVAL when it is needed. */
static int find(const struct json_from *f, const char *key, bool needed, sd_json_variant **v)
{
	*v = sd_json_variant_by_key(f->v, key);
	if (*v)
		return 1;
	return needed ? why_set(f->why, -EINVAL, "%s has no \"%s\"", f->what, key) : 0;
}

int json_text(const struct json_from *f, const char *key, bool needed, char *out, size_t size)
{
	sd_json_variant *v;
	const char *s;
	int found = find(f, key, needed, &v);

	if (found <= 0)
		return found;
	if (!sd_json_variant_is_string(v))
		return why_set(f->why, -EINVAL, "%s: \"%s\" is not a string", f->what, key);
	s = sd_json_variant_string(v);
	if (!text_printable(s, strlen(s)))
		return why_set(f->why, -EINVAL, "%s: \"%s\" has unprintable characters", f->what,
			       key);
	if (strlen(s) >= size)
		return why_set(f->why, -EINVAL, "%s: \"%s\" is longer than %zu bytes: %.64s",
			       f->what, key, size - 1, s);
	strcpy(out, s);
	return 0;
}

int json_unsigned(const struct json_from *f, const char *key, bool needed, uint64_t *out)
{
	sd_json_variant *v;
	int found = find(f, key, needed, &v);

	if (found <= 0)
		return found;
	if (!sd_json_variant_is_unsigned(v))
		return why_set(f->why, -EINVAL, "%s: \"%s\" is not a whole number", f->what, key);
	*out = sd_json_variant_unsigned(v);
	return 0;
}

int json_double(const struct json_from *f, const char *key, bool needed, double *out)
{
	sd_json_variant *v;
	int found = find(f, key, needed, &v);

	if (found <= 0)
		return found;
	if (!sd_json_variant_is_number(v))
		return why_set(f->why, -EINVAL, "%s: \"%s\" is not a number", f->what, key);
	*out = sd_json_variant_real(v);
	return 0;
}

int json_float(const struct json_from *f, const char *key, bool needed, float *out)
{
	double d = *out;
	int err = json_double(f, key, needed, &d);

	*out = (float)d;
	return err;
}

int json_member(const struct json_from *f, const char *key, bool needed, struct json_from *out)
{
	int found;

	*out = (struct json_from){ .what = key, .why = f->why };
	found = find(f, key, needed, &out->v);
	return found <= 0 ? found : json_check_object(out->v, key, f->why);
}

int json_put(FILE *out, const char *before, const char *s)
{
	sd_json_variant *v = NULL;
	int err;

	fputs(before, out);
	err = sd_json_variant_new_string(&v, s);
	if (err >= 0)
		err = sd_json_variant_dump(v, 0, out, NULL);
	sd_json_variant_unref(v);
	return err < 0 ? err : 0;
}
