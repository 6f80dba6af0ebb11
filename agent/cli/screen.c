// SPDX-License-Identifier: MIT
#include "agent/cli/screen.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "agent/cli/cli.h"

/* Alternate screen, no cursor, no wrapping at the right edge; and all of it back. */
#define ENTER "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
#define LEAVE "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"

static void write_all(const char *p, size_t n)
{
	while (n) {
		ssize_t k = write(STDOUT_FILENO, p, n);

		if (k < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (k > 0) {
			p += k;
			n -= k;
		}
	}
}

static void raw(struct screen *s, const char *p, size_t n)
{
	if (s->len + n > s->size) {
		size_t size = (s->len + n) * 2;
		char *buf = realloc(s->buf, size);

		if (!buf)
			return;
		s->buf = buf;
		s->size = size;
	}
	memcpy(s->buf + s->len, p, n);
	s->len += n;
}

void screen_enter(struct screen *s)
{
	struct termios t;

	if (s->keys && !tcgetattr(STDIN_FILENO, &t)) {
		/* Signals stay the terminal's business, but what it has not shown yet, the way
		 * back to the usual screen in it, is not to be thrown away with them. */
		t.c_lflag &= ~(ICANON | ECHO);
		t.c_lflag |= NOFLSH;
		t.c_cc[VMIN] = 0;
		t.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &t);
	}
	write_all(ENTER, strlen(ENTER));
}

void screen_leave(struct screen *s)
{
	write_all(LEAVE, strlen(LEAVE));
	if (s->keys && s->saved)
		tcsetattr(STDIN_FILENO, TCSANOW, s->saved);
}

int screen_open(struct screen *s)
{
	*s = (struct screen){ .unicode = cli_unicode() };
	if (!isatty(STDOUT_FILENO))
		return -ENOTTY;
	s->saved = malloc(sizeof(struct termios));
	if (!s->saved)
		return -ENOMEM;
	s->keys = !tcgetattr(STDIN_FILENO, s->saved) && tcgetpgrp(STDIN_FILENO) == getpgrp();
	screen_enter(s);
	return 0;
}

void screen_close(struct screen *s)
{
	if (s->saved)
		screen_leave(s);
	free(s->saved);
	free(s->buf);
	*s = (struct screen){ .buf = NULL };
}

void screen_begin(struct screen *s)
{
	struct winsize w;

	s->columns = 80;
	s->rows = 24;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col && w.ws_row) {
		s->columns = w.ws_col;
		s->rows = w.ws_row;
	}
	s->len = 0;
	s->line = s->column = 0;
	/* Synchronised update, where the terminal knows it: DEC private mode 2026. */
	raw(s, "\x1b[?2026h\x1b[H", 11);
}

void screen_end(struct screen *s)
{
	raw(s, "\x1b[0m\x1b[J\x1b[?2026l", 15);
	write_all(s->buf, s->len);
}

/* One character of n bytes, one column wide. */
static void put(struct screen *s, const char *p, unsigned n)
{
	if (s->column >= s->columns || s->line >= s->rows)
		return;
	raw(s, p, n);
	s->column++;
}

static void put_text(struct screen *s, const char *p)
{
	while (*p) {
		unsigned n = 1;

		while ((p[n] & 0xc0) == 0x80)
			n++;
		if ((unsigned char)*p >= 0x80 && !s->unicode)
			put(s, "?", 1);
		else
			put(s, (unsigned char)*p < 0x20 ? " " : p, n);
		p += n;
	}
}

void screen_printf(struct screen *s, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	put_text(s, text);
}

void screen_to(struct screen *s, unsigned column)
{
	while (s->column < column && s->column < s->columns && s->line < s->rows)
		put(s, " ", 1);
}

void screen_style(struct screen *s, const char *sgr)
{
	char text[32];

	if (s->line >= s->rows || (!*sgr && !s->styled))
		return;
	s->styled = *sgr;
	raw(s, text, snprintf(text, sizeof(text), "\x1b[0;%sm", sgr));
}

void screen_newline(struct screen *s)
{
	if (s->line >= s->rows)
		return;
	screen_style(s, "");
	raw(s, "\x1b[K", 3);
	s->line++;
	s->column = 0;
	if (s->line < s->rows)
		raw(s, "\r\n", 2);
}

void screen_spark(struct screen *s, const float *v, unsigned n, float low, float high)
{
	static const char ascii[] = "_.-=+*%#";

	for (unsigned i = 0; i < n; i++) {
		float part = high > low ? (v[i] - low) / (high - low) : 0;
		int level = fminf(fmaxf(part, 0), 1) * 7.999f;
		char block[] = { '\xe2', '\x96', (char)(0x81 + level) };	/* U+2581 + level */

		if (!isfinite(v[i]))
			put(s, " ", 1);
		else if (s->unicode)
			put(s, block, 3);
		else
			put(s, &ascii[level], 1);
	}
}

void screen_bar(struct screen *s, double part, double mark, unsigned width)
{
	unsigned eighths = fmin(fmax(part, 0), 1) * width * 8;
	unsigned at = fmin(fmax(mark, 0), 1) * (width - 1);

	for (unsigned i = 0; i < width; i++) {
		unsigned here = eighths > i * 8 ? eighths - i * 8 : 0;
		char block[] = { '\xe2', '\x96', (char)(0x90 - (here < 8 ? here : 8)) };

		if (i == at)
			put(s, "|", 1);
		else if (!here)
			put(s, s->unicode ? "\u00b7" : ".", s->unicode ? 2 : 1);
		else if (s->unicode)
			put(s, block, 3);
		else
			put(s, "#", 1);
	}
}
