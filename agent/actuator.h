/* SPDX-License-Identifier: MIT */
/*
 * actuator: a GPIO line that is driven while an alarm is on: relay, LED, buzzer. Main's: setting
 * a line behind an I2C expander may block, so the pipeline's thread only reports
 * the alarm and main drives the line.
 *
 * It goes on with the alarm and stays on for the minimum at least, so that nobody misses
 * a short alarm and no relay chatters. A chip that is not there is looked for again and
 * again; one that comes back during an alarm is driven at once, an alarm that has passed
 * meanwhile is not made up for.
 */
#ifndef SONDE_ACTUATOR_H
#define SONDE_ACTUATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/why.h"

struct actuator;
struct output_config;

struct actuator_state {
	bool present;		/* the line is ours */
	bool alarm;		/* as last told */
	bool on;		/* driven active now */
	uint64_t on_ns;		/* CLOCK_MONOTONIC when it last went on; 0: never */
	uint64_t switched;	/* times it went on */
	uint64_t errors;	/* failed requests and failed switching */
	int error;		/* -errno of the last failure; 0 when present */
	struct why why;		/* in words */
};

/*
 * c must outlive it. Takes the line, off. A chip or line that is absent, busy or forbidden is no
 * error but a state; -EINVAL: nothing was said that a line could be found by; -ENOMEM.
 */
int actuator_open(struct actuator **out, const struct output_config *c, struct why *why);

/* Drives the line off and lets go of it. NULL is fine. */
void actuator_close(struct actuator *a);

/*
 * The alarm is on or off. Returns 0 or the -errno that kept the line from following; it is
 * tried again by actuator_tick, which wants a call after this one: its next time may have changed.
 */
int actuator_alarm(struct actuator *a, bool on, uint64_t now_ns);

/*
 * Do what is due at now_ns (CLOCK_MONOTONIC): the end of the minimum, a retry, a look
 * whether the chip is still there. Returns the time when it wants to be called next (0: none).
 */
uint64_t actuator_tick(struct actuator *a, uint64_t now_ns);

/* Something was plugged in: what is absent is looked for at the next actuator_tick. */
void actuator_kick(struct actuator *a);

void actuator_state(const struct actuator *a, struct actuator_state *out);

#endif
