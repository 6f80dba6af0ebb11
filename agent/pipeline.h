/* SPDX-License-Identifier: MIT */
/*
 * pipeline: the step. The same function under the daemon, replay, the tests, the
 * benchmark and the fuzzers: a frame goes in, a verdict comes out, and there is
 * no clock, no I/O, no allocation and no log in it.
 */
#ifndef SONDE_PIPELINE_H
#define SONDE_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/frame.h"
#include "agent/verdict.h"
#include "kernels/detector.h"

struct model;
struct pipeline_config;
struct shadow;
struct why;

/*
 * A model made ready for one pipeline: its channels matched by name, its
 * detector open, its limit computed. Made and freed by main; used by one thread.
 */
struct pipeline_model {
	struct model *model;		/* owned */
	struct detector *detector;	/* owned */
	enum fc_kind kind;
	struct verdict_config verdict;
	unsigned channel[FRAME_CHANNELS_MAX];	/* model channel -> pipeline channel */
	char path[256];
	uint64_t generation;	/* from 1; two of the same are one model under two limits */
	struct limit_state known;	/* what its limit had learned before; rungs 0: nothing */
	uint64_t key;		/* of the scores' scale: a limit under another means nothing here */
	unsigned follow_ticks;	/* between two steps of re-baselining; 0: off */
	float follow_rate;	/* of such a step */
	struct shadow *shadow;	/* owned; NULL: none */
};

/*
 * Takes over *model only on success; a general one is expanded to c's channels in any case.
 * -EINVAL when a channel is missing or the rate differs by more than 1 %.
 */
int pipeline_model_open(struct pipeline_model **out, struct model *model,
			const struct pipeline_config *c, enum fc_kind kind,
			struct why *why);
void pipeline_model_close(struct pipeline_model *pm);

struct pipeline {
	struct frame frame;
	struct pipeline_model *model;	/* NULL: no scores yet */
	struct verdict verdict;
	uint64_t tick;
	float value[FRAME_CHANNELS_MAX];
	uint8_t valid[FRAME_CHANNELS_MAX];
	float contribution[FRAME_CHANNELS_MAX];	/* pipeline order, parts of the score */
	bool held;		/* by the owner: a throttle; judge, but learn nothing */
	unsigned since_follow;	/* sound ticks since the last step of re-baselining */
};

struct pipeline_result {
	uint64_t tick, t_ns;
	float score, limit;
	bool scored, alarm;
	enum verdict_trust trust;
	enum verdict_change change;
};

void pipeline_init(struct pipeline *p, unsigned channels, uint64_t stale_ns);

/* Does pm bring the running model new limits only? Then a swap goes on with what it knows. */
bool pipeline_continues(const struct pipeline *p, const struct pipeline_model *pm);

/* Put a model in place (NULL: none); returns the one that was there. */
struct pipeline_model *pipeline_swap(struct pipeline *p, struct pipeline_model *pm);

/* Close the frame as of t_ns, score it, judge it. */
void pipeline_step(struct pipeline *p, uint64_t t_ns, struct pipeline_result *r);

/*
 * What pm says of the tick that was closed last, by a verdict of its own: the part of the step
 * that a shadow has as well. r->tick is set; the rest of r, but t_ns, is set here. Returns the
 * contribution of each of the model's channels, the detector's own until its next step.
 */
const float *pipeline_judge(const struct pipeline *p, const struct pipeline_model *pm,
			    struct verdict *v, unsigned *since_follow, struct pipeline_result *r);

/* verdict_departed, in the pipeline's channel numbers. */
unsigned pipeline_departed(const struct pipeline *p, unsigned *channel, unsigned max);

#endif
