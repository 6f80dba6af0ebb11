// SPDX-License-Identifier: MIT
/* sample: see sample.h. */
#include "models/train/sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/table.h"
#include "models/train/match.h"

static int self_test(float **x, unsigned *rows, const struct model *m, struct why *why)
{
	size_t bytes = (size_t)m->test_rows * m->spec.channels * sizeof(**x);

	if (!m->test_rows)
		return why_set(why, -EINVAL, "model %s has no self-test to take rows of: "
			       "a recording is wanted", m->name);
	*x = malloc(bytes);
	if (!*x)
		return why_set(why, -ENOMEM, "out of memory");
	memcpy(*x, m->test_x, bytes);
	*rows = m->test_rows;
	return 0;
}

int sample_rows(float **x, unsigned *rows, const struct model *m, const char *path,
		struct why *why)
{
	struct table *t = NULL;
	int err;

	*x = NULL;
	if (!path)
		return self_test(x, rows, m, why);
	err = table_read(&t, path, why);
	if (!err && !t->rows)
		err = why_set(why, -EINVAL, "%s: no rows", path);
	if (!err) {
		err = match_table(x, m, t, path, why);
		*rows = t->rows;
	}
	table_free(t);
	return err;
}
