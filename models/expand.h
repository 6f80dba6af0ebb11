/* SPDX-License-Identifier: MIT */
/*
 * expand: a general model made into one of the channels at hand. A general model has one
 * channel, "*": what is usual of any channel, counted in the deviations that the detector
 * measures of each by itself (spec.online). Each channel gets a copy of it, none sees another.
 */
#ifndef SONDE_EXPAND_H
#define SONDE_EXPAND_H

#include <stdbool.h>

struct model;
struct why;

#define EXPAND_NAME "*"
#define EXPAND_CHANNELS_MAX 256u	/* the forecast's matrix grows by squares, and is all zeros */

bool model_is_general(const struct model *m);

/*
 * In place, where m is general; any other m stays as it is. name[channels] are copied; rate_hz
 * becomes the model's. Channels are measured over `online` rows, at least the model's own. The
 * self-test becomes one of all channels, which FC_REF has passed. model_free gives back everything.
 *
 * The score's tail is that of one channel, narrowed towards its mean by channels^-1/4: halfway
 * between channels that all move alike (no narrower) and channels that have nothing to do with each
 * other (^-1/2). The limit that follows the achieved rate (agent/limit.h) does the rest.
 *
 * -EINVAL: too many channels, or a model with parts that can not be copied per channel.
 * -EBADMSG: FC_REF fails m's own self-test. On an error m is as before.
 */
int model_expand(struct model *m, const char *const *name, unsigned channels, double rate_hz,
		 unsigned online, struct why *why);

#endif
