/* SPDX-License-Identifier: MIT */
/* compress_fixture: a recording on which a net gains a lot, for prune, distill and search. */
#ifndef SONDE_TEST_COMPRESS_FIXTURE_H
#define SONDE_TEST_COMPRESS_FIXTURE_H

#include <unistd.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/table.h"
#include "models/train/draft.h"
#include "models/train/fit.h"
#include "models/train/random.h"
#include "test/test.h"

#define N 2
#define ROWS 1200

static struct random chance = { 9 };

/* Two channels, one a parabola of its own last value. */
static inline struct table *recording(void)
{
	struct table *t = calloc(1, sizeof(*t));
	float v = 0.3f;

	CHECK(t);
	t->rows = ROWS;
	t->channels = N;
	t->name = calloc(N, sizeof(*t->name));
	t->value = calloc(ROWS * N, sizeof(*t->value));
	CHECK(t->name && t->value);
	strcpy(t->name[0], "bend");
	strcpy(t->name[1], "wave");
	memset(t->sha256, 'a', 64);
	for (unsigned k = 0; k < ROWS; k++) {
		v = 1 - 1.8f * v * v + 1e-3f * random_uniform(&chance);
		t->value[k * N] = v;
		t->value[k * N + 1] = sinf(0.3f * (float)k) + 0.3f * random_uniform(&chance);
	}
	return t;
}

static inline void drop(struct table *t)
{
	free(t->name);
	free(t->value);
	free(t);
}

static inline void fit(struct draft *d, const struct table *t, enum recurrent_kind net,
		       unsigned hidden)
{
	struct fit_options o = { .net = net, .hidden = hidden, .features = 2, .degree = 1,
				 .seed = 1, .confidence = 0.95, .window = 6,
				 .learn = { .epochs = 60, .threads = 1 } };
	struct fit_report r;
	struct why why = { "" };
	int err;

	*d = (struct draft){ 0 };
	d->m.rate_hz = 1;
	strcpy(d->m.name, "test");
	draft_stamp(d);
	err = fit_table(d, t, &o, &r, &why);
	if (err)
		fprintf(stderr, "%s\n", why.text);
	CHECK(!err);
	free(r.learn.curve);
}

/* It can be written, read, and passes its own self-test. */
static inline void usable(const struct draft *d)
{
	char path[] = "/tmp/sonde-compress-XXXXXX";
	int fd = mkstemp(path);
	struct why why = { "" };
	struct detector *det;
	struct model *m;

	CHECK(fd >= 0);
	close(fd);
	if (model_save(&d->m, path, &why))
		fprintf(stderr, "%s\n", why.text);
	CHECK(!model_load(&m, path, &why));
	CHECK(!model_detector(&det, m, FC_REF, &why));
	CHECK(m->test_score[m->test_rows - 1] > 0);
	detector_close(det);
	model_free(m);
	unlink(path);
}

#endif
