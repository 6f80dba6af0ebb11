// SPDX-License-Identifier: MIT
/*
 * cost_target: how long a piece of each sort of work takes, here and on the boards.
 *
 * The boards' coefficients are instructions over instructions a nanosecond. Instructions were
 * counted on AArch64 without the int8 dot product, of an LSTM step of 64 units with 8 inputs:
 * 7600 in its dense part (18432 multiply-adds), 3400 in its cells, 30000 with the dense part as
 * a float loop; loops over floats have about as many as vectors of four need. Instructions a
 * nanosecond are clock times a cautious guess of how many retire a cycle: Cortex-A53 at
 * 1.2 GHz (in order, half-width vectors), Cortex-A72 at 1.5 GHz, Cortex-A76 at 2.4 GHz, of which
 * the last has the dot product. Take them for right within a factor of two.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/fc.h"
#include "kernels/gate.h"
#include "kernels/log.h"
#include "kernels/why.h"
#include "models/train/cost.h"

#define MAC_INT8 (7600 / 18432.0)
#define MAC_F32 (26600 / 18432.0)
#define UNIT (3400 / 64.0)
#define LOG 8.0
#define ELEMENT 1.5
#define BRANCH 60.0
#define RUN 150.0
#define DOT 3.0		/* times fewer instructions with the dot product */

#define BOARD(per_ns, dot)                                                              \
	{ MAC_INT8 / (dot) / (per_ns), MAC_F32 / (per_ns), UNIT / (per_ns), LOG / (per_ns), \
	  ELEMENT / (per_ns), BRANCH / (per_ns), RUN / (per_ns) }

static const struct cost_target boards[] = {
	{ "pi3", "Raspberry Pi 3", false, BOARD(1.2 * 0.7, 1) },
	{ "pi4", "Raspberry Pi 4", false, BOARD(1.5 * 1.3, 1) },
	{ "pi5", "Raspberry Pi 5", false, BOARD(2.4 * 2.2, DOT) },
};

const struct cost_target *cost_target(const char *name)
{
	for (unsigned k = 0; k < sizeof(boards) / sizeof(boards[0]); k++)
		if (!strcmp(boards[k].name, name))
			return &boards[k];
	return NULL;
}

#define SIDE 128u	/* of the operators that are timed */
#define TURNS 7u
#define TURN_NS 1.5e6

struct probe {
	struct fc *small_int8, *int8, *f32;
	float v[6][4 * SIDE];
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void run_int8(struct probe *p)
{
	fc_run(p->int8);
}

static void run_small(struct probe *p)
{
	fc_put(p->small_int8, 0, p->v[4], 16, 1);
	fc_run(p->small_int8);
}

static void run_f32(struct probe *p)
{
	fc_run(p->f32);
}

static void run_cells(struct probe *p)
{
	gate_step(SIDE, p->v[0], p->v[1], p->v[2]);
}

static void run_log(struct probe *p)
{
	log_v(p->v[3], p->v[4], SIDE);
}

/* As subspace.c and detector.c go over their vectors. */
static void run_elements(struct probe *p)
{
	for (unsigned i = 0; i < 4 * SIDE; i++) {
		float e = fabsf(p->v[4][i] - p->v[5][i]) * 0.5f;

		e = e < 20 ? e : 20;
		p->v[3][i] += 0.25f * (e - p->v[3][i]);
	}
}

/* Validity decided a channel at a time. */
static void run_branches(struct probe *p)
{
	for (unsigned i = 0; i < SIDE; i++) {
		volatile float *v = &p->v[3][i];
		float x = p->v[4][i];

		if (isfinite(x) && x < 1e12f)
			*v = (x - p->v[5][i]) * 0.5f;
		else
			*v += p->v[5][i] / x;
		*v = *v > 1e12f ? 1e12f : *v < -1e12f ? -1e12f : *v;
	}
}

/* One call, the least of some turns: what others did to the machine meanwhile only adds. */
static double time_of(void (*run)(struct probe *p), struct probe *p)
{
	double least = INFINITY, took;
	unsigned calls = 16;

	for (;;) {
		double begin = now_ns();

		for (unsigned k = 0; k < calls; k++)
			run(p);
		took = now_ns() - begin;
		if (took > TURN_NS || calls > 1u << 24)
			break;
		calls *= 2;
	}
	for (unsigned turn = 0; turn < TURNS; turn++) {
		double begin = now_ns();

		for (unsigned k = 0; k < calls; k++)
			run(p);
		took = now_ns() - begin;
		least = took < least ? took : least;
	}
	return least / calls;
}

static int probe_open(struct probe *p, int8_t *weight, float *f32, struct why *why)
{
	struct fc_spec s = { .in = SIDE, .out = SIDE, .weight = weight, .scale = p->v[5],
			     .bias = p->v[5] };
	int err;

	for (unsigned k = 0; k < SIDE * SIDE; k++) {
		weight[k] = (int8_t)(k * 37 % 255 - 127);
		f32[k] = (float)weight[k] / 127;
	}
	for (unsigned i = 0; i < 4 * SIDE; i++) {
		p->v[4][i] = 1 + (float)(i * 29 % 64) / 16;
		p->v[5][i] = 1 + (float)(i * 17 % 64) / 64;
	}
	err = fc_open(&p->int8, &s, FC_XNN, why);
	if (!err) {
		s.in = s.out = 16;
		err = fc_open(&p->small_int8, &s, FC_XNN, why);
	}
	if (!err) {
		s = (struct fc_spec){ .in = SIDE, .out = SIDE, .weight_f32 = f32, .bias = p->v[5] };
		err = fc_open(&p->f32, &s, FC_XNN, why);
	}
	return err;
}

int cost_measure(struct cost_target *out, struct why *why)
{
	struct probe *p = calloc(1, sizeof(*p));
	int8_t *weight = malloc(SIDE * SIDE);
	float *f32 = malloc(SIDE * SIDE * sizeof(*f32));
	int err = p && weight && f32 ? probe_open(p, weight, f32, why) :
				       why_set(why, -ENOMEM, "out of memory");
	double small;

	*out = (struct cost_target){ .name = "this", .title = "this machine", .measured = true };
	if (err)
		goto out;
	small = time_of(run_small, p);
	out->ns[COST_MAC_INT8] = time_of(run_int8, p) / (SIDE * SIDE);
	out->ns[COST_RUN] = fmax(small - 256 * out->ns[COST_MAC_INT8], 0);
	out->ns[COST_MAC_F32] = time_of(run_f32, p) / (SIDE * SIDE);
	out->ns[COST_UNIT] = time_of(run_cells, p) / SIDE;
	out->ns[COST_LOG] = time_of(run_log, p) / SIDE;
	out->ns[COST_ELEMENT] = time_of(run_elements, p) / (4 * SIDE);
	out->ns[COST_BRANCH] = 4 * time_of(run_branches, p) / SIDE;
out:
	if (p) {
		fc_close(p->int8);
		fc_close(p->small_int8);
		fc_close(p->f32);
	}
	free(p);
	free(weight);
	free(f32);
	return err;
}
