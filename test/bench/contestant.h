/* SPDX-License-Identifier: MIT */
/*
 * contestant: what a program that takes part in `make bench` says to turns.c, which starts it.
 *
 * It opens all it has, then says on standard output
 *	version TEXT
 *	case SHAPE VARIANT VALUE...	one a line: its index counts from 0
 *	ready
 * where VALUEs are the first outputs of a run that all contestants make: who computes something
 * else is not timed. Each line of standard input is the index of a case; it runs that for about
 * a millisecond and answers with nanoseconds a run. Until then it sleeps, so that one
 * contestant at a time has the core. End of file ends it. Exit 77: not here, and the line
 * "skip REASON". With two arguments it opens that shape and variant only.
 */
#ifndef SONDE_BENCH_CONTESTANT_H
#define SONDE_BENCH_CONTESTANT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONTESTANT_SHOWN 16	/* values of a case */
#define CONTESTANT_TURN_NS 1e6	/* shorter than the scheduler's turns */
#define CONTESTANT_CASES 32

struct contestant_case {
	char shape[16];
	const char *variant;
	/* One run of input i (any i), whose outputs last until the next. */
	const float *(*run)(void *self, unsigned i);
	void *self;
	unsigned runs;		/* of one turn */
};

struct contestant {
	char **only;		/* shape, variant, or NULL */
	char version[64];	/* to be set before contestant_serve */
	unsigned cases;
	struct contestant_case c[CONTESTANT_CASES];
};

static volatile float contestant_sink;

static inline void contestant_open(struct contestant *t, int argc, char **argv)
{
	*t = (struct contestant){ .only = argc == 3 ? argv + 1 : NULL };
}

/* variant NULL: any of them */
static inline bool contestant_wants(const struct contestant *t, const char *shape,
				    const char *variant)
{
	return !t->only || (!strcmp(t->only[0], shape) &&
			     (!variant || !strcmp(t->only[1], variant)));
}

static inline double contestant_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static inline double contestant_time(struct contestant_case *c, unsigned runs)
{
	double begin = contestant_now_ns();

	for (unsigned i = 0; i < runs; i++)
		contestant_sink = *c->run(c->self, i);
	return (contestant_now_ns() - begin) / runs;
}

/*
 * Say what the case computes: outputs after `before` runs from the state it was opened with,
 * at most CONTESTANT_SHOWN of n. Then find how many runs make a turn.
 */
static inline void contestant_add(struct contestant *t, const char *shape, const char *variant,
				  const float *(*run)(void *, unsigned), void *self,
				  unsigned before, unsigned n)
{
	struct contestant_case *c = &t->c[t->cases++];
	const float *out = NULL;
	double ns;

	if (t->cases > CONTESTANT_CASES)
		abort();
	snprintf(c->shape, sizeof c->shape, "%s", shape);
	c->variant = variant;
	c->run = run;
	c->self = self;
	for (unsigned i = 0; i <= before; i++)
		out = run(self, i);
	printf("case %s %s", shape, variant);
	for (unsigned i = 0; i < n && i < CONTESTANT_SHOWN; i++)
		printf(" %.6g", (double)out[i]);
	putchar('\n');
	contestant_time(c, 20);
	ns = contestant_time(c, 20);
	c->runs = ns > 0 && ns < CONTESTANT_TURN_NS ? (unsigned)(CONTESTANT_TURN_NS / ns) : 1;
}

/* A quarter of a turn brings its code and weights back into the caches. */
static inline int contestant_serve(struct contestant *t)
{
	char line[32];

	printf("version %s\nready\n", t->version);
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		unsigned i = (unsigned)strtoul(line, NULL, 10);

		if (i >= t->cases)
			return 2;
		contestant_time(&t->c[i], t->c[i].runs / 4 + 1);
		printf("%.1f\n", contestant_time(&t->c[i], t->c[i].runs));
		fflush(stdout);
	}
	return 0;
}

static inline int contestant_skip(const char *why)
{
	printf("skip %s\n", why);
	return 77;
}

#endif
