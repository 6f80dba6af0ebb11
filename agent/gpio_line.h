/* SPDX-License-Identifier: MIT */
/*
 * gpio_line: one GPIO line that is ours: found, requested from the kernel, read or driven.
 * It lies below agent/dev/ because two sides need it: the sensor (agent/dev/gpio.c) and the
 * alarm's output (agent/actuator.c). libgpiod is behind the table, so that their tests
 * bring a line without a chip.
 *
 * A line is found by its name on any chip, or by name or offset on the chip whose name
 * (gpiochip2) or label is given. All of this may block: a worker's or main's, never the
 * pipeline's.
 */
#ifndef SONDE_GPIO_LINE_H
#define SONDE_GPIO_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct gpio_config;
struct gpio_line;
struct why;

/* What the line is for. Edges are those of the logical level, as active = low turns it round. */
enum gpio_use {
	GPIO_USE_OUTPUT_OFF, GPIO_USE_OUTPUT_ON,	/* and what it shall show from the start */
	GPIO_USE_RISING, GPIO_USE_FALLING, GPIO_USE_BOTH,
};

struct gpio_line_ops {
	/*
	 * -ENOENT, -ENODEV: no such chip or line; -EBUSY: somebody has it, why says who;
	 * -EOPNOTSUPP: the line has no interrupt; -ENOTUNIQ: several fit. An input's events come
	 * from fd(), which is O_NONBLOCK, as struct gpio_v2_line_event with CLOCK_MONOTONIC times.
	 */
	int (*request)(struct gpio_line **out, const struct gpio_config *c, enum gpio_use use,
		       struct why *why);
	int (*fd)(const struct gpio_line *l);
	/* The logical level now: 0, 1 or -errno. */
	int (*get)(struct gpio_line *l);
	/* An output's logical level. */
	int (*set)(struct gpio_line *l, bool on);
	/* NULL is fine. The pin stays as it was until somebody else takes it. */
	void (*release)(struct gpio_line *l);
};

/* The one in use: libgpiod's; a test puts its own here before any thread runs. */
extern const struct gpio_line_ops *gpio_line_ops;

#endif
