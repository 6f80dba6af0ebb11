// SPDX-License-Identifier: MIT
/*
 * shadow: beside the live model it changes no bit of what that says; a twin of the live one
 * agrees with it in everything; one under another limit is counted by itself; what is skipped
 * is counted as such; it is re-baselined as the live one is; new limits do not end a
 * comparison, another model does; and a tick of it allocates nothing. The correlation is checked against the two-pass formula.
 */
#include "agent/shadow.h"

#include <sys/resource.h>

#include "bpf/stats.h"
#include "test/unit/pipeline_fixture.h"

#define TICKS 1500

static unsigned long allocations;

#ifndef SONDE_SANITIZED
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void *malloc(size_t n) { allocations++; return __libc_malloc(n); }
void *calloc(size_t n, size_t s) { allocations++; return __libc_calloc(n, s); }
void *realloc(void *p, size_t n) { allocations++; return __libc_realloc(p, n); }
void *aligned_alloc(size_t a, size_t n) { allocations++; return __libc_memalign(a, n); }
#endif

static struct pipeline_model *live_of(const struct pipeline_config *c, uint64_t generation)
{
	struct pipeline_model *pm;

	CHECK_EQ(pipeline_model_open(&pm, fixture_model(50), c, FC_XNN, NULL), 0);
	pm->generation = generation;
	return pm;
}

static struct shadow *shadow_of(const struct pipeline_config *c, uint64_t generation)
{
	struct shadow *s;

	CHECK_EQ(shadow_open(&s, fixture_model(50), c, generation, NULL), 0);
	return s;
}

/* Two departures in it; every 100th tick of the shadow is late. */
static int departed(unsigned i)
{
	return (i >= 600 && i < 700) || (i >= 1000 && i < 1100) ? 2 : -1;
}

struct run {
	float live[TICKS], shadow[TICKS];
	bool judged[TICKS];
	unsigned alarms;
	struct sonde_shadow page;
};

/* c: of the live one; of: of the shadow, or NULL for none. */
static struct run *run(const struct pipeline_config *c, const struct pipeline_config *of, bool late)
{
	struct run *run = calloc(1, sizeof *run);
	struct pipeline_model *pm = live_of(c, 1);
	static struct pipeline p;
	struct pipeline_result r;

	CHECK(run);
	pm->shadow = of ? shadow_of(of, 1) : NULL;
	pipeline_init(&p, FIXTURE_CHANNELS, 1000000000);
	pipeline_swap(&p, pm);
	for (unsigned i = 0; i < TICKS; i++) {
		bool skip = late && i % 100 == 50;

		fixture_tick(&p, i + 1, departed(i), &r);
		if (pm->shadow)
			shadow_step(pm->shadow, &p, &r, skip);
		shadow_publish(pm->shadow, &run->page);
		run->live[i] = r.score;
		run->shadow[i] = run->page.score;
		run->judged[i] = r.scored && !skip;
		run->alarms += r.change == VERDICT_ALARM;
	}
	pipeline_model_close(pm);
	return run;
}

static double two_pass(const struct run *r, double *mean_live, double *mean_shadow, unsigned *n)
{
	double xx = 0, yy = 0, xy = 0, x = 0, y = 0;

	*n = 0;
	for (unsigned i = 0; i < TICKS; i++)
		if (r->judged[i]) {
			x += r->live[i];
			y += r->shadow[i];
			++*n;
		}
	*mean_live = x /= *n;
	*mean_shadow = y /= *n;
	for (unsigned i = 0; i < TICKS; i++)
		if (r->judged[i]) {
			xx += (r->live[i] - x) * (r->live[i] - x);
			yy += (r->shadow[i] - y) * (r->shadow[i] - y);
			xy += (r->live[i] - x) * (r->shadow[i] - y);
		}
	return xy / sqrt(xx * yy);
}

static unsigned over(const struct run *r, const float *score, float limit)
{
	unsigned n = 0;

	for (unsigned i = 0; i < TICKS; i++)
		n += r->judged[i] && score[i] > limit;
	return n;
}

static void compares(void)
{
	struct pipeline_config *c = fixture_config(50), *lax = fixture_config(50);
	struct run *alone = run(c, NULL, false), *twin = run(c, c, false), *other, *late;
	double mean_live, mean_shadow, expected;
	unsigned n;

	CHECK_EQ(alone->page.on, 0);
	CHECK_EQ(alone->page.ticks, 0);
	CHECK_EQ(alone->alarms, 2);

	/* The live one does not notice. */
	CHECK(!memcmp(alone->live, twin->live, sizeof alone->live));
	CHECK_EQ(twin->alarms, 2);

	CHECK_EQ(twin->page.on, 1);
	CHECK(!memcmp(twin->live, twin->shadow, sizeof twin->live));
	CHECK_NEAR(twin->page.correlation, 1, 1e-6);
	CHECK_EQ(twin->page.alarms_live, 2);
	CHECK_EQ(twin->page.alarms_shadow, 2);
	CHECK_EQ(twin->page.over_live, over(twin, twin->live, twin->page.limit));
	CHECK(twin->page.over_live > 50);
	CHECK_EQ(twin->page.over_shadow, twin->page.over_live);
	CHECK_EQ(twin->page.over_both, twin->page.over_live);
	CHECK_EQ(twin->page.skipped, 0);
	two_pass(twin, &mean_live, &mean_shadow, &n);
	CHECK_EQ(twin->page.ticks, n);

	/* So strict that a single alarm lasts: other figures, of one side only. */
	lax->false_alarms_per_day = 1e6;
	lax->alarm_k = lax->alarm_n = 1;
	lax->clear_s = 100;
	other = run(c, lax, false);
	CHECK(!memcmp(alone->live, other->live, sizeof alone->live));
	CHECK_EQ(other->page.alarms_live, 2);
	CHECK_EQ(other->page.alarms_shadow, 1);
	CHECK_EQ(other->page.alarm, 1);
	CHECK(other->page.limit < twin->page.limit);
	CHECK_EQ(other->page.over_live, twin->page.over_live);
	CHECK_EQ(other->page.over_shadow, over(other, other->shadow, other->page.limit));
	CHECK(other->page.over_shadow > other->page.over_live);
	CHECK_EQ(other->page.over_both, other->page.over_live);

	/* Rows that it did not see: another past, other scores, and that is counted. */
	late = run(c, c, true);
	CHECK(!memcmp(alone->live, late->live, sizeof alone->live));
	CHECK_EQ(late->page.skipped, TICKS / 100);
	expected = two_pass(late, &mean_live, &mean_shadow, &n);
	CHECK(late->page.ticks <= n && late->page.ticks >= n - 2);
	CHECK(expected < 0.99999);
	CHECK_NEAR(late->page.correlation, expected, 2e-3);
	CHECK_NEAR(late->page.mean_live, mean_live, 0.01 * mean_live);
	CHECK_NEAR(late->page.mean_shadow, mean_shadow, 0.01 * mean_shadow);
	CHECK_EQ(late->page.alarms_live, 2);
	free(alone);
	free(twin);
	free(other);
	free(late);
	fixture_free(c);
	fixture_free(lax);
}

/* What is normal follows in both: a twin stays a twin. */
static void rebaselines(void)
{
	struct pipeline_config *c = fixture_config(50);
	struct run *off = run(c, c, false), *on;

	c->rebaseline_s = 10;		/* a configuration has to say a day */
	on = run(c, c, false);
	CHECK(memcmp(on->live, off->live, sizeof on->live));
	CHECK(!memcmp(on->live, on->shadow, sizeof on->live));
	free(off);
	free(on);
	fixture_free(c);
}

/* Alarms of both are counted from when both judge, also on ticks that one of them skips. */
static void counts_what_it_skips(void)
{
	struct pipeline_config *c = fixture_config(50);
	struct pipeline_model *pm = live_of(c, 1);
	static struct pipeline p;
	struct pipeline_result r;
	struct sonde_shadow page;
	uint64_t ticks;
	unsigned i = 0;

	pm->shadow = shadow_of(c, 1);
	pipeline_init(&p, FIXTURE_CHANNELS, 1000000000);
	pipeline_swap(&p, pm);
	for (; i < 500; i++) {
		fixture_tick(&p, i + 1, i > 300 ? 1 : -1, &r);
		shadow_step(pm->shadow, &p, &r, true);
	}
	shadow_publish(pm->shadow, &page);
	CHECK(r.alarm);
	CHECK_EQ(page.alarms_live, 0);
	CHECK_EQ(page.skipped, 500);
	CHECK_EQ(page.ticks, 0);
	CHECK(page.correlation == 0);
	for (; i < 1000; i++) {
		fixture_tick(&p, i + 1, -1, &r);
		shadow_step(pm->shadow, &p, &r, false);
	}
	CHECK(!r.alarm);
	for (; i < 1200; i++) {
		fixture_tick(&p, i + 1, 1, &r);
		shadow_step(pm->shadow, &p, &r, true);
	}
	/* A live model that is not ready has no score to compare with. */
	shadow_publish(pm->shadow, &page);
	ticks = page.ticks;
	CHECK(ticks > 400);
	fixture_tick(&p, ++i, -1, &r);
	r.scored = false;
	shadow_step(pm->shadow, &p, &r, false);
	shadow_publish(pm->shadow, &page);
	CHECK_EQ(page.ticks, ticks);
	CHECK_EQ(page.alarms_live, 1);
	CHECK_EQ(page.alarms_shadow, 0);
	CHECK_EQ(page.skipped, 700);
	pipeline_model_close(pm);
	fixture_free(c);
}

static void step(struct pipeline *p, unsigned *i, unsigned n)
{
	struct pipeline_result r;

	for (unsigned end = *i + n; *i < end; ++*i) {
		fixture_tick(p, *i, -1, &r);
		if (p->model->shadow)
			shadow_step(p->model->shadow, p, &r, false);
	}
}

static void put(struct pipeline *p, const struct pipeline_config *c, uint64_t live, uint64_t shadow)
{
	struct pipeline_model *pm = live_of(c, live);

	if (shadow)
		pm->shadow = shadow_of(c, shadow);
	pipeline_model_close(pipeline_swap(p, pm));
}

static void goes_on(void)
{
	struct pipeline_config *c = fixture_config(50);
	struct sonde_shadow before, page;
	static struct pipeline p;
	unsigned i = 1;

	pipeline_init(&p, FIXTURE_CHANNELS, 1000000000);
	put(&p, c, 1, 1);
	step(&p, &i, 300);
	shadow_publish(p.model->shadow, &before);
	CHECK(before.ticks > 200);

	/* The same two under another budget: no tick is lost, the limit is the new one. */
	c->false_alarms_per_day = 100;
	put(&p, c, 1, 1);
	step(&p, &i, 100);
	shadow_publish(p.model->shadow, &page);
	CHECK_EQ(page.ticks, before.ticks + 100);
	CHECK(page.limit < before.limit);

	/* Another shadow of the same live model; none; another live model. */
	put(&p, c, 1, 2);
	step(&p, &i, 10);
	shadow_publish(p.model->shadow, &page);
	CHECK_EQ(page.generation, 2);
	CHECK(page.ticks < 10);
	put(&p, c, 1, 0);
	CHECK(!p.model->shadow);
	step(&p, &i, 10);
	put(&p, c, 1, 2);
	step(&p, &i, 300);
	shadow_publish(p.model->shadow, &page);
	CHECK(page.ticks > 200 && page.ticks < 300);
	put(&p, c, 2, 2);
	step(&p, &i, 10);
	shadow_publish(p.model->shadow, &page);
	CHECK(page.ticks < 10);
	pipeline_model_close(p.model);
	fixture_free(c);
}

static void refuses(void)
{
	struct pipeline_config *c = fixture_config(50);
	struct model *m = fixture_model(75);
	struct shadow *s = (struct shadow *)1;
	struct why why;

	CHECK(shadow_open(&s, m, c, 1, &why) < 0);
	CHECK(!s);
	CHECK(strstr(why.text, "75 ticks a second"));
	model_free(m);		/* stayed ours */
	shadow_close(NULL);
	fixture_free(c);
}

static void costs_nothing(void)
{
	struct pipeline_config *c = fixture_config(50);
	static struct pipeline p;
	struct sonde_shadow page;
	struct rusage before, after;
	unsigned long allocated;
	unsigned i = 1;

	pipeline_init(&p, FIXTURE_CHANNELS, 1000000000);
	put(&p, c, 1, 1);
	step(&p, &i, 200);
	shadow_publish(p.model->shadow, &page);
#ifndef SONDE_SANITIZED
	CHECK(allocations > 0);		/* the counter counts */
#endif
	allocated = allocations;
	getrusage(RUSAGE_THREAD, &before);
	step(&p, &i, 50000);
	shadow_publish(p.model->shadow, &page);
	getrusage(RUSAGE_THREAD, &after);
	CHECK_EQ(allocations, allocated);
#ifndef SONDE_SANITIZED
	CHECK_EQ(after.ru_minflt + after.ru_majflt, before.ru_minflt + before.ru_majflt);
#endif
	CHECK(page.ticks > 50000);
	pipeline_model_close(p.model);
	fixture_free(c);
}

int main(void)
{
	compares();
	counts_what_it_skips();
	rebaselines();
	goes_on();
	refuses();
	costs_nothing();
	return 0;
}
