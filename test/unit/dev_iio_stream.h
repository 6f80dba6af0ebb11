/* SPDX-License-Identifier: MIT */
/* dev_iio_stream: scans of the made magnetometer, written into its FIFO as its driver would. */
#ifndef SONDE_TEST_DEV_IIO_STREAM_H
#define SONDE_TEST_DEV_IIO_STREAM_H

#include "agent/dev/iio.h"
#include "test/unit/dev_iio_made.h"

#define SCAN 16		/* x, z, temperature, 2 bytes of padding, the timestamp */

static struct channel_config channels[5];
static int writer;

static inline struct sensor_config begin(double rate_hz)
{
	made_magn();
	/* Not in the order of the scan; the second and third are features of one thing. */
	channels[0] = made_channel("temp");
	channels[1] = made_channel("magn_z");
	channels[2] = made_channel("magn_z");
	channels[3] = made_channel("magn_x");
	channels[4] = made_channel("magn_x");
	channels[4].scaled = channels[4].shifted = true;
	channels[4].scale = 2;
	channels[4].offset = 1;
	return made_sensor(channels, 5, rate_hz, "auto");
}

static inline void rig(struct rig *g, enum ring_kind kind, const struct sensor_config *s)
{
	rig_open(g, kind, s);
	CHECK_EQ(iio_path(g->dev), DEV_PATH_POLL);
	writer = open(tree_path("/dev/iio:device0"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	CHECK(writer >= 0);
	CHECK_EQ(rig_start(g), 0);
}

static inline void unrig(struct rig *g)
{
	close(writer);
	rig_close(g);
}

static inline void make_scan(uint8_t *p, int x, int z, int temp, uint64_t t_ns)
{
	memset(p, 0xee, SCAN);
	p[0] = (uint8_t)(x >> 8);
	p[1] = (uint8_t)x;
	p[2] = (uint8_t)(z >> 8);
	p[3] = (uint8_t)z;
	/* Twelve bits above four that say something else. */
	p[4] = (uint8_t)((unsigned)temp << 4 | 0xf);
	p[5] = (uint8_t)(temp >> 4);
	for (unsigned i = 0; i < 8; i++)
		p[8 + i] = (uint8_t)(t_ns >> 8 * i);
}

static inline void send(const void *data, unsigned n)
{
	CHECK_EQ(write(writer, data, n), n);
}

/* Events until so many bytes were taken in. */
static inline void take(struct rig *g, uint64_t bytes)
{
	while (g->dev->bytes < bytes) {
		struct ring_event e = next_event(g->ring);

		CHECK_EQ(e.kind, RING_STREAM);
		CHECK_EQ(rig_complete(g, &e), 0);
	}
	CHECK_EQ(g->dev->bytes, bytes);
}

/* One scan of x that carries the time t_ns, now. */
static inline void one(struct rig *g, int x, uint64_t t_ns)
{
	uint8_t s[SCAN];

	make_scan(s, x, 0, 0, t_ns);
	send(s, SCAN);
	take(g, g->dev->bytes + SCAN);
}

/* What the stream would say, without its saying it. */
static inline struct ring_event event(struct rig *g, int res, const void *data, bool more)
{
	return (struct ring_event){
		.kind = RING_STREAM, .res = res, .more = more, .data = data,
		.token = DEV_TOKEN(g->dev, 0),
	};
}

#endif
