/* SPDX-License-Identifier: MIT */
/* dev_serial_fixture: a pty that stands for a sensor on a cable, and the device that reads it. */
#ifndef SONDE_TEST_DEV_SERIAL_FIXTURE_H
#define SONDE_TEST_DEV_SERIAL_FIXTURE_H

#include <asm/termbits.h>
#include <sys/ioctl.h>

#include "agent/part.h"
#include "test/unit/dev_fixture.h"

struct cable {
	char dir[32], link[64];		/* the stable name: a link, as below /dev/serial/by-id */
	int master;
};

static inline void cable_plug(struct cable *c)
{
	unlink(c->link);
	c->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (c->master < 0)
		SKIP_BECAUSE("no pty: %s", strerror(errno));
	CHECK_EQ(grantpt(c->master), 0);
	CHECK_EQ(unlockpt(c->master), 0);
	if (symlink(ptsname(c->master), c->link) || access(c->link, R_OK))
		SKIP_BECAUSE("%s: %s", ptsname(c->master), strerror(errno));
}

/* Also when a check fails. */
static struct cable *cable_left;

static inline void cable_clean(void)
{
	if (!cable_left)
		return;
	unlink(cable_left->link);
	rmdir(cable_left->dir);
	cable_left = NULL;
}

static inline void cable_open(struct cable *c, struct sensor_config *s)
{
	snprintf(c->dir, sizeof c->dir, "/tmp/sonde-serial-XXXXXX");
	CHECK(mkdtemp(c->dir));
	snprintf(c->link, sizeof c->link, "%s/sensor", c->dir);
	cable_left = c;
	atexit(cable_clean);
	snprintf(s->path, sizeof s->path, "%s", c->link);
	cable_plug(c);
}

static inline void cable_unplug(struct cable *c)
{
	close(c->master);
	c->master = -1;
	unlink(c->link);
}

static inline void cable_close(struct cable *c)
{
	if (c->master >= 0)
		cable_unplug(c);
	cable_clean();
}

/* Sent, and all of it taken by the device, in whatever pieces. */
static inline void cable_feed(struct cable *c, struct rig *g, const void *data, unsigned n)
{
	unsigned taken = 0;

	CHECK_EQ(write(c->master, data, n), n);
	while (taken < n) {
		struct ring_event e = next_event(g->ring);

		CHECK_EQ(e.kind, RING_STREAM);
		if (e.res > 0)
			taken += (unsigned)e.res;
		CHECK_EQ(rig_complete(g, &e), 0);
		CHECK(!g->dev->gone);
	}
	CHECK_EQ(taken, n);
}

static inline void cable_say(struct cable *c, struct rig *g, const char *text)
{
	cable_feed(c, g, text, (unsigned)strlen(text));
}

static inline void rig_ticks(struct rig *g, unsigned n)
{
	while (n--) {
		CHECK_EQ(rig_start(g), 0);
		g->dev->ops->tick(g->dev, &g->frame, g->t_ns);
	}
}

/* The master sees the settings of its slave. */
static inline struct termios2 cable_settings(const struct cable *c)
{
	struct termios2 t;

	CHECK_EQ(ioctl(c->master, TCGETS2, &t), 0);
	return t;
}

/* The other end goes: events until the device has seen it. */
static inline void rig_until_gone(struct rig *g)
{
	while (!g->dev->gone) {
		struct ring_event e = next_event(g->ring);

		CHECK_EQ(rig_complete(g, &e), 0);
	}
	CHECK(g->dev->error < 0);
}

#define SLOT(g, i) (&(g)->frame.slot[2 + (i)])

#endif
