// SPDX-License-Identifier: MIT
/*
 * Fuzz: a feature's name up to the first newline; then samples, a float and a step in time each, of
 * a window of it. A name that was accepted says the same when it is read again, and a value is a
 * finite number, within what the samples allow.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/window.h"
#include "kernels/why.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(struct feature_config *c, const uint8_t *data, size_t size)
{
	float v, got = 0, min = INFINITY, max = -INFINITY;
	struct why why = { "" };
	struct window *w;
	uint64_t t = 1;

	c->samples = size ? 1u << data[0] % 8 : 1;
	if (window_open(&w, c, &why)) {
		if (!why.text[0])
			abort();
		return;
	}
	for (size_t i = 1; i + 6 <= size; i += 6) {
		memcpy(&v, data + i, sizeof v);
		if (!isfinite(v))
			continue;
		min = fminf(min, v);
		max = fmaxf(max, v);
		t += (uint64_t)data[i + 4] << data[i + 5] % 64;
		window_put(w, v, t);
		if (!window_value(w, &got))
			continue;
		if (!isfinite(got))
			abort();
		if ((c->kind == FEATURE_MIN || c->kind == FEATURE_MAX) && (got < min || got > max))
			abort();
		if (c->kind >= FEATURE_RMS && c->kind != FEATURE_KURTOSIS && got < 0)
			abort();
	}
	window_close(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	struct feature_config c = { .samples = 0 }, again = { .samples = 0 };
	size_t n = end ? (size_t)(end - data) : size;
	char text[128], name[64], name_again[64];
	struct why why = { "" };

	if (n >= sizeof text)
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	if (feature_parse(&c, text, name, sizeof name, &why)) {
		if (!why.text[0])
			abort();
		return 0;
	}
	if (c.kind > FEATURE_BAND || c.samples != WINDOW_SAMPLES_DEFAULT)
		abort();
	if (c.kind == FEATURE_BAND && !(c.lo_hz >= 0 && c.lo_hz < c.hi_hz && c.hi_hz <= 1e6f))
		abort();
	/* Bands closer together than a name's six digits may not come back. */
	if (!feature_parse(&again, name, name_again, sizeof name_again, &why) &&
	    (again.kind != c.kind || strcmp(name, name_again)))
		abort();
	if (end)
		run(&c, end + 1, size - n - 1);
	return 0;
}
