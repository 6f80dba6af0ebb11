/* SPDX-License-Identifier: MIT */
/*
 * screen: a frame is composed whole in memory and written in one go from the top left
 * corner, each line cleared only behind its last character: nothing ever blinks. Plain
 * ECMA-48 sequences that every terminal of the last decades has.
 */
#ifndef SONDE_CLI_SCREEN_H
#define SONDE_CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct screen {
	char *buf;
	size_t len, size;
	unsigned columns, rows;
	unsigned line, column;	/* where the next character goes */
	bool unicode, styled;
	bool keys;		/* standard input is the terminal, too */
	void *saved;		/* struct termios before */
};

/* -ENOTTY when standard output is no terminal. */
int screen_open(struct screen *s);
void screen_close(struct screen *s);	/* gives the terminal back as it was */

/* Leave the terminal to others, and take it again (job control). */
void screen_leave(struct screen *s);
void screen_enter(struct screen *s);

void screen_begin(struct screen *s);	/* asks for the size again */
void screen_end(struct screen *s);	/* writes it out */

/* Text in UTF-8 or ASCII, one column a character; cut at the right edge. */
void screen_printf(struct screen *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Blanks up to this column. */
void screen_to(struct screen *s, unsigned column);
/* Select graphic rendition ("1;31"), "" for none. */
void screen_style(struct screen *s, const char *sgr);
void screen_newline(struct screen *s);

/* v[n] between low and high as a line of blocks; NaN is a blank. */
void screen_spark(struct screen *s, const float *v, unsigned n, float low, float high);
/* part (0..1, more is full) of width columns, with a mark at mark. */
void screen_bar(struct screen *s, double part, double mark, unsigned width);

#endif
