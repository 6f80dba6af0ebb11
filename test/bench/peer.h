/* SPDX-License-Identifier: MIT */
/*
 * peer: a contestant (contestant.h) seen from the other end of its pipes: started on one core,
 * asked case by case, given up with a reason when it says no, dies, or is silent.
 */
#ifndef SONDE_BENCH_PEER_H
#define SONDE_BENCH_PEER_H

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEER_CASES 32
#define PEER_SHOWN 16

struct peer_case {
	char shape[16], variant[16];
	unsigned shown;
	double show[PEER_SHOWN];
};

struct peer {
	const char *name;
	pid_t pid;			/* 0: not running */
	int to, from;
	char version[64], why[160];	/* why: it takes no part; "" while it does */
	unsigned cases;
	struct peer_case c[PEER_CASES];
	char line[1024];
	size_t have;			/* bytes of `line`, of the next line */
};

/* Ends the process if it runs; returns how it had ended, as of waitpid. */
static inline int peer_close(struct peer *p)
{
	int status = 0;

	if (!p->pid)
		return 0;
	close(p->to);
	close(p->from);
	kill(p->pid, SIGKILL);
	waitpid(p->pid, &status, 0);
	p->pid = 0;
	return status;
}

/* The first reason stays. It may stand within quotes in JSON. */
__attribute__((format(printf, 2, 3)))
static inline void peer_give_up(struct peer *p, const char *why, ...)
{
	va_list args;

	if (*p->why)
		return;
	va_start(args, why);
	vsnprintf(p->why, sizeof p->why, why, args);
	va_end(args);
	for (char *c = p->why; *c; c++)
		if (!isprint((unsigned char)*c) || *c == '"' || *c == '\\')
			*c = ' ';
	peer_close(p);
}

static inline void peer_ended(struct peer *p)
{
	int status = peer_close(p);

	if (WIFEXITED(status))
		peer_give_up(p, "ended with status %d", WEXITSTATUS(status));
	else
		peer_give_up(p, "ended by signal %d", WTERMSIG(status));
}

/* Its next line, without the end, into line[size]; false: given up. */
static inline bool peer_hear(struct peer *p, char *line, size_t size, int wait_ms)
{
	for (;;) {
		char *end = memchr(p->line, '\n', p->have);
		struct pollfd f = { p->from, POLLIN, 0 };
		ssize_t n;

		if (end) {
			size_t length = (size_t)(end - p->line);

			snprintf(line, size, "%.*s", (int)length, p->line);
			p->have -= length + 1;
			memmove(p->line, end + 1, p->have);
			return true;
		}
		if (p->have == sizeof p->line) {
			peer_give_up(p, "said a line too long to be an answer");
			return false;
		}
		if (poll(&f, 1, wait_ms) == 0) {
			peer_give_up(p, "was silent for %d s", wait_ms / 1000);
			return false;
		}
		n = read(p->from, p->line + p->have, sizeof p->line - p->have);
		if (n <= 0) {
			peer_ended(p);
			return false;
		}
		p->have += (size_t)n;
	}
}

/* "case SHAPE VARIANT VALUE...": false when it is none */
static inline bool peer_case_read(struct peer_case *c, const char *line)
{
	int at = 0;

	*c = (struct peer_case){ .shown = 0 };
	if (sscanf(line, "case %15s %15s%n", c->shape, c->variant, &at) != 2)
		return false;
	while (c->shown < PEER_SHOWN) {
		char *end;
		double v = strtod(line + at, &end);

		if (end == line + at)
			break;
		c->show[c->shown++] = v;
		at = (int)(end - line);
	}
	return c->shown > 0;
}

static inline void peer_greet(struct peer *p, int wait_ms)
{
	char line[sizeof p->line];

	while (peer_hear(p, line, sizeof line, wait_ms)) {
		if (!strcmp(line, "ready"))
			return;
		if (!strncmp(line, "skip ", 5))
			peer_give_up(p, "%s", line + 5);
		else if (!strncmp(line, "version ", 8))
			snprintf(p->version, sizeof p->version, "%.63s", line + 8);
		else if (p->cases == PEER_CASES || !peer_case_read(&p->c[p->cases++], line))
			peer_give_up(p, "said \"%.60s\"", line);
		if (*p->why)
			return;
	}
}

/*
 * Start `command` (of sh) with what it prints on standard error in the file `log`, on core
 * `core` (below 0: any), and hear what it has. only: "SHAPE VARIANT" or "".
 */
static inline void peer_open(struct peer *p, const char *name, const char *command,
			     const char *only, const char *log, int core, int wait_ms)
{
	int in[2], out[2];
	char text[512];

	*p = (struct peer){ .name = name, .to = -1, .from = -1 };
	snprintf(text, sizeof text, "exec %s %s", command, only);
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) {
		peer_give_up(p, "no pipe");
		return;
	}
	p->pid = fork();
	if (!p->pid) {
		int err = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
		cpu_set_t cores;

		CPU_ZERO(&cores);
		if (core >= 0)
			CPU_SET((unsigned)core, &cores);
		if (core >= 0 && sched_setaffinity(0, sizeof cores, &cores))
			_exit(126);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], 0);
		dup2(out[1], 1);
		if (err >= 0)
			dup2(err, 2);
		setenv("OMP_NUM_THREADS", "1", 1);
		execl("/bin/sh", "sh", "-c", text, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	p->to = in[1];
	p->from = out[0];
	if (p->pid < 0) {
		p->pid = 0;
		peer_give_up(p, "no process");
		return;
	}
	peer_greet(p, wait_ms);
}

/* One turn of a case: nanoseconds a run, or below 0 when it was given up. */
static inline double peer_turn(struct peer *p, unsigned i, int wait_ms)
{
	char line[64];
	double ns;

	if (!p->pid)
		return -1;
	if (dprintf(p->to, "%u\n", i) < 0) {
		peer_ended(p);
		return -1;
	}
	if (!peer_hear(p, line, sizeof line, wait_ms))
		return -1;
	ns = strtod(line, NULL);
	if (!(ns > 0))
		peer_give_up(p, "took \"%.20s\" ns", line);
	return ns > 0 ? ns : -1;
}

#endif
