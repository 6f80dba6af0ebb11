/* SPDX-License-Identifier: MIT */
/*
 * shadow: a second model that judges the same frames as the live one, after it, and raises
 * no alarm. What it would have done stands on the stats page beside what the live one
 * did, so that a model can be watched for a week before it is trusted. It belongs to the
 * live model's struct pipeline_model and goes wherever that goes: no crossing of its own.
 */
#ifndef SONDE_SHADOW_H
#define SONDE_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

struct model;
struct pipeline;
struct pipeline_config;
struct pipeline_result;
struct shadow;
struct sonde_shadow;
struct why;

/*
 * Takes over *model only on success; judged under c's own limits. Errors as
 * pipeline_model_open. Main makes and frees it, one thread uses it.
 */
int shadow_open(struct shadow **out, struct model *model, const struct pipeline_config *c,
		uint64_t generation, struct why *why);
void shadow_close(struct shadow *s);

/*
 * The live model stays under new limits: when its shadow is of the same generation, what that
 * has seen and counted goes on in *fresh, and *old is left with the rest.
 */
void shadow_continue(struct shadow **fresh, struct shadow **old);

/*
 * After pipeline_step of the same tick. Allocates nothing, calls nothing. skip: the tick is late
 * already; its row is then missing from the shadow's past, as a missed tick is from the
 * live one's.
 */
void shadow_step(struct shadow *s, const struct pipeline *p, const struct pipeline_result *live,
		 bool skip);

/* For the page; s NULL: no shadow, all zero. */
void shadow_publish(const struct shadow *s, struct sonde_shadow *out);

/* What computes it, for people: enum fc_kind of its operators. */
int shadow_kind(const struct shadow *s);

#endif
