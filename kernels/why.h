/* SPDX-License-Identifier: MIT */
/*
 * why: the human reason of an error, carried up beside its number.
 *
 * A function that can fail for a reason a person could mend takes a struct why
 * last and returns 0 or -errno. Nobody prints on the way: only main files do.
 */
#ifndef SONDE_WHY_H
#define SONDE_WHY_H

struct why {
	char text[320];
};

/*
 * Set the reason and return err, so that a failing line reads
 *	return why_set(why, -EINVAL, "tick rate %s: not a frequency", s);
 * why may be NULL. The text is cut at the buffer's end, never overrun.
 */
int why_set(struct why *why, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "context: " before a reason that came up from below; returns err. */
int why_in(struct why *why, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
