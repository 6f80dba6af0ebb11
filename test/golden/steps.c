// SPDX-License-Identifier: MIT
/*
 * The same rows through the same detectors give the same bits: on every machine, at every
 * vector width, through every implementation of the operator.
 *
 *   steps                compare with test/golden/steps.txt
 *   steps --check FILE   compare with FILE
 *   steps --print        print what such a file holds
 *
 * A line is a shape (channels/hidden/lags), an implementation and the FNV-1a hash of
 * every number that 1000 steps put out. XNNPACK is excused on a CPU without a fused
 * multiply-add, where it rounds twice: the loader's self-test turns it away there.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kernels/why.h"
#include "test/golden/made.h"

#define STEPS 1000
#define CHANNELS_MAX 64

static const struct shape {
	unsigned channels, hidden, lags;
} shapes[] = {
	{ 8, 64, 5 }, { 1, 16, 3 }, { 12, 32, 8 }, { 38, 128, 5 }, { 5, 0, 4 }, { 7, 13, 1 },
};

/* FC_KINDS stands for the float operators, which have one implementation. */
static const char *const kinds[FC_KINDS + 1] = {
	"xnnpack", "xnnpack-subgraph", "reference", "float",
};

static uint64_t fnv(uint64_t hash, const void *data, size_t size)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}

static int run(const struct shape *shape, int kind, uint64_t *hash, struct why *why)
{
	float x[CHANNELS_MAX];
	uint8_t valid[CHANNELS_MAX];
	struct detector *d;
	struct made m;
	int err;

	made_open(&m, shape->channels, shape->hidden, shape->lags, kind != FC_KINDS);
	err = detector_open(&d, &m.spec, kind == FC_KINDS ? FC_REF : (enum fc_kind)kind, why);
	if (err) {
		made_close(&m);
		return err;
	}
	*hash = 0xcbf29ce484222325u;
	for (unsigned i = 0; i < STEPS; i++) {
		struct detector_result r;

		made_row(&m, x, valid);
		detector_step(d, x, valid, &r);
		*hash = fnv(*hash, &r.score, sizeof r.score);
		*hash = fnv(*hash, &r.forecast, sizeof r.forecast);
		*hash = fnv(*hash, &r.level, sizeof r.level);
		*hash = fnv(*hash, r.contribution, shape->channels * sizeof *r.contribution);
		*hash = fnv(*hash, r.prediction, shape->channels * sizeof *r.prediction);
	}
	detector_close(d);
	made_close(&m);
	return 0;
}

static bool excused(int kind)
{
#ifdef __x86_64__
	return (kind == FC_XNN || kind == FC_SUBGRAPH) && !__builtin_cpu_supports("fma");
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
static int one(const struct shape *s, int kind, FILE *file)
{
	struct why why = { "" };
	uint64_t hash = 0;
	char line[128];
	int err = run(s, kind, &hash, &why);

	if (err) {
		fprintf(stderr, "%u/%u/%u %s: %s\n", s->channels, s->hidden, s->lags, kinds[kind],
			why.text);
		return !excused(kind);
	}
	snprintf(line, sizeof line, "%u/%u/%u %s %016llx", s->channels, s->hidden, s->lags,
		 kinds[kind], (unsigned long long)hash);
	if (!file) {
		puts(line);
		return 0;
	}
	if (holds(file, line))
		return 0;
	printf("%s: %s\n", excused(kind) ? "differs, having no FMA" : "not expected", line);
	return !excused(kind);
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
	for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++)
		for (int kind = 0; kind <= FC_KINDS; kind++)
			wrong += one(&shapes[i], kind, file);
	if (file)
		fclose(file);
	return wrong != 0;
}
