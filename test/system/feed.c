// SPDX-License-Identifier: MIT
/*
 * feed: a machine to watch, for system tests: writes scans of four le:s16/16 elements
 * to a FIFO at a rate, the same ones every time. Elements 0 and 1 swing, 2 follows both,
 * 3 is noise about a level. SIGUSR1 begins and SIGUSR2 ends a disturbance: element 2
 * no longer follows and 3 leaves its level.
 *
 *	feed FIFO RATE_HZ
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ELEMENTS 4

static volatile sig_atomic_t disturbed;

static void on_signal(int signal)
{
	disturbed = signal == SIGUSR1;
}

/* Marsaglia's xorshift32, -1 to 1. */
static double noise(void)
{
	static uint32_t state = 2463534242u;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state / 2147483648.0 - 1;
}

static void scan(uint64_t i, uint8_t out[2 * ELEMENTS])
{
	double a = sin(i * 0.07) + 0.1 * noise(), b = sin(i * 0.023 + 1) + 0.1 * noise();
	double v[ELEMENTS] = { a, b, 0.6 * a - 0.4 * b + 0.05 * noise(), 0.3 * noise() };

	if (disturbed) {
		v[2] = 1.5 * noise();
		v[3] += 2;
	}
	for (unsigned k = 0; k < ELEMENTS; k++) {
		int16_t raw = lrint(v[k] * 4000);

		out[2 * k] = raw & 0xff;
		out[2 * k + 1] = (uint16_t)raw >> 8;
	}
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_signal };
	double rate = argc == 3 ? atof(argv[2]) : 0;
	struct timespec next;
	uint8_t out[2 * ELEMENTS];
	int fd;

	if (rate <= 0) {
		fputs("usage: feed FIFO RATE_HZ\n", stderr);
		return 2;
	}
	sigaction(SIGUSR1, &act, NULL);
	sigaction(SIGUSR2, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* Both ends: the feed outlives a daemon that is restarted. */
	fd = open(argv[1], O_RDWR | O_NONBLOCK);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (uint64_t i = 0;; i++) {
		scan(i, out);
		/* A full FIFO has no reader just now: the scan is lost, as a sensor's would be. */
		if (write(fd, out, sizeof out) < 0 && errno != EAGAIN && errno != EINTR) {
			perror(argv[1]);
			return 1;
		}
		next.tv_nsec += (long)(1e9 / rate);
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
			;
	}
}
