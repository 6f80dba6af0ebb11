// SPDX-License-Identifier: MIT
/*
 * match: see match.h. A column more is no error: a recording may hold all channels
 * of a board and a model only those it was fitted on.
 */
#include "models/train/match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/expand.h"
#include "models/model.h"
#include "models/table.h"

static int column(const struct table *t, const char *name)
{
	for (unsigned i = 0; i < t->channels; i++)
		if (!strcmp(t->name[i], name))
			return (int)i;
	return -1;
}

int match_general(struct model *m, const struct table *t, const char *path, struct why *why)
{
	const char **name = malloc(t->channels * sizeof(*name));
	int err;

	if (!name)
		return why_set(why, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < t->channels; i++)
		name[i] = t->name[i];
	err = model_expand(m, name, t->channels, t->rate_hz > 0 ? t->rate_hz : m->rate_hz, 0, why);
	free(name);
	return why_in(why, err, "%s", path);
}

int match_table(float **x, const struct model *m, const struct table *t, const char *path,
		struct why *why)
{
	unsigned n = m->spec.channels;
	float *v = malloc((size_t)t->rows * n * sizeof(*v));

	if (!v)
		return why_set(why, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < n; i++) {
		int c = column(t, m->channel[i].name);

		if (c < 0) {
			free(v);
			return why_set(why, -EINVAL, "%s: no column %s, which model %s was fitted on",
				       path, m->channel[i].name, m->name);
		}
		for (unsigned r = 0; r < t->rows; r++)
			v[(size_t)r * n + i] = t->value[(size_t)r * t->channels + (unsigned)c];
	}
	*x = v;
	return 0;
}
