// SPDX-License-Identifier: MIT
/*
 * uevent: on libudev, whose monitor also speaks the kernel's own multicast group. Whether
 * there is a udev is asked of /run/udev/control, as libudev itself does
 * for its callers: a subscription to a silent udev would never say anything.
 */
#include "agent/uevent.h"

#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/why.h"

struct uevent {
	struct udev *udev;
	struct udev_monitor *monitor;
	const char *source;
};

/* Of the thousands that a busy machine has: what a sensor may hang on. */
static const char *const subsystems[] = {
	"i2c", "i2c-dev", "spi", "spidev", "gpio", "hwmon", "thermal", "w1", "tty", "usb-serial",
	"misc", "cuse", "platform",
};

static bool matters(struct udev_device *d)
{
	const char *action = udev_device_get_action(d), *subsystem = udev_device_get_subsystem(d);

	if (!action || !subsystem ||
	    (strcmp(action, "add") && strcmp(action, "bind") && strcmp(action, "change")))
		return false;
	/* Our own triggers are IIO devices as well, and no news. */
	if (!strcmp(subsystem, "iio"))
		return !strncmp(udev_device_get_sysname(d), "iio:device", 10);
	for (unsigned i = 0; i < sizeof subsystems / sizeof *subsystems; i++)
		if (!strcmp(subsystem, subsystems[i]))
			return true;
	return false;
}

int uevent_open(struct uevent **out, struct why *why)
{
	struct uevent *u = calloc(1, sizeof *u);
	int err;

	*out = NULL;
	if (!u)
		return why_set(why, -ENOMEM, "no memory for the udev monitor");
	u->source = access("/run/udev/control", F_OK) ? "kernel" : "udev";
	u->udev = udev_new();
	if (u->udev)
		u->monitor = udev_monitor_new_from_netlink(u->udev, u->source);
	if (!u->monitor) {
		err = errno ? -errno : -ENOMEM;
		uevent_close(u);
		return why_set(why, err, "no device events from the kernel: %s", strerror(-err));
	}
	/* A burst (a hub with twenty devices) must not be lost: it is only memory. */
	udev_monitor_set_receive_buffer_size(u->monitor, 1 << 20);
	err = udev_monitor_enable_receiving(u->monitor);
	if (err < 0) {
		uevent_close(u);
		return why_set(why, err, "no device events from %s: %s", u->source, strerror(-err));
	}
	*out = u;
	return 0;
}

void uevent_close(struct uevent *u)
{
	if (!u)
		return;
	if (u->monitor)
		udev_monitor_unref(u->monitor);
	if (u->udev)
		udev_unref(u->udev);
	free(u);
}

int uevent_fd(const struct uevent *u)
{
	return udev_monitor_get_fd(u->monitor);
}

bool uevent_news(struct uevent *u)
{
	struct udev_device *d;
	bool news = false;

	/* The monitor's socket does not block: NULL is the end of what has come. */
	for (;;) {
		errno = 0;
		d = udev_monitor_receive_device(u->monitor);
		if (!d && errno == ENOBUFS)
			news = true;	/* some were lost: any of them may have been ours */
		if (!d)
			return news;
		news |= matters(d);
		udev_device_unref(d);
	}
}

const char *uevent_source(const struct uevent *u)
{
	return u->source;
}
