// SPDX-License-Identifier: MIT
/*
 * actuator: what the line should show follows from the alarm and the minimum alone
 * (wanted()); every call brings the line there, or notes why not and when to try
 * again. A failure to read or set means that the chip has gone (gpiolib-cdev.c, linereq_ioctl:
 * -ENODEV): the line is let go of and requested anew.
 */
#include "agent/actuator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config.h"
#include "agent/gpio_line.h"

#define RETRY_MIN_NS 1000000000u
#define RETRY_MAX_NS 30000000000u
/* A relay board that was pulled out should be known of before the alarm that needs it. */
#define LOOK_NS 10000000000u

struct actuator {
	const struct output_config *config;
	struct gpio_line *line;		/* NULL: absent */
	struct actuator_state state;
	uint64_t minimum_ns;
	uint64_t until_ns;		/* on until then, alarm or not */
	uint64_t pause_ns;		/* before the retry after the next one */
	uint64_t due_ns;		/* absent: of the next request; else of the next look, */
	bool timed;			/* when this is set */
};

static bool wanted(const struct actuator *a, uint64_t now_ns)
{
	return a->state.alarm || (a->state.on && now_ns < a->until_ns);
}

static void failed(struct actuator *a, int err)
{
	a->state.errors++;
	a->state.error = err;
	a->state.present = false;
	a->state.on = false;	/* as far as we can tell */
	a->timed = false;
	gpio_line_ops->release(a->line);
	a->line = NULL;
}

static void went_on(struct actuator *a, uint64_t now_ns)
{
	a->state.on = true;
	a->state.on_ns = now_ns;
	a->state.switched++;
	a->until_ns = now_ns + a->minimum_ns;
}

static int request(struct actuator *a, bool on)
{
	int err = gpio_line_ops->request(&a->line, &a->config->gpio,
					 on ? GPIO_USE_OUTPUT_ON : GPIO_USE_OUTPUT_OFF,
					 &a->state.why);

	if (err) {
		a->line = NULL;
		failed(a, err);
		return err;
	}
	a->state.present = true;
	a->state.error = 0;
	a->state.why.text[0] = '\0';
	a->pause_ns = RETRY_MIN_NS;
	a->timed = false;
	return 0;
}

static int drive(struct actuator *a, bool on)
{
	int err = gpio_line_ops->set(a->line, on);

	if (!err)
		return 0;
	why_set(&a->state.why, err, "line %s can not be switched: %s", a->config->gpio.line,
		strerror(-err));
	failed(a, err);
	return err;
}

/* Bring the line where it should be; an absent one is requested. */
static int follow(struct actuator *a, uint64_t now_ns)
{
	bool on = wanted(a, now_ns);
	int err = 0;

	if (a->line && on == a->state.on)
		return 0;
	/* One that fails now may be back under a new request: a chip bound again. */
	if (a->line)
		err = drive(a, on);
	if (!a->line)
		err = request(a, on);
	if (err)
		return err;
	if (on)
		went_on(a, now_ns);
	a->state.on = on;
	return 0;
}

int actuator_open(struct actuator **out, const struct output_config *c, struct why *why)
{
	struct actuator *a;

	*out = NULL;
	if (!*c->gpio.line)
		return why_set(why, -EINVAL, "output %s: no line was given", c->name);
	a = calloc(1, sizeof *a);
	if (!a)
		return why_set(why, -ENOMEM, "no memory for output %s", c->name);
	a->config = c;
	a->minimum_ns = c->minimum_s > 0 ? (uint64_t)(c->minimum_s * 1e9) : 0;
	a->pause_ns = RETRY_MIN_NS;
	request(a, false);
	*out = a;
	return 0;
}

void actuator_close(struct actuator *a)
{
	if (!a)
		return;
	if (a->line)
		gpio_line_ops->set(a->line, false);
	gpio_line_ops->release(a->line);
	free(a);
}

int actuator_alarm(struct actuator *a, bool on, uint64_t now_ns)
{
	if (a->state.alarm == on)
		return a->state.error;
	a->state.alarm = on;
	/* An absent line is asked for at its own rhythm, but a new alarm does not wait for that. */
	if (a->line || on)
		return follow(a, now_ns);
	return a->state.error;
}

/* Is the chip still there? */
static void look(struct actuator *a)
{
	int err = gpio_line_ops->get(a->line);

	if (err >= 0)
		return;
	why_set(&a->state.why, err, "line %s is lost: %s", a->config->gpio.line, strerror(-err));
	failed(a, err);
}

/* When the next retry or look is due: counted from the first tick that sees the need. */
static void schedule(struct actuator *a, uint64_t now_ns)
{
	if (a->timed)
		return;
	a->timed = true;
	if (a->line) {
		a->due_ns = now_ns + LOOK_NS;
		return;
	}
	a->due_ns = now_ns + a->pause_ns;
	a->pause_ns = a->pause_ns > RETRY_MAX_NS / 2 ? RETRY_MAX_NS : 2 * a->pause_ns;
}

uint64_t actuator_tick(struct actuator *a, uint64_t now_ns)
{
	bool due = a->timed && now_ns >= a->due_ns;

	if (a->line && due) {
		a->timed = false;
		look(a);
	}
	if (a->line || due)
		follow(a, now_ns);
	schedule(a, now_ns);
	if (a->state.on && !a->state.alarm && a->until_ns < a->due_ns)
		return a->until_ns;
	return a->due_ns;
}

void actuator_kick(struct actuator *a)
{
	if (a->line)
		return;
	a->pause_ns = RETRY_MIN_NS;
	a->due_ns = 0;
	a->timed = true;
}

void actuator_state(const struct actuator *a, struct actuator_state *out)
{
	*out = a->state;
}
