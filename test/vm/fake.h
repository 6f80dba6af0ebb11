/* SPDX-License-Identifier: MIT */
/* fake: what the guests' fake devices share. How each behaves is read from a file. */
#ifndef SONDE_TEST_VM_FAKE_H
#define SONDE_TEST_VM_FAKE_H

/* /run/fake/NAME holds one of these words; no such file: ok. */
enum fake_mode {
	FAKE_OK,
	FAKE_NAK,	/* nobody answers: -EREMOTEIO */
	FAKE_TIMEOUT,	/* -ETIMEDOUT, after as long as i2c-imx takes */
	FAKE_SLOW,	/* right, 2.5 s later */
	FAKE_SHORT,	/* less than was asked for */
	FAKE_GARBAGE,	/* noise instead of data */
	FAKE_STUCK,	/* the same bytes for ever */
	FAKE_HANG,	/* no answer until the mode changes */
	FAKE_DEAF,	/* never writable: poll() says no, a write waits for ever */
	FAKE_GONE,	/* unplugged */
};

enum fake_mode fake_mode(const char *name);

/* Until us after due, which becomes that: a rhythm that does not drift. */
struct timespec;
void fake_wait(struct timespec *due, long us);

/* All return an exit code, when something is wrong. */
int fake_bus(const char *name);		/* /dev/NAME like i2c-dev's, by CUSE */
int fake_line(const char *name, int frames);	/* /dev/NAME, a serial line */
int fake_pulse(const char *file, long half_us);	/* a square wave on a line of gpio-sim */

#endif
