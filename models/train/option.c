// SPDX-License-Identifier: MIT
/*
 * option: numbers on the command line, checked once and with the same words.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>

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
