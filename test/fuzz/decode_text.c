// SPDX-License-Identifier: MIT
/*
 * Fuzz: a field's text up to the first newline, then a file's. A field that was accepted
 * must be whole, and what it finds in the file must not depend on what lies behind.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/decode.h"
#include "kernels/why.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	size_t n = end ? (size_t)(end - data) : size, left = size - n;
	struct text_field f;
	struct why why = { "" };
	char field[256], *text;
	double v = 0, again = 0;
	int err;

	if (n >= sizeof field)
		return 0;
	memcpy(field, data, n);
	field[n] = '\0';
	err = decode_text_parse(&f, field, &why);
	if (err) {
		if (err != -EINVAL || !why.text[0])
			abort();
		return 0;
	}
	if (!f.columns || f.columns > TEXT_COLUMNS_MAX ||
	    strnlen(f.key, sizeof f.key) == sizeof f.key)
		abort();
	text = malloc(left + 16);
	if (!text)
		return 0;
	memcpy(text, data + n, left);
	memset(text + left, '9', 16);
	err = decode_text(&f, text, (unsigned)left, &v);
	memset(text + left, 'x', 16);
	if (decode_text(&f, text, (unsigned)left, &again) != err)
		abort();
	if (!err && memcmp(&v, &again, sizeof v))
		abort();
	if (err && err != -ENOENT && err != -EINVAL)
		abort();
	free(text);
	/* And once from memory that ends where the text does. */
	if (end)
		decode_text(&f, (const char *)end, (unsigned)left, &v);
	return 0;
}
