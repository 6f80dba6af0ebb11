/* SPDX-License-Identifier: MIT */
/* dev_gpio_fake: a GPIO line without a chip; its events go through a socket. */
#ifndef SONDE_TEST_DEV_GPIO_FAKE_H
#define SONDE_TEST_DEV_GPIO_FAKE_H

#include <errno.h>
#include <linux/gpio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/gpio_line.h"
#include "kernels/why.h"
#include "test/test.h"

/* The one line there is; struct gpio_line is nothing but its address. */
static struct fake {
	int refuse;			/* -errno of requests */
	unsigned busy;			/* so many more requests find it taken */
	int broken;			/* -errno of get and set: unplugged */
	bool level;			/* at the pin, logical */
	unsigned requests, sets, releases;
	enum gpio_use use;
	int fd[2];			/* ours, the driver's side */
	bool held;
} fake;

static inline int fake_request(struct gpio_line **out, const struct gpio_config *c,
			       enum gpio_use use, struct why *why)
{
	*out = NULL;
	fake.requests++;
	if (fake.busy) {
		fake.busy--;
		return why_set(why, -EBUSY, "fake: busy");
	}
	if (fake.refuse)
		return why_set(why, fake.refuse, "fake: %s", strerror(-fake.refuse));
	CHECK(!fake.held);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fake.fd), 0);
	fake.held = true;
	fake.use = use;
	if (use == GPIO_USE_OUTPUT_OFF || use == GPIO_USE_OUTPUT_ON)
		fake.level = use == GPIO_USE_OUTPUT_ON;
	*out = (struct gpio_line *)&fake;
	return 0;
}

static inline int fake_fd(const struct gpio_line *l)
{
	return fake.fd[0];
}

static inline int fake_get(struct gpio_line *l)
{
	return fake.broken ? fake.broken : fake.level;
}

static inline int fake_set(struct gpio_line *l, bool on)
{
	CHECK(fake.held);
	if (fake.broken)
		return fake.broken;
	fake.sets++;
	fake.level = on;
	return 0;
}

static inline void fake_release(struct gpio_line *l)
{
	if (!l)
		return;
	CHECK(fake.held);
	fake.held = false;
	fake.releases++;
	close(fake.fd[0]);
	close(fake.fd[1]);
}

static inline void fake_install(void)
{
	static const struct gpio_line_ops ops = {
		.request = fake_request, .fd = fake_fd, .get = fake_get, .set = fake_set,
		.release = fake_release,
	};

	memset(&fake, 0, sizeof fake);
	gpio_line_ops = &ops;
}

#endif
