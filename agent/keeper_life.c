// SPDX-License-Identifier: MIT
/*
 * keeper_life: how a device is opened, taken out of the ring, shut, and looked for. All
 * that may block is a job in a worker's hands; until its RING_POST the device is not
 * touched, and whatever is to happen to it waits for that.
 *
 * What was good is opened again at once when it has gone; only then the back-off
 * begins, and only a good reading ends it: a file that opens and ends at once is no reason
 * to open it fifty times a second.
 */
#include <errno.h>
#include <limits.h>

#include "agent/config.h"
#include "agent/keeper_impl.h"

static bool submit(struct keeper *k, struct keeper_entry *s, enum worker_job job)
{
	return !k->jobs.submit(k->jobs.user, s->d, job);
}

static void back_off(struct keeper *k, struct keeper_entry *s)
{
	s->retry_ns = k->now_ns + s->pause_ns;
	s->pause_ns = !s->pause_ns ? KEEPER_RETRY_MIN_NS :
		      s->pause_ns > KEEPER_RETRY_MAX_NS / 2 ? KEEPER_RETRY_MAX_NS :
		      2 * s->pause_ns;
}

static bool set_up(struct keeper *k, struct keeper_entry *s)
{
	/* The worker may write to the device from now on. */
	s->d->gone = false;
	s->d->why.text[0] = '\0';
	if (!submit(k, s, WORKER_OPEN))
		return false;
	s->phase = KEEPER_OPENING;
	s->late = false;
	s->asked_ns = k->t_ns;
	s->until_ns = k->now_ns + s->open_ns;
	return true;
}

/*
 * An opening that has passed its own time is no excuse any more. One that was asked for later is
 * behind this one in the queue; but then, with a wait in between, it may come before its end.
 */
bool keeper_life_waits(const struct keeper *k, const struct keeper_entry *s)
{
	for (unsigned i = 0; s->d->ops->transfer && i < k->n; i++) {
		const struct keeper_entry *o = &k->entry[i];

		if (o->bus == s->bus && o->phase == KEEPER_OPENING && !o->late &&
		    (o->asked_ns <= s->asked_ns || s->slow))
			return true;
	}
	return false;
}

/* Somebody's opening had the worker since then: what waited for it has so much more time. */
static void give_time(struct keeper *k, const struct keeper_entry *opened, uint64_t since_ns)
{
	for (unsigned i = 0; i < k->n; i++) {
		struct keeper_entry *s = &k->entry[i];
		uint64_t from = s->asked_ns > since_ns ? s->asked_ns : since_ns;

		if (s->bus == opened->bus && s != opened && s->phase == KEEPER_UP && s->flying &&
		    s->d->ops->transfer && k->now_ns > from)
			s->until_ns += k->now_ns - from;
	}
}

void keeper_life_spend(struct keeper *k, struct keeper_entry *s, uint64_t since_ns)
{
	const int64_t least = -(int64_t)(KEEPER_RETRY_MAX_NS / KEEPER_FAILING_SHARE);
	int64_t most = KEEPER_FAILING_CREDIT_NS;

	if ((int64_t)s->deadline_ns > most / 2)
		most = 2 * (int64_t)s->deadline_ns;
	s->credit_ns += (int64_t)((k->now_ns - s->credit_at_ns) / KEEPER_FAILING_SHARE);
	if (s->credit_ns > most || !s->credit_at_ns)
		s->credit_ns = most;
	s->credit_at_ns = k->now_ns;
	if (since_ns && since_ns < k->now_ns)
		s->credit_ns -= (int64_t)(k->now_ns - since_ns);
	if (s->credit_ns < least)
		s->credit_ns = least;
	if (s->credit_ns < 0)
		s->resume_ns = k->now_ns + (uint64_t)-s->credit_ns * KEEPER_FAILING_SHARE;
}

void keeper_life_leave(struct keeper *k, struct keeper_entry *s, struct ring *r)
{
	const struct dev_ops *ops = s->d->ops;

	s->phase = KEEPER_LEAVING;
	/* A read that is under way is cancelled by this, and its end leads here again. */
	if (ops->detach && ops->detach(s->d, r) == -EBUSY)
		return;
	s->flying = 0;
	if (s->anew)
		set_up(k, s);
	else if (submit(k, s, WORKER_SHUT))
		s->phase = KEEPER_SHUTTING;
}

void keeper_life_absent(struct keeper *k, struct keeper_entry *s, struct ring *r)
{
	s->absent = true;
	s->anew = false;
	keeper_life_leave(k, s, r);
}

void keeper_life_renew(struct keeper *k, struct keeper_entry *s, struct ring *r)
{
	if (s->row < KEEPER_REOPEN_AFTER ||
	    (s->row < s->reopen_at && k->now_ns < s->set_up_ns + KEEPER_REOPEN_NS))
		return;
	if (s->barren < KEEPER_REOPEN_AFTER) {
		if (s->partly_ns && k->now_ns < s->partly_ns + KEEPER_REOPEN_PARTLY_NS)
			return;
		s->partly_ns = k->now_ns;
	}
	if (s->reopen_at < UINT_MAX / 2)
		s->reopen_at *= 2;
	/* The set-up of a bus device is a few writes; a file is better opened again. */
	s->anew = s->d->ops->transfer;
	keeper_life_leave(k, s, r);
}

void keeper_life_kick(struct keeper_entry *s)
{
	if (s->phase == KEEPER_UP)
		return;
	/* What looks for it now may have looked too early. */
	s->kicked = s->phase != KEEPER_DOWN;
	s->retry_ns = s->resume_ns = 0;
	s->pause_ns = KEEPER_RETRY_MIN_NS;
}

/* Does it fail as a transfer does, so that only asking again can tell when that is over? */
static bool of_the_bus(const struct keeper_entry *s, int err)
{
	switch (-err) {
	case EBUSY: case EACCES: case EPERM:
	case EINVAL: case EOPNOTSUPP: case ENOTTY:	/* what the bus or its driver can not do */
		return false;
	default:
		return s->d->ops->transfer;
	}
}

/* It could not be opened. What goes on as it was (not there, somebody else's) is one fault. */
static void refused(struct keeper *k, struct keeper_entry *s, int err)
{
	enum channel_fault fault = keeper_fault_of(err);
	bool again = fault == FAULT_ABSENT ? s->absent
					   : err == s->refused && !of_the_bus(s, err);

	s->absent = fault == FAULT_ABSENT;
	s->refused = err;
	s->anew = false;
	if (!again && !s->late)
		keeper_count_fault(k, s, s->absent ? CHANNEL_ABSENT : CHANNEL_FAULTY, fault, err);
	s->late = false;
}

static void look_again(struct keeper *k, struct keeper_entry *s)
{
	if (!s->absent && of_the_bus(s, s->refused))
		s->retry_ns = s->asked_ns + s->period_ns;
	else
		back_off(k, s);
	if (s->kicked)
		s->retry_ns = 0;
	s->kicked = false;
}

static void opened(struct keeper *k, struct keeper_entry *s, struct ring *r)
{
	int err = s->d->ops->attach ? s->d->ops->attach(s->d, r) : 0;

	if (err < 0) {
		refused(k, s, err);
		keeper_life_leave(k, s, r);
		return;
	}
	for (unsigned i = 0; i < s->d->channels && (s->absent || !s->opened); i++)
		frame_probe(k->frame, s->d->first_channel + i);
	if (!s->anew)
		s->begun = false;
	s->phase = KEEPER_UP;
	s->opened = true;
	s->absent = s->kicked = s->late = s->anew = false;
	s->refused = 0;
	s->row = 0;
	s->d->error = 0;
	/* Of an opening that succeeded it is a remark: polled, not buffered; one of two. */
	s->told.why = s->d->why;
	s->d->why.text[0] = '\0';
	s->told.opened++;
	/* Until something is asked for it comes by itself. */
	s->told.path = s->d->ops->transfer ? DEV_PATH_BUS : DEV_PATH_POLL;
	s->heard_ns = s->set_up_ns = k->now_ns;
	keeper_set_times(k, s);
	/* An edge may have gone by meanwhile, and a line that stays high gives no second one. */
	s->wanted = true;
	if (keeper_read(k, s, r, 0) && s->d->config->part)
		s->countdown = s->every;	/* it may not be asked more often */
}

void keeper_life_post(struct keeper *k, struct keeper_entry *s, struct ring *r,
		      const struct ring_event *e)
{
	bool shut = s->phase == KEEPER_SHUTTING;

	s->phase = KEEPER_DOWN;
	if (!shut)
		give_time(k, s, e->t_ns);
	if (shut && !s->absent && !s->refused) {
		s->retry_ns = 0;
		if (k->now_ns >= s->resume_ns)
			set_up(k, s);
	} else if (shut) {
		look_again(k, s);
	} else if (e->res >= 0) {
		opened(k, s, r);
	} else {
		keeper_life_spend(k, s, e->t_ns);
		refused(k, s, e->res);
		look_again(k, s);
	}
}

void keeper_life_tick(struct keeper *k, struct keeper_entry *s, struct ring *r)
{
	switch (s->phase) {
	case KEEPER_DOWN:
		if (k->now_ns >= s->retry_ns && k->now_ns >= s->resume_ns)
			set_up(k, s);
		break;
	case KEEPER_OPENING:
		if (s->late || k->now_ns < s->until_ns)
			break;
		s->late = true;
		keeper_count_fault(k, s, CHANNEL_FAULTY, FAULT_TIMEOUT, -ETIMEDOUT);
		break;
	case KEEPER_LEAVING:
		keeper_life_leave(k, s, r);
		break;
	case KEEPER_UP:
	case KEEPER_SHUTTING:
		break;
	}
}
