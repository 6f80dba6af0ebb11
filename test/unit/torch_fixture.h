/* SPDX-License-Identifier: MIT */
/* torch_fixture: state dicts made in memory, without a file and without the code under test. */
#ifndef SONDE_TEST_TORCH_FIXTURE_H
#define SONDE_TEST_TORCH_FIXTURE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernels/why.h"
#include "models/train/torch.h"
#include "test/test.h"

struct dict {
	struct st_file f;
	struct st_tensor tensor[40];
	void *kept[40];
	uint32_t seed;
};

static inline float next(struct dict *d)
{
	d->seed = d->seed * 1664525u + 1013904223u;
	return ((float)(d->seed >> 8) / (1 << 23) - 1) * 0.5f;
}

static inline float *put(struct dict *d, const char *name, unsigned dims, unsigned rows,
			 unsigned columns)
{
	size_t n = (size_t)rows * (dims == 2 ? columns : 1);
	float *v = malloc(n * sizeof *v + 1);
	struct st_tensor *t = &d->tensor[d->f.tensors];

	CHECK(v && d->f.tensors < 40);
	for (size_t i = 0; i < n; i++)
		v[i] = next(d);
	*t = (struct st_tensor){ .name = name, .dtype = ST_F32, .dims = dims,
				 .shape = { rows, columns }, .end = n * sizeof *v, .data = v };
	d->kept[d->f.tensors++] = v;
	d->f.tensor = d->tensor;
	return v;
}

static inline void drop(struct dict *d)
{
	for (unsigned i = 0; i < d->f.tensors; i++)
		free(d->kept[i]);
	*d = (struct dict){ 0 };
}

/* "name rows columns" (columns 0: a vector), separated by commas. */
static inline void put_all(struct dict *d, const char *list, char *names)
{
	*d = (struct dict){ .seed = 5 };
	strcpy(names, list);
	for (char *p = names; *p;) {
		char *end = p + strcspn(p, ","), *space = strchr(p, ' ');
		unsigned rows, columns;
		bool more = *end;

		*end = '\0';
		CHECK_EQ(sscanf(space, "%u %u", &rows, &columns), 2);
		*space = '\0';
		put(d, p, columns ? 2 : 1, rows, columns);
		p = more ? end + 1 : end;
	}
}

static const struct torch_names no_names;

static inline void match(struct torch_map *map, struct dict *d, const struct torch_names *names)
{
	struct why why = { "" };
	int err = torch_match(map, &d->f, names, &why);

	if (err)
		fprintf(stderr, "%s\n", why.text);
	CHECK_EQ(err, 0);
}

#endif
