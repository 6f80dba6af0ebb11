/* SPDX-License-Identifier: MIT */
/*
 * serial_line: lines of text out of a stream of bytes, and the fields of a line: NMEA
 * sentences, or whatever a microcontroller prints. Pure functions over untrusted bytes.
 *
 * A line ends with CR, LF or both. A field ends with a comma, or, in a line that has no
 * comma, with white space; the first has number 0. The number in a field begins it, or, in
 * a field that begins with a word, stands behind its "=" or ":"; a unit may follow.
 */
#ifndef SONDE_SERIAL_LINE_H
#define SONDE_SERIAL_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define SERIAL_LINE_MAX 256

enum serial_line_result {
	SERIAL_LINE_MORE,	/* all bytes were taken */
	SERIAL_LINE_WHOLE,	/* l->text[l->have] is one, without its end; until the next call */
	SERIAL_LINE_LONG,	/* one is longer than SERIAL_LINE_MAX and will be dropped */
	SERIAL_LINE_GARBAGE,	/* one had bytes that no text has; dropped */
};

struct serial_line {
	char text[SERIAL_LINE_MAX];
	unsigned have;
	bool skip;		/* the rest of the line is of no use */
	bool garbage, taken;
};

/* We came in the middle of a line, or bytes were lost: what comes up to its end is no line. */
void serial_line_init(struct serial_line *l);

/* Take bytes from *data until there is something to report; call until SERIAL_LINE_MORE. */
enum serial_line_result serial_line_take(struct serial_line *l, const uint8_t **data,
					 unsigned *n);

/* Nothing has come for long: the line that was begun will not be ended. True: there was one. */
bool serial_line_gap(struct serial_line *l);

/*
 * The "*HH" at the end of an NMEA sentence: 1 right, 0 there is none, -1 wrong. *len loses it
 * when it is there.
 */
int serial_checksum(const char *line, unsigned *len);

/* Field n: where it begins and how long it is, without white space around. False: too few. */
bool serial_field(const char *line, unsigned len, unsigned n, const char **field, unsigned *flen);

/* 0; -ENODATA: an empty field; -EINVAL: no number. "nan" is a number that is none. */
int serial_number(const char *field, unsigned len, double *value);

#endif
