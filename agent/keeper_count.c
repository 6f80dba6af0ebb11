// SPDX-License-Identifier: MIT
/*
 * keeper_count: what a reading was worth. A device's faults are counted once: those of
 * a value (out of range, too fast, stuck, not a number) channel by channel, those of the
 * transfer (a NAK, a checksum, too few bytes) once a reading, though they fail all of
 * its channels. Who calls frame_fail, a kind or the keeper, makes no difference: it
 * is the slots' counters that are compared with what they were.
 */
#include <errno.h>
#include <string.h>

#include "agent/config.h"
#include "agent/keeper_impl.h"

#define SECOND 1000000000ull

enum channel_fault keeper_fault_of(int err)
{
	switch (-err) {
	case ETIMEDOUT: case ETIME:
		return FAULT_TIMEOUT;
	case EBUSY:
		return FAULT_BUSY;
	case ENOENT: case ENODEV: case ENXIO: case ESHUTDOWN:
		return FAULT_ABSENT;
	case EBADMSG:
		return FAULT_CRC;
	case ENODATA:
		return FAULT_SHORT;
	case ENOBUFS:
		return FAULT_LOST;
	default:
		return FAULT_BUS;
	}
}

static bool of_a_value(unsigned fault)
{
	return fault == FAULT_RANGE || fault == FAULT_RATE || fault == FAULT_STUCK ||
	       fault == FAULT_NAN;
}

static struct channel_slot *slot(const struct keeper *k, const struct keeper_entry *s, unsigned i)
{
	return &k->frame->slot[s->d->first_channel + i];
}

/* What the channels have counted since the cursors; the most samples of a channel. */
static uint64_t compare(struct keeper *k, struct keeper_entry *s, uint64_t add[FAULT_KINDS],
			unsigned *channel)
{
	uint64_t samples = 0;

	for (unsigned i = 0; i < s->d->channels; i++) {
		const struct channel_slot *c = slot(k, s, i);
		struct keeper_cursor *was = &s->cursor[i];

		if (c->samples - was->samples > samples)
			samples = c->samples - was->samples;
		was->samples = c->samples;
		for (unsigned f = 1; f < FAULT_KINDS; f++) {
			uint32_t n = c->faults[f] - was->faults[f];

			was->faults[f] = c->faults[f];
			if (!n)
				continue;
			*channel = i;
			if (of_a_value(f))
				add[f] += n;
			else if (n > add[f])
				add[f] = n;
		}
	}
	return samples;
}

/* The samples that came since; the worst fault of them, and in *channel whose. */
static uint64_t absorb(struct keeper *k, struct keeper_entry *s, enum channel_fault *worst,
		       unsigned *channel)
{
	uint64_t add[FAULT_KINDS] = { 0 }, samples = compare(k, s, add, channel);

	*worst = FAULT_NONE;
	for (unsigned f = 1; f < FAULT_KINDS; f++) {
		s->told.faults[f] += add[f];
		/* What was lost on the way does not make wrong what came. */
		if (add[f] && f != FAULT_LOST)
			*worst = f;
	}
	if (!samples)
		return 0;
	s->told.reads += samples;
	s->told.good_ns = s->heard_ns = k->now_ns;
	if (s->base_ns)
		s->counted += samples;
	else
		s->base_ns = k->now_ns;
	return samples;
}

static void explain(struct keeper *k, struct keeper_entry *s, enum channel_fault fault, int err,
		    const char *whose)
{
	const char *text = err ? strerrordesc_np(-err) : NULL;

	s->told.fault = fault;
	s->told.error = err ? err : s->d->error;
	/* In a worker's hands it is not to be looked at. */
	if (err && !keeper_away(k, s->d->token) && *s->d->why.text)
		s->told.why = s->d->why;
	else
		why_set(&s->told.why, 0, "%s%s%s%s%s", whose ? whose : "", whose ? ": " : "",
			channel_fault_name(fault), text ? ": " : "", text ? text : "");
}

static void failed(struct keeper *k, struct keeper_entry *s, enum channel_fault fault, int err,
		   const char *whose)
{
	explain(k, s, fault, err, whose);
	s->told.errors++;
	/* One that was mute and now talks nonsense has come back without its registers. */
	if (s->mute && !err) {
		s->row = 0;
		s->reopen_at = KEEPER_REOPEN_AFTER;
	}
	s->mute = err != 0;
	s->row++;
	s->barren++;
	/* Triggered or not, it is asked again at its rhythm until it is well. */
	s->bad = s->wanted = true;
}

static void good(struct keeper_entry *s)
{
	if (s->bad && s->was_good)
		s->told.recovered++;
	s->bad = s->wanted = false;
	s->was_good = true;
	s->row = s->barren = 0;
	s->reopen_at = KEEPER_REOPEN_AFTER;
	s->pause_ns = 0;
	/* Its debt is of a fault that is over. */
	s->resume_ns = 0;
	if (s->credit_ns < 0)
		s->credit_ns = 0;
}

/* Fail all channels; what they count of it is the device's own doing, and no fault of theirs. */
static void fail_channels(struct keeper *k, struct keeper_entry *s, enum channel_state state,
			  enum channel_fault fault)
{
	uint64_t add[FAULT_KINDS] = { 0 };
	unsigned channel;

	for (unsigned i = 0; i < s->d->channels; i++)
		frame_fail(k->frame, s->d->first_channel + i, state, fault);
	compare(k, s, add, &channel);
}

void keeper_count_fault(struct keeper *k, struct keeper_entry *s, enum channel_state state,
			enum channel_fault fault, int err)
{
	enum channel_fault worst;
	unsigned channel;

	absorb(k, s, &worst, &channel);
	s->told.faults[fault]++;
	fail_channels(k, s, state, fault);
	failed(k, s, fault, err, NULL);
}

bool keeper_count(struct keeper *k, struct keeper_entry *s, int err)
{
	enum channel_fault worst;
	unsigned channel = 0;
	uint64_t samples = absorb(k, s, &worst, &channel);

	if (worst != FAULT_NONE) {
		failed(k, s, worst, err, err ? NULL : s->d->config->channel[channel].name);
		if (samples)
			s->barren = 0;
		return true;
	}
	if (err) {
		worst = keeper_fault_of(err);
		s->told.faults[worst]++;
		fail_channels(k, s, worst == FAULT_ABSENT ? CHANNEL_ABSENT : CHANNEL_FAULTY, worst);
		failed(k, s, worst, err, NULL);
		return true;
	}
	if (samples)
		good(s);
	return false;
}

/*
 * Over whole intervals between readings, so that it does not depend on how these and the
 * windows fall together. While nothing comes it can only be lower.
 */
void keeper_count_rate(struct keeper_entry *s, uint64_t t_ns)
{
	uint64_t last = s->told.good_ns;
	double most;

	if (!last || t_ns < s->window_ns)
		return;
	s->window_ns = t_ns + (4 * s->period_ns > SECOND ? 4 * s->period_ns : SECOND);
	if (s->counted && s->base_ns && last > s->base_ns) {
		s->told.rate_hz = (float)(s->counted * 1e9 / (last - s->base_ns));
	} else if (t_ns > last) {
		most = 1e9 / (t_ns - last);
		if (s->told.rate_hz > most)
			s->told.rate_hz = (float)most;
	}
	if (s->counted) {
		s->base_ns = last;
		s->counted = 0;
	}
}

/* Of what is up: its channels tell. The order is that of how much there is to be done. */
static enum channel_state state_of_channels(const struct keeper *k, const struct keeper_entry *s,
					    enum channel_fault *fault)
{
	static const uint8_t weight[] = {
		[CHANNEL_LIVE] = 0, [CHANNEL_PROBING] = 1, [CHANNEL_ABSENT] = 1,
		[CHANNEL_STALE] = 2, [CHANNEL_FAULTY] = 3,
	};
	enum channel_state worst = CHANNEL_LIVE;

	for (unsigned i = 0; i < s->d->channels; i++) {
		const struct channel_slot *c = slot(k, s, i);

		if (weight[c->state] <= weight[worst])
			continue;
		worst = c->state == CHANNEL_ABSENT ? CHANNEL_PROBING : c->state;
		*fault = worst == CHANNEL_FAULTY ? c->fault : FAULT_NONE;
	}
	return worst;
}

void keeper_device(const struct keeper *k, unsigned device, struct keeper_device *out)
{
	const struct keeper_entry *s = &k->entry[device];

	*out = s->told;
	if (s->absent) {
		out->state = CHANNEL_ABSENT;
		out->fault = FAULT_ABSENT;
	} else if (s->phase == KEEPER_UP && s->d->channels) {
		out->fault = FAULT_NONE;
		out->state = state_of_channels(k, s, &out->fault);
	} else if (s->bad) {
		out->state = CHANNEL_FAULTY;	/* out->fault is the last one's */
	} else if (s->phase == KEEPER_UP) {
		out->state = CHANNEL_LIVE;	/* a source of edges: it has no channels */
		out->fault = FAULT_NONE;
	} else {
		out->state = s->phase == KEEPER_DOWN ? CHANNEL_ABSENT : CHANNEL_PROBING;
		out->fault = FAULT_NONE;
	}
}
