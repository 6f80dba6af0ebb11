// SPDX-License-Identifier: MIT
/* window_parse: the names of features, as a configuration has them. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/window.h"
#include "kernels/why.h"

#define BAND_HZ_MAX 1e6

/* strtod also takes hexadecimal, "inf" and "nan": nobody means those here. */
static bool number(const char **text, double *v)
{
	char *end;

	if (!isdigit((unsigned char)**text) || ((*text)[1] | 0x20) == 'x')
		return false;
	*v = strtod(*text, &end);
	*text = end;
	return true;
}

static bool parse_band(const char *s, double *lo, double *hi)
{
	double factor = 1;

	if (!number(&s, lo) || *s++ != '-' || !number(&s, hi))
		return false;
	if (*s == 'k') {
		factor = 1e3;
		s++;
	}
	*lo *= factor;
	*hi *= factor;
	return !strcmp(s, "Hz");
}

int feature_parse(struct feature_config *c, const char *text, char *name, unsigned size,
		  struct why *why)
{
	static const char *const word[FEATURE_BAND] = {
		[FEATURE_LAST] = "last", [FEATURE_MEAN] = "mean", [FEATURE_MIN] = "min",
		[FEATURE_MAX] = "max", [FEATURE_RMS] = "rms", [FEATURE_PEAK_TO_PEAK] = "p2p",
		[FEATURE_KURTOSIS] = "kurtosis",
	};
	double lo = 0, hi = 0;
	unsigned kind = 0;
	int n;

	while (kind < FEATURE_BAND && strcmp(text, word[kind]))
		kind++;
	if (kind == FEATURE_BAND) {
		if (!parse_band(text, &lo, &hi))
			return why_set(why, -EINVAL, "\"%.40s\" is no feature: last, mean, min, "
				       "max, rms, p2p, kurtosis or a band such as 10-25Hz", text);
		if (!((float)lo < (float)hi) || hi > BAND_HZ_MAX)
			return why_set(why, -EINVAL, "%.40s: a band goes from a lower to a higher "
				       "frequency, up to 1 MHz", text);
		n = snprintf(name, size, "%g-%gHz", (double)(float)lo, (double)(float)hi);
	} else {
		n = snprintf(name, size, "%s", word[kind]);
	}
	if (n >= (int)size)
		return why_set(why, -EINVAL, "the name of feature %.40s is too long", text);
	c->kind = kind;
	c->lo_hz = (float)lo;
	c->hi_hz = (float)hi;
	if (!c->samples)
		c->samples = WINDOW_SAMPLES_DEFAULT;
	return 0;
}
