/* SPDX-License-Identifier: MIT */
/*
 * dev_fixture: a device on a ring of its own, driven as the keeper drives it: create, open,
 * attach; start at ticks, complete what comes. Its channels begin at 2 of the frame.
 */
#ifndef SONDE_TEST_DEV_FIXTURE_H
#define SONDE_TEST_DEV_FIXTURE_H

#include "agent/config.h"
#include "agent/dev/dev.h"
#include "test/unit/ring_fixture.h"

struct rig {
	struct ring *ring;
	struct dev *dev;
	struct frame frame;
	uint64_t t_ns;			/* simulated: completions carry this time */
};

/* All but the opening. */
static inline void rig_create(struct rig *g, enum ring_kind kind, const struct sensor_config *s)
{
	const struct dev_ops *ops = dev_find(s->kind);
	struct why why = { "" };
	int err;

	CHECK(ops);
	memset(g, 0, sizeof *g);
	g->ring = open_ring(kind, 8, 100);
	g->t_ns = 1000000000;
	frame_init(&g->frame, FRAME_CHANNELS_MAX, 1000 * MS);
	err = ops->create(&g->dev, s, 2, &why);
	if (err)
		fprintf(stderr, "%s\n", why.text);
	CHECK_EQ(err, 0);
}

static inline void rig_open(struct rig *g, enum ring_kind kind, const struct sensor_config *s)
{
	int err;

	rig_create(g, kind, s);
	err = g->dev->ops->open(g->dev);
	if (err)
		fprintf(stderr, "%s\n", g->dev->why.text);
	CHECK_EQ(err, 0);
	CHECK_EQ(g->dev->ops->attach(g->dev, g->ring), 0);
}

static inline void rig_close(struct rig *g)
{
	ring_close(g->ring);
	g->dev->ops->shut(g->dev);
	g->dev->ops->free(g->dev);
}

/* Gone and come again, as the keeper does it with what has no transfer(). */
static inline int rig_reopen(struct rig *g)
{
	int err;

	CHECK_EQ(g->dev->ops->detach(g->dev, g->ring), 0);
	g->dev->ops->shut(g->dev);
	g->dev->gone = false;
	err = g->dev->ops->open(g->dev);
	return err ? err : g->dev->ops->attach(g->dev, g->ring);
}

/* A tick 20 ms on; returns how many reads it asked for. */
static inline unsigned rig_start(struct rig *g)
{
	g->t_ns += 20 * MS;
	return g->dev->ops->start(g->dev, g->ring, g->t_ns);
}

static inline unsigned rig_complete(struct rig *g, const struct ring_event *e)
{
	return g->dev->ops->complete(g->dev, g->ring, e, &g->frame, g->t_ns);
}

/* A tick with all its reads. */
static inline unsigned rig_tick(struct rig *g)
{
	unsigned asked = rig_start(g), pending = asked;

	while (pending) {
		struct ring_event e = next_event(g->ring);

		CHECK_EQ(e.token & 0xffff, 0);
		pending -= rig_complete(g, &e);
	}
	return asked;
}

#endif
