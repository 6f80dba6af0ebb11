/* SPDX-License-Identifier: MIT */
/* dev_part_fixture: a sensor without a file: its part from lines, all of its channels. */
#ifndef SONDE_TEST_DEV_PART_FIXTURE_H
#define SONDE_TEST_DEV_PART_FIXTURE_H

#include <errno.h>
#include <stdint.h>

#include "agent/config.h"
#include "agent/dev/dev.h"
#include "agent/part.h"
#include "kernels/why.h"
#include "test/test.h"

#define US 1000u
#ifndef MS			/* ring_fixture.h has it too */
#define MS 1000000u
#endif

struct sensor {
	struct part part;
	struct sensor_config config;
	struct channel_config channel[PART_CHANNELS_MAX];
};

/* All the part's channels, in order. */
static inline void sensor_channels(struct sensor *s)
{
	for (unsigned i = 0; i < s->part.channels; i++) {
		struct channel_config *c = &s->channel[i];

		memset(c, 0, sizeof *c);
		snprintf(c->name, sizeof c->name, "x.%.28s", s->part.channel[i].name);
		c->part_channel = (int)i;
		c->scale = 1;
	}
	s->config.part = &s->part;
	s->config.channel = s->channel;
	s->config.channels = s->part.channels;
	s->config.every = 1;
	s->config.address = s->part.addresses ? s->part.address[0] : 0;
}

/* lines: "key = value\n..." */
static inline void sensor_of(struct sensor *s, const char *kind, const char *bus, const char *lines)
{
	char key[64], value[256];
	struct why why = { "" };
	int n;

	memset(s, 0, sizeof *s);
	part_init(&s->part, "test");
	CHECK_EQ(part_key(&s->part, "kind", kind, &why), 0);
	for (; sscanf(lines, " %63[^ =] = %255[^\n]%n", key, value, &n) == 2; lines += n)
		if (part_key(&s->part, key, value, &why)) {
			fprintf(stderr, "%s = %s: %s\n", key, value, why.text);
			exit(1);
		}
	if (part_check(&s->part, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	snprintf(s->config.name, sizeof s->config.name, "x");
	snprintf(s->config.kind, sizeof s->config.kind, "%s", kind);
	snprintf(s->config.bus, sizeof s->config.bus, "%s", bus);
	sensor_channels(s);
}

static inline void has(const char *text, const char *word)
{
	if (strstr(text, word))
		return;
	fprintf(stderr, "\"%s\" does not say \"%s\"\n", text, word);
	exit(1);
}

/* The end of a transfer, as the keeper passes it on. */
static inline unsigned settle(struct dev *d, struct frame *f, int res, uint64_t now_ns)
{
	struct ring_event e = { .kind = RING_POST, .res = res, .token = d->token };

	return d->ops->complete(d, NULL, &e, f, now_ns);
}

#endif
