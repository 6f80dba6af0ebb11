/* SPDX-License-Identifier: MIT */
/* board: an emulator and its control sockets. Functions that may fail: 0 or -errno. */
#ifndef SONDE_TEST_VM_BOARD_H
#define SONDE_TEST_VM_BOARD_H

#include <stdio.h>
#include <sys/types.h>

struct emulator {
	pid_t pid;
	int out, in;		/* its console */
	int qmp, qtest;
	FILE *log;		/* gets what QMP refuses; the caller's */
};

/* argv[n] without the arguments for QMP and qtest, which are appended. */
int emulator_start(struct emulator *e, FILE *log, char **argv, int n);
void emulator_end(struct emulator *e);

/* A property of -device ...,id=ID. value as JSON has it. */
int emulator_property(struct emulator *e, const char *id, const char *property, const char *value);

/* Input `line` of a GPIO controller below /machine/soc. */
int emulator_line(struct emulator *e, const char *chip, int line, int level);

/* How long its threads were runnable and did not run: others had the processors. */
double emulator_waited_s(const struct emulator *e);

double now_s(void);

#endif
