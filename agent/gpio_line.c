// SPDX-License-Identifier: MIT
/*
 * gpio_line: requests of single lines through libgpiod 2.
 *
 * Neither labels nor line names are unique by themselves: a second fit is refused with both
 * named, instead of driving the wrong relay. Symbolic links in /dev are passed over in the
 * search (Raspberry Pi OS keeps gpiochip4 as one to gpiochip0 on the Pi 5), but may be given
 * as the chip.
 */
#include "agent/gpio_line.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gpiod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/config.h"
#include "kernels/why.h"

#define CONSUMER "sonde"
/* Edges that the kernel keeps for a late reader; no more are allowed (gpiolib-cdev.c). */
#define EVENTS_KEPT 1024

struct gpio_line {
	struct gpiod_line_request *request;
	unsigned offset;
};

/* Where the search stands. */
struct found {
	struct gpiod_chip *chip;	/* with the line, once there is one */
	unsigned offset;
	bool chip_seen;			/* one with the wanted name or label */
	int denied;			/* -errno of a chip that could not be opened */
};

static bool is_number(const char *s, unsigned *out)
{
	char *end;
	unsigned long v;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	v = strtoul(s, &end, 10);
	if (*end || errno || v > UINT16_MAX)
		return false;
	*out = (unsigned)v;
	return true;
}

static bool chip_fits(const char *wanted, struct gpiod_chip_info *info)
{
	return !*wanted || !strcmp(wanted, gpiod_chip_info_get_name(info)) ||
	       !strcmp(wanted, gpiod_chip_info_get_label(info));
}

/* 0: the line is on this chip; -ENOENT: it is not. An offset counts only where a chip is given. */
static int line_offset(struct gpiod_chip *chip, struct gpiod_chip_info *info,
		       const struct gpio_config *c, unsigned *offset, struct why *why)
{
	int at;

	if (*c->chip && is_number(c->line, offset)) {
		size_t lines = gpiod_chip_info_get_num_lines(info);

		return *offset < lines ? 0 :
		       why_set(why, -EINVAL, "%s has lines 0 to %zu, no line %u",
			       gpiod_chip_info_get_name(info), lines - 1, *offset);
	}
	at = gpiod_chip_get_line_offset_from_name(chip, c->line);
	if (at < 0)
		return -errno;
	*offset = (unsigned)at;
	return 0;
}

/* Look at one chip. 0: go on; -errno ends the search. */
static int look(struct found *f, const char *path, bool given, const struct gpio_config *c,
		struct why *why)
{
	struct gpiod_chip *chip = gpiod_chip_open(path);
	struct gpiod_chip_info *info;
	unsigned offset = 0;
	int err = 0;

	if (!chip) {
		f->denied = errno == EACCES || errno == EPERM ? -errno : f->denied;
		return 0;
	}
	info = gpiod_chip_get_info(chip);
	if (!info || !(given || chip_fits(c->chip, info)))
		goto out;	/* unplugged meanwhile, or another one */
	f->chip_seen = true;
	err = line_offset(chip, info, c, &offset, why);
	if (err) {
		err = err == -EINVAL ? err : 0;
	} else if (f->chip) {
		err = why_set(why, -ENOTUNIQ, "line %s is on %s and on %s: say which chip",
			      c->line, gpiod_chip_get_path(f->chip), path);
	} else {
		f->chip = chip;
		f->offset = offset;
		chip = NULL;
	}
out:
	if (info)
		gpiod_chip_info_free(info);
	if (chip)
		gpiod_chip_close(chip);
	return err;
}

static int look_everywhere(struct found *f, const struct gpio_config *c, struct why *why)
{
	DIR *dev = opendir("/dev");
	struct dirent *e;
	char path[280];
	struct stat st;
	int err = 0;

	if (!dev)
		return why_set(why, -errno, "/dev: %s", strerror(errno));
	while (!err && (e = readdir(dev))) {
		if (strncmp(e->d_name, "gpiochip", 8))
			continue;
		snprintf(path, sizeof path, "/dev/%s", e->d_name);
		if (!lstat(path, &st) && S_ISCHR(st.st_mode))
			err = look(f, path, false, c, why);
	}
	closedir(dev);
	return err;
}

static int not_found(const struct found *f, const struct gpio_config *c, struct why *why)
{
	if (f->chip_seen && *c->chip)
		return why_set(why, -ENOENT, "%s has no line %s", c->chip, c->line);
	if (f->denied)
		return why_set(why, f->denied, "a GPIO chip may not be opened: %s (its group is "
			       "often gpio)", strerror(-f->denied));
	if (!*c->chip)
		return why_set(why, -ENOENT, "no GPIO chip has a line %s", c->line);
	return why_set(why, -ENOENT, "no GPIO chip of name or label %s", c->chip);
}

static int find(struct found *f, const struct gpio_config *c, struct why *why)
{
	char path[sizeof c->chip + 8];
	int err = 0;

	memset(f, 0, sizeof *f);
	snprintf(path, sizeof path, "/dev/%s", c->chip);
	if (*c->chip && !strchr(c->chip, '/') && gpiod_is_gpiochip_device(path))
		err = look(f, path, true, c, why);
	else
		err = look_everywhere(f, c, why);
	if (!err && !f->chip)
		err = not_found(f, c, why);
	if (err && f->chip) {
		gpiod_chip_close(f->chip);
		f->chip = NULL;
	}
	return err;
}

static enum gpiod_line_bias bias_of(const struct gpio_config *c)
{
	switch (c->bias) {
	case GPIO_PULL_UP:
		return GPIOD_LINE_BIAS_PULL_UP;
	case GPIO_PULL_DOWN:
		return GPIOD_LINE_BIAS_PULL_DOWN;
	case GPIO_DISABLED:
		return GPIOD_LINE_BIAS_DISABLED;
	default:
		return GPIOD_LINE_BIAS_AS_IS;
	}
}

static int set_up(struct gpiod_line_settings *s, const struct gpio_config *c, enum gpio_use use)
{
	bool output = use == GPIO_USE_OUTPUT_OFF || use == GPIO_USE_OUTPUT_ON;
	int bad = gpiod_line_settings_set_bias(s, bias_of(c));

	gpiod_line_settings_set_active_low(s, c->active_low);
	if (output) {
		bad |= gpiod_line_settings_set_direction(s, GPIOD_LINE_DIRECTION_OUTPUT);
		bad |= gpiod_line_settings_set_output_value(s, use == GPIO_USE_OUTPUT_ON ?
				GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE);
		return bad;
	}
	bad |= gpiod_line_settings_set_direction(s, GPIOD_LINE_DIRECTION_INPUT);
	bad |= gpiod_line_settings_set_edge_detection(s, use == GPIO_USE_BOTH ?
			GPIOD_LINE_EDGE_BOTH : use == GPIO_USE_RISING ?
			GPIOD_LINE_EDGE_RISING : GPIOD_LINE_EDGE_FALLING);
	bad |= gpiod_line_settings_set_event_clock(s, GPIOD_LINE_CLOCK_MONOTONIC);
	if (c->debounce_s > 0)
		gpiod_line_settings_set_debounce_period_us(s, (unsigned long)
							   (c->debounce_s * 1e6 + 0.5));
	return bad;
}

/* The request itself; NULL with errno. */
static struct gpiod_line_request *ask(const struct found *f, const struct gpio_config *c,
				      enum gpio_use use)
{
	struct gpiod_line_settings *settings = gpiod_line_settings_new();
	struct gpiod_line_config *lines = gpiod_line_config_new();
	struct gpiod_request_config *request = gpiod_request_config_new();
	struct gpiod_line_request *got = NULL;
	int err = ENOMEM;

	if (settings && lines && request) {
		gpiod_request_config_set_consumer(request, CONSUMER);
		gpiod_request_config_set_event_buffer_size(request, EVENTS_KEPT);
		if (!set_up(settings, c, use) &&
		    !gpiod_line_config_add_line_settings(lines, &f->offset, 1, settings))
			got = gpiod_chip_request_lines(f->chip, request, lines);
		err = errno;
	}
	if (request)
		gpiod_request_config_free(request);
	if (lines)
		gpiod_line_config_free(lines);
	if (settings)
		gpiod_line_settings_free(settings);
	errno = err;
	return got;
}

static int refused(const struct found *f, int err, struct why *why)
{
	const char *path = gpiod_chip_get_path(f->chip), *who;
	struct gpiod_line_info *info;

	if (err == -ENXIO)	/* gpiolib-cdev.c, edge_detector_setup */
		return why_set(why, -EOPNOTSUPP, "line %u of %s has no interrupt: its edges can "
			       "not be seen", f->offset, path);
	if (err != -EBUSY)
		return why_set(why, err, "line %u of %s: %s", f->offset, path, strerror(-err));
	info = gpiod_chip_get_line_info(f->chip, f->offset);
	who = info && gpiod_line_info_is_used(info) ? gpiod_line_info_get_consumer(info) : NULL;
	if (who)
		why_set(why, err, "line %u of %s is in use by \"%s\"", f->offset, path, who);
	else
		why_set(why, err, "line %u of %s is in use by one without a name", f->offset, path);
	if (info)
		gpiod_line_info_free(info);
	return err;
}

static void line_release(struct gpio_line *l)
{
	if (!l)
		return;
	gpiod_line_request_release(l->request);
	free(l);
}

static int line_request(struct gpio_line **out, const struct gpio_config *c, enum gpio_use use,
			struct why *why)
{
	struct gpio_line *l;
	struct found f;
	int err, fd;

	*out = NULL;
	err = find(&f, c, why);
	if (err)
		return err;
	l = calloc(1, sizeof *l);
	if (!l) {
		err = why_set(why, -ENOMEM, "no memory for line %s", c->line);
		goto out;
	}
	l->offset = f.offset;
	l->request = ask(&f, c, use);
	if (!l->request) {
		err = refused(&f, -errno, why);
		free(l);
		goto out;
	}
	/* libgpiod hands out a blocking descriptor; io_uring would give each read a worker. */
	fd = gpiod_line_request_get_fd(l->request);
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)) {
		err = why_set(why, -errno, "line %s: %s", c->line, strerror(errno));
		line_release(l);
		goto out;
	}
	*out = l;
out:
	gpiod_chip_close(f.chip);
	return err;
}

static int line_fd(const struct gpio_line *l)
{
	return gpiod_line_request_get_fd(l->request);
}

static int line_get(struct gpio_line *l)
{
	enum gpiod_line_value v = gpiod_line_request_get_value(l->request, l->offset);

	return v == GPIOD_LINE_VALUE_ERROR ? -errno : v == GPIOD_LINE_VALUE_ACTIVE;
}

static int line_set(struct gpio_line *l, bool on)
{
	return gpiod_line_request_set_value(l->request, l->offset,
					    on ? GPIOD_LINE_VALUE_ACTIVE :
					    GPIOD_LINE_VALUE_INACTIVE) ? -errno : 0;
}

static const struct gpio_line_ops libgpiod = {
	.request = line_request,
	.fd = line_fd,
	.get = line_get,
	.set = line_set,
	.release = line_release,
};

const struct gpio_line_ops *gpio_line_ops = &libgpiod;
