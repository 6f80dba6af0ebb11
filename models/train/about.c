// SPDX-License-Identifier: MIT
/*
 * about: see the header. Parts are read off the tensors' names and not off the model's struct, so
 * that a file of another writer is described by what it has, and not by what we expect.
 */
#include "models/train/about.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "models/model.h"
#include "models/safetensors.h"

#define LENGTH_BYTES 8
#define COST_ROWS 4000u
#define COST_NS 40000000u

static const struct {
	const char *name, *what;
} known[] = {
	{ "norm", "mean and deviation of each channel" },
	{ "wanders", "channels that keep no level" },
	{ "linear", "forecast from the last rows" },
	{ "white", "deviation of its residuals" },
	{ "level", "level view" },
	{ "spread", "spread view" },
	{ "left", "spread of what the subspace leaves" },
	{ "code", "spread of the subspace's components" },
	{ "subspace", "lagged linear subspace" },
	{ "gates", "LSTM" },
	{ "gates2", "second LSTM layer, or decoder" },
	{ "head", "what the LSTM adds to the forecast" },
	{ "recurrent", "deviation of what the net leaves" },
	{ "graph", "graph over the channels" },
	{ "node", "graph: a channel's features" },
	{ "quick", "quick head, for early exit" },
	{ "tail", "how rare a score is" },
	{ "departure", "when a channel counts as departed" },
	{ "test", "self-test" },
	{ SIGN_TENSOR, "signature" },
};

static const char *what_is(const char *name)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(known[i].name, name))
			return known[i].what;
	return "";
}

static struct about_part *part_of(struct about *a, const char *tensor)
{
	size_t n = strcspn(tensor, ".");
	struct about_part *p;

	if (n >= ABOUT_NAME_MAX)
		n = ABOUT_NAME_MAX - 1;
	for (unsigned i = 0; i < a->parts; i++)
		if (!strncmp(a->part[i].name, tensor, n) && !a->part[i].name[n])
			return &a->part[i];
	if (a->parts == ABOUT_PARTS_MAX)
		return &a->part[ABOUT_PARTS_MAX - 1];
	p = &a->part[a->parts++];
	snprintf(p->name, sizeof p->name, "%.*s", (int)n, tensor);
	if (a->parts == ABOUT_PARTS_MAX)
		strcpy(p->name, "...");
	p->what = what_is(p->name);
	return p;
}

/* A matrix is applied once a row. */
static uint64_t products(const struct st_tensor *t)
{
	size_t n = strlen(t->name), suffix = strlen(".weight");

	if (t->dims != 2 || n < suffix || strcmp(t->name + n - suffix, ".weight"))
		return 0;
	return t->shape[0] * t->shape[1];
}

int about_file(struct about *a, const void *data, size_t len, struct why *why)
{
	struct st_file file;
	int err;

	*a = (struct about){ .bytes = len };
	err = sign_inspect(&a->sign, data, len, why);
	if (!err)
		err = st_open(&file, data, len, why);
	if (err)
		return err;
	memcpy(&a->header_bytes, data, LENGTH_BYTES);
	a->header_bytes += LENGTH_BYTES;
	hash_sha256(a->sha256, data, len);
	for (unsigned i = 0; i < file.tensors; i++) {
		const struct st_tensor *t = &file.tensor[i];
		struct about_part *p;

		if (!strncmp(t->name, "pad.", 4)) {
			a->padding_bytes += t->end - t->begin;
			continue;
		}
		p = part_of(a, t->name);
		a->tensors++;
		p->tensors++;
		p->bytes += t->end - t->begin;
		p->products += products(t);
		a->products += products(t);
	}
	st_close(&file);
	return 0;
}

static const char *const kind_name[FC_KINDS] = {
	[FC_XNN] = "xnnpack", [FC_SUBGRAPH] = "xnnpack-subgraph", [FC_REF] = "reference",
};

static const char *name_of(const struct model *m, enum fc_kind kind)
{
	return strcmp(model_precision(m), "int8") ? "float" : kind_name[kind];
}

void about_test(struct about *a, const struct model *m)
{
	/* Float operators are plain C whatever kind is asked for (kernels/fc.h). */
	unsigned kinds = strcmp(model_precision(m), "int8") ? 1 : FC_KINDS;

	a->kinds = 0;
	for (unsigned k = 0; k < kinds; k++) {
		struct about_kind *r = &a->kind[a->kinds++];
		struct detector *d;

		*r = (struct about_kind){ .name = name_of(m, (enum fc_kind)k) };
		r->err = model_detector(&d, m, (enum fc_kind)k, &r->why);
		if (!r->err)
			detector_close(d);
	}
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Rows of the self-test, over and over; without one, the means. */
static unsigned run(struct detector *d, const struct model *m, uint64_t *took)
{
	unsigned n = m->spec.channels, done = 0;
	uint64_t begin = now_ns(), before = begin;
	uint8_t *valid = malloc(n);

	if (!valid)
		return 0;
	memset(valid, 1, n);
	while (done < COST_ROWS && before - begin < COST_NS) {
		const float *x = m->test_rows ? m->test_x + (size_t)(done % m->test_rows) * n
					      : m->spec.mean;
		struct detector_result r;
		uint64_t now;

		detector_step(d, x, valid, &r);
		now = now_ns();
		took[done++] = now - before;
		before = now;
	}
	free(valid);
	return done;
}

int about_cost(struct about *a, const struct model *m, struct why *why)
{
	uint64_t *took = malloc(COST_ROWS * sizeof *took);
	struct detector *d;
	enum fc_kind kind;
	unsigned n;
	int err = took ? model_detector_best(&d, m, &kind, why)
		       : why_set(why, -ENOMEM, "out of memory");

	if (!err) {
		n = run(d, m, took);
		detector_close(d);
		qsort(took, n, sizeof *took, by_size);
		a->row_ns = n ? (double)took[n / 2] : 0;
		a->row_kernel = name_of(m, kind);
	}
	free(took);
	return err;
}
