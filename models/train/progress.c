// SPDX-License-Identifier: MIT
/*
 * progress: see progress.h. The clock is read here and decides nothing but what
 * is printed: training gives the same file on a slow day.
 */
#include "models/train/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define EVERY_TERMINAL_S 0.1
#define EVERY_LINE_S 2.0
#define BAR 16u

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_init(struct progress *p, bool quiet)
{
	struct winsize size;

	*p = (struct progress){ .quiet = quiet, .terminal = isatty(STDERR_FILENO), .width = 80 };
	if (p->terminal && !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		p->width = size.ws_col;
	p->began = p->last = now();
}

double progress_elapsed(const struct progress *p)
{
	return now() - p->began;
}

static void put(struct progress *p, const char *line)
{
	if (p->terminal)
		fprintf(stderr, "\r\033[K%.*s", (int)(p->width - 1), line);
	else
		fprintf(stderr, "%s\n", line);
	fflush(stderr);
	p->open = p->terminal;
	p->last = now();
}

void progress_epoch(struct progress *p, unsigned done, unsigned of, double loss,
		    double held, double best)
{
	double t = now(), left;
	unsigned filled;
	char bar[BAR + 1], line[160];

	if (p->quiet)
		return;
	if (done < of && t - p->last < (p->terminal ? EVERY_TERMINAL_S : EVERY_LINE_S))
		return;
	left = done ? (t - p->began) / done * (of - done) : 0;
	filled = of ? BAR * done / of : BAR;
	memset(bar, '.', BAR);
	memset(bar, '#', filled);
	bar[BAR] = 0;
	snprintf(line, sizeof(line), "%s epoch %u/%u loss %.4f held out %.4f best %.4f %.0f s left",
		 p->terminal ? bar : "training:", done, of, loss, held, best, left);
	put(p, line);
}

void progress_end(struct progress *p)
{
	if (p->open)
		fputc('\n', stderr);
	p->open = false;
}
