// SPDX-License-Identifier: MIT
/*
 * iio_trigger: what starts each scan. A trigger that was named; else, with a rate, an
 * hrtimer trigger of our own, made through configfs and named after the sensor; else the
 * one that is attached, or the device's data-ready trigger. A device without a trigger
 * directory has a clock of its own.
 *
 * current_trigger takes any name without an error and detaches when nobody is called so
 * (drivers/iio/industrialio-trigger.c, current_trigger's store): it is read back.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/dev/iio_impl.h"
#include "kernels/why.h"

#define CONFIGFS "/sys/kernel/config"
#define HRTIMERS CONFIGFS "/iio/triggers/hrtimer"
#define MODULE "iio-trig-hrtimer"
#define RATES_MAX 1024

/* ---- rates */

/* The device's own rate: where the attribute may stand depends on what shares it. */
static bool rate_attribute(const struct iio *d, const char *what, char *name, size_t size)
{
	const struct sensor_config *s = d->dev.config;

	for (unsigned n = 0; iio_attribute(name, size, s->channel[0].attribute, what, n); n++)
		if (find_has(d->found.dir, name))
			return true;
	return false;
}

static int device_rate(const struct iio *d, double *hz)
{
	char name[FIND_TEXT_MAX], text[FIND_TEXT_MAX];
	int err;

	if (!rate_attribute(d, "sampling_frequency", name, sizeof name))
		return -ENOENT;
	err = find_read(d->found.dir, name, text, sizeof text);
	return err < 0 ? err : iio_number(text, hz);
}

/* The least rate the device has that is not below the configured one. */
static int set_device_rate(const struct iio *d)
{
	char name[FIND_TEXT_MAX], there[FIND_TEXT_MAX], list[RATES_MAX], text[FIND_TEXT_MAX];
	double hz = d->dev.config->rate_hz;

	if (!rate_attribute(d, "sampling_frequency", name, sizeof name))
		return -ENOENT;
	if (!rate_attribute(d, "sampling_frequency_available", there, sizeof there) ||
	    find_read(d->found.dir, there, list, sizeof list) < 0 ||
	    iio_rate_choose(list, hz, text, sizeof text))
		iio_rate_text(hz, text, sizeof text);
	return find_write(d->found.dir, name, text);
}

/* No trigger: scans come as the device measures. */
static int own_clock(struct iio *d)
{
	struct why *why = &d->dev.why;
	double hz;
	int err = d->dev.config->rate_hz > 0 ? set_device_rate(d) : 0;

	if (err)
		return why_set(why, err == -ENOENT ? -EINVAL : err, "%s: rate = %g Hz can not be "
			       "set: %s", d->found.name, d->dev.config->rate_hz,
			       err == -ENOENT ? "its driver has no sampling_frequency"
					      : strerror(-err));
	if (!device_rate(d, &hz) && hz >= IIO_RATE_MIN && hz <= IIO_RATE_MAX)
		d->period_ns = (uint64_t)(1e9 / hz);
	return 0;
}

/* ---- the hrtimer trigger */

/* modprobe is no child of a real-time thread's, and takes no signals for it. */
static void load_module(void)
{
	static const char *const places[] = { "/sbin/modprobe", "/usr/sbin/modprobe" };
	char *argv[] = { "modprobe", "-q", MODULE, NULL }, *envp[] = { NULL };
	const struct sched_param normal = { .sched_priority = 0 };
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid;
	int err = -1;

	if (posix_spawnattr_init(&attr))
		return;
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setschedpolicy(&attr, SCHED_OTHER);
	posix_spawnattr_setschedparam(&attr, &normal);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSCHEDULER);
	for (unsigned i = 0; i < sizeof places / sizeof *places && err; i++)
		err = posix_spawn(&pid, places[i], NULL, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	while (!err && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* The real machine only, and once: a made tree is as it is. */
static void prepare_kernel(struct iio *d)
{
	if (*d->root || d->module_tried)
		return;
	d->module_tried = true;
	load_module();
	if (access(CONFIGFS "/iio", F_OK))
		mount("configfs", CONFIGFS, "configfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static int make_directory(struct iio *d, const char *path)
{
	/* One that a crash left behind is ours all the same. */
	if (!mkdir(path, 0755) || errno == EEXIST)
		return 0;
	if (errno == ENOENT) {
		prepare_kernel(d);
		if (!mkdir(path, 0755) || errno == EEXIST)
			return 0;
	}
	return -errno;
}

static int make_hrtimer(struct iio *d, struct found *trigger)
{
	const struct sensor_config *s = d->dev.config;
	struct why *why = &d->dev.why;
	char name[FIND_TEXT_MAX], rate[32];
	int err;

	snprintf(name, sizeof name, "sonde-%s", s->name);
	if (snprintf(d->own_trigger, sizeof d->own_trigger, "%s" HRTIMERS "/%s", d->root, name) >=
	    (int)sizeof d->own_trigger) {
		d->own_trigger[0] = '\0';
		return why_set(why, -ENAMETOOLONG, "%s: no trigger of this name", name);
	}
	err = make_directory(d, d->own_trigger);
	if (err) {
		d->own_trigger[0] = '\0';
		return why_set(why, err, "no hrtimer trigger for rate = %g Hz: %s%s", s->rate_hz,
			       err == -ENOENT ? "no module " MODULE ", or no configfs"
					      : "mkdir in " HRTIMERS ": ",
			       err == -ENOENT ? "" : strerror(-err));
	}
	err = find_device(FIND_TRIGGER, d->root, name, trigger, why);
	if (err)
		return why_in(why, err, "the trigger was made and did not appear");
	iio_rate_text(s->rate_hz, rate, sizeof rate);
	err = find_write(trigger->dir, "sampling_frequency", rate);
	/* Before Linux 5.13 it was a whole number (iio-trig-hrtimer.c). */
	if (err == -EINVAL) {
		snprintf(rate, sizeof rate, "%.0f", s->rate_hz < 1 ? 1 : s->rate_hz);
		err = find_write(trigger->dir, "sampling_frequency", rate);
	}
	if (err)
		return why_set(why, err, "trigger %s: rate = %s Hz: %s", name, rate,
			       strerror(-err));
	return 0;
}

static void hrtimer_period(struct iio *d, const struct found *trigger)
{
	char text[FIND_TEXT_MAX];
	double hz;

	if (find_read(trigger->dir, "sampling_frequency", text, sizeof text) > 0 &&
	    !iio_number(text, &hz) && hz >= IIO_RATE_MIN && hz <= IIO_RATE_MAX) {
		d->period_ns = (uint64_t)(1e9 / hz);
		d->grid = *d->own_trigger;
	}
}

/* ---- choosing and attaching */

static int current(const struct iio *d, char *name, size_t size)
{
	return find_read(d->found.dir, "trigger/current_trigger", name, size);
}

static int attach(struct iio *d, const char *name)
{
	char now[FIND_TEXT_MAX];
	int err;

	if (current(d, now, sizeof now) > 0 && !strcmp(now, name))
		return 0;
	err = find_write(d->found.dir, "trigger/current_trigger", name);
	if (!err && (current(d, now, sizeof now) < 0 || strcmp(now, name)))
		err = -EINVAL;
	if (err)
		return why_set(&d->dev.why, err, "%s does not take trigger %s: %s", d->found.name,
			       name, err == -EINVAL ? "its driver refuses it" : strerror(-err));
	return 0;
}

/* The rate of somebody else's trigger, or of the device that is its own trigger. */
static int rate_of_named(struct iio *d, const struct found *trigger)
{
	char rate[32];
	int err = -ENOENT;

	if (d->dev.config->rate_hz > 0) {
		iio_rate_text(d->dev.config->rate_hz, rate, sizeof rate);
		err = find_has(trigger->dir, "sampling_frequency")
			      ? find_write(trigger->dir, "sampling_frequency", rate)
			      : set_device_rate(d);
		if (err)
			return why_set(&d->dev.why, err == -ENOENT ? -EINVAL : err, "rate = %s Hz: "
				       "neither trigger %s nor %s can be set to it%s%s", rate,
				       trigger->name, d->found.name, err == -ENOENT ? "" : ": ",
				       err == -ENOENT ? "" : strerror(-err));
	}
	hrtimer_period(d, trigger);
	return 0;
}

static int find_trigger(struct iio *d, struct found *trigger)
{
	const struct sensor_config *s = d->dev.config;
	char name[FIND_TEXT_MAX];

	if (*s->trigger_name)
		return find_device(FIND_TRIGGER, d->root, s->trigger_name, trigger, &d->dev.why);
	if (current(d, name, sizeof name) > 0)
		return find_device(FIND_TRIGGER, d->root, name, trigger, &d->dev.why);
	return find_beside(FIND_TRIGGER, d->root, d->found.dir, trigger);
}

/* A device that measures more seldom than it is asked repeats itself. */
static void hurry(const struct iio *d, struct why *remark)
{
	double want = d->dev.config->rate_hz, hz;

	if (device_rate(d, &hz) || hz >= want)
		return;
	set_device_rate(d);
	if (!device_rate(d, &hz) && hz < want * 0.999)
		why_set(remark, 0, "%s measures %g times a second: values repeat", d->found.name,
			hz);
}

int iio_trigger_set(struct iio *d, struct why *remark)
{
	const struct sensor_config *s = d->dev.config;
	char path[FIND_PATH_MAX];
	struct found trigger;
	int err;

	d->period_ns = 0;
	d->grid = false;
	if (!find_has(d->found.dir, "trigger"))
		return own_clock(d);
	if (s->rate_hz > 0 && !*s->trigger_name) {
		err = make_hrtimer(d, &trigger);
		if (!err) {
			hurry(d, remark);
			hrtimer_period(d, &trigger);
		}
	} else {
		err = find_trigger(d, &trigger);
		if (err && !*s->trigger_name)
			return why_set(&d->dev.why, -EINVAL, "%s has nothing that starts its "
				       "scans: say \"rate = 50 Hz\", or trigger_name",
				       d->found.name);
		if (!err)
			err = rate_of_named(d, &trigger);
	}
	if (!err)
		err = attach(d, trigger.name);
	if (err)
		return err;
	iio_below(d, "trigger/current_trigger", path);
	if (*d->own_trigger)
		d->trigger_fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	return 0;
}

void iio_trigger_drop(struct iio *d)
{
	bool held = false;

	/*
	 * No trigger is called "": this detaches. It fails when the device is going, and the
	 * kernel may still stop its buffer, and with it our trigger: one removed then is
	 * used after it was freed (iio_disable_all_buffers, hrtimer's set_state). So it stays, and
	 * the next open takes it up again.
	 */
	if (d->trigger_fd >= 0) {
		held = pwrite(d->trigger_fd, "\n", 1, 0) < 0;
		close(d->trigger_fd);
	}
	d->trigger_fd = -1;
	if (*d->own_trigger && !held)
		rmdir(d->own_trigger);
	d->own_trigger[0] = '\0';
}
