// SPDX-License-Identifier: MIT
/*
 * option: numbers on the command line, checked once and with the same words.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/detector.h"
#include "kernels/why.h"
#include "models/train/verb.h"

int option_unknown(int argc, char **argv, struct why *why)
{
	/* A long option leaves optopt 0 when it is unknown; argv has its spelling. */
	const char *text = optind > 0 && optind <= argc ? argv[optind - 1] : "?";

	if (optopt > ' ' && optopt < 127)
		return why_set(why, VERB_USAGE, "option -%c: unknown, or its value is missing", optopt);
	return why_set(why, VERB_USAGE, "option %s: unknown, or its value is missing", text);
}

static int whole(uint64_t *out, const char *text)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno || end == text || *end || *text < '0' || *text > '9' ? -EINVAL : 0;
}

int option_count(unsigned *out, const char *name, const char *text, unsigned least,
		 unsigned most, struct why *why)
{
	uint64_t v;

	if (whole(&v, text) || v < least || v > most)
		return why_set(why, VERB_USAGE, "--%s %s: not a number from %u to %u", name, text,
			       least, most);
	*out = (unsigned)v;
	return 0;
}

int option_seed(uint64_t *out, const char *text, struct why *why)
{
	if (whole(out, text))
		return why_set(why, VERB_USAGE, "--seed %s: not a whole number", text);
	return 0;
}

int option_hz(double *out, const char *text, struct why *why)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !isfinite(v) || v <= 0 || v > 1e6)
		return why_set(why, VERB_USAGE, "--rate %s: not a frequency in Hz", text);
	*out = v;
	return 0;
}

int option_views(unsigned *out, const char *text, struct why *why)
{
	const char *at = text;

	*out = 0;
	while (*at) {
		size_t len = strcspn(at, ",");
		unsigned v = 0;

		for (; v < VIEWS; v++) {
			const char *name = detector_view_name((enum detector_view)v);

			if (strlen(name) == len && !strncmp(name, at, len))
				break;
		}
		if (v == VIEWS)
			return why_set(why, VERB_USAGE, "--views %s: %.*s is not one of level, "
				       "subspace, forecast, spread, left, code, recurrent", text,
				       (int)len, at);
		*out |= 1u << v;
		at += len + (at[len] == ',');
	}
	return *out ? 0 : why_set(why, VERB_USAGE, "--views: none is named");
}

int option_bytes(size_t *out, const char *name, const char *text, struct why *why)
{
	char *end;
	double v = strtod(text, &end);

	if (*end == 'K' || *end == 'k')
		v *= 1024, end++;
	else if (*end == 'M')
		v *= 1024 * 1024, end++;
	else if (*end == 'G')
		v *= 1024 * 1024 * 1024.0, end++;
	if (end == text || *end || !(v >= 1 && v < 1e15))
		return why_set(why, VERB_USAGE, "--%s %s: a number of bytes, K, M or G", name, text);
	*out = (size_t)v;
	return 0;
}
