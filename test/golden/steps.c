// SPDX-License-Identifier: MIT
/*
 * The same rows through the same detectors give the same bits: on every machine, at every
 * vector width, through every implementation of the operator.
 *
 *   steps                compare with test/golden/steps.txt
 *   steps --check FILE   compare with FILE
 *   steps --print        print what such a file holds
 *
 * A line is a shape (below, by name), a form of the operators and the FNV-1a hash of
 * every number that 500 steps put out. XNNPACK is excused on a CPU without a fused
 * multiply-add, where it rounds twice: the loader's self-test turns it away there.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kernels/why.h"
#include "test/golden/made.h"

#define STEPS 500
#define CHANNELS_MAX 64

static const struct {
	const char *name;
	struct made_shape shape;
} shapes[] = {
	{ "level", { .channels = 5, .lags = 1, .level = true } },
	{ "forecast", { .channels = 7, .lags = 4 } },
	{ "subspace", { .channels = 12, .lags = 5, .rank = 20 } },
	{ "slow", { .channels = 38, .lags = 3, .level = true, .rank = 33, .slow = true } },
	{ "net", { .channels = 8, .lags = 5, .rank = 9, .slow = true, .net = RECURRENT_FORECAST,
		   .hidden = 64, .quick = -2 } },
	{ "two-layers", { .channels = 12, .lags = 2, .net = RECURRENT_FORECAST, .hidden = 32,
			  .layers = 2 } },
	{ "graph", { .channels = 21, .lags = 3, .rank = 17, .slow = true,
		     .net = RECURRENT_FORECAST, .hidden = 48, .layers = 2, .features = 4,
		     .quick = -2 } },
	{ "autoencoder", { .channels = 6, .lags = 4, .rank = 7, .net = RECURRENT_AUTOENCODER,
			   .hidden = 24, .window = 12 } },
	{ "online", { .channels = 3, .lags = 2, .level = true, .slow = true, .online = 40 } },
	{ "all", { .channels = 38, .lags = 5, .level = true, .rank = 64, .slow = true,
		   .net = RECURRENT_FORECAST, .hidden = 128, .features = 3, .quick = -2 } },
};
#define SHAPES (sizeof shapes / sizeof *shapes)

/* How the operators are: float ones have one implementation. */
static const struct form {
	const char *name;
	enum fc_kind kind;
	bool int8, dynamic;
} forms[] = {
	{ "xnnpack", FC_XNN, true, false },
	{ "xnnpack-subgraph", FC_SUBGRAPH, true, false },
	{ "reference", FC_REF, true, false },
	{ "xnnpack-dynamic", FC_XNN, true, true },
	{ "xnnpack-subgraph-dynamic", FC_SUBGRAPH, true, true },
	{ "reference-dynamic", FC_REF, true, true },
	{ "float", FC_REF, false, false },
};
#define FORMS (sizeof forms / sizeof *forms)

static uint64_t fnv(uint64_t hash, const void *data, size_t size)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}

static uint64_t fnv_floats(uint64_t hash, const float *v, unsigned n)
{
	return fnv(hash, v, n * sizeof *v);
}

static uint64_t add_result(uint64_t hash, const struct detector_spec *s,
			   const struct detector_result *r)
{
	unsigned n = s->channels, flags = r->ready | (unsigned)r->early << 1;

	hash = fnv_floats(hash, &r->score, 1);
	hash = fnv_floats(hash, &r->departure, 1);
	hash = fnv_floats(hash, r->view, VIEWS);
	for (unsigned v = 0; v < VIEWS; v++)
		hash = fnv_floats(hash, r->size[v], v == VIEW_CODE && s->code.series ?
				  s->code.series : n);
	hash = fnv_floats(hash, r->contribution, n);
	hash = fnv_floats(hash, r->prediction, n);
	hash = fnv_floats(hash, r->u, n);
	if (r->code)
		hash = fnv_floats(hash, r->code, s->subspace.rank);
	if (r->state)
		hash = fnv_floats(hash, r->state, s->recurrent.hidden);
	return fnv(hash, &flags, sizeof flags);
}

static int run(const struct made_shape *shape, const struct form *form, uint64_t *hash,
	       struct why *why)
{
	struct made_shape full = *shape;
	float x[CHANNELS_MAX];
	uint8_t valid[CHANNELS_MAX];
	struct detector *d;
	struct made m;
	int err;

	full.int8 = form->int8;
	full.dynamic = form->dynamic;
	made_open(&m, &full);
	err = detector_open(&d, &m.spec, form->kind, why);
	if (err) {
		made_close(&m);
		return err;
	}
	*hash = 0xcbf29ce484222325u;
	for (unsigned i = 0; i < STEPS; i++) {
		struct detector_result r;

		made_row(&m, x, valid);
		detector_step(d, x, valid, &r);
		*hash = add_result(*hash, &m.spec, &r);
		if (i % 100 == 99)
			detector_follow(d, 0.0625f);
	}
	detector_close(d);
	made_close(&m);
	return 0;
}

static bool excused(const struct form *form)
{
#ifdef __x86_64__
	return form->kind != FC_REF && !__builtin_cpu_supports("fma");
#else
	return false;
#endif
}

/* Whether FILE has this very line. */
static bool holds(FILE *file, const char *line)
{
	char got[128];

	rewind(file);
	while (fgets(got, sizeof got, file)) {
		got[strcspn(got, "\n")] = 0;
		if (!strcmp(got, line))
			return true;
	}
	return false;
}

/* file NULL: print. Returns 1 when the line can not be had or is not the expected one. */
static int one(unsigned shape, const struct form *form, FILE *file)
{
	const char *name = shapes[shape].name;
	struct why why = { "" };
	uint64_t hash = 0;
	char line[128];
	int err = run(&shapes[shape].shape, form, &hash, &why);

	if (err) {
		fprintf(stderr, "%s %s: %s\n", name, form->name, why.text);
		return !excused(form);
	}
	snprintf(line, sizeof line, "%s %s %016llx", name, form->name, (unsigned long long)hash);
	if (!file) {
		puts(line);
		return 0;
	}
	if (holds(file, line))
		return 0;
	printf("%s: %s\n", excused(form) ? "differs, having no FMA" : "not expected", line);
	return !excused(form);
}

int main(int argc, char **argv)
{
	const char *path = "test/golden/steps.txt";
	FILE *file = NULL;
	int wrong = 0;

	if (argc > 2 && !strcmp(argv[1], "--check"))
		path = argv[2];
	if (argc < 2 || strcmp(argv[1], "--print")) {
		file = fopen(path, "r");
		if (!file) {
			fprintf(stderr, "%s: %s\n", path, strerror(errno));
			return 1;
		}
	}
	for (unsigned i = 0; i < SHAPES; i++)
		for (unsigned k = 0; k < FORMS; k++)
			wrong += one(i, &forms[k], file);
	if (file)
		fclose(file);
	return wrong != 0;
}
