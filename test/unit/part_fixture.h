/* SPDX-License-Identifier: MIT */
/* part_fixture: parts made key by key, for the tests of parts. */
#ifndef SONDE_TEST_PART_FIXTURE_H
#define SONDE_TEST_PART_FIXTURE_H

#include <errno.h>

#include "agent/part.h"
#include "kernels/why.h"
#include "test/test.h"

static inline void has(const struct why *why, const char *text)
{
	if (strstr(why->text, text))
		return;
	fprintf(stderr, "\"%s\" is not in: %s\n", text, why->text);
	exit(1);
}

static inline void set(struct part *p, const char *key, const char *value)
{
	struct why why = { "" };

	if (part_key(p, key, value, &why)) {
		fprintf(stderr, "%s = %s: %s\n", key, value, why.text);
		exit(1);
	}
}

#endif
