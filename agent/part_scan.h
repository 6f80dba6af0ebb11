/* SPDX-License-Identifier: MIT */
/*
 * part_scan: what sits on an I2C bus, told by the sensor library. It is asked gently, as
 * i2cdetect asks: an address whose owner is a kernel driver is left alone; the others get the
 * message that harms least there; only who answers is asked for an identity, and only at
 * addresses where the library has a part with one. Nothing is ever set.
 *
 * The bus is a small table, so that a test can be one.
 */
#ifndef SONDE_PART_SCAN_H
#define SONDE_PART_SCAN_H

#include <stdint.h>

#include "agent/part.h"

#define PART_SCAN_FIRST 0x08	/* below and above: reserved (UM10204, section 3.1.12) */
#define PART_SCAN_LAST 0x77
#define PART_SCAN_MAX (PART_SCAN_LAST - PART_SCAN_FIRST + 1)
#define PART_SCAN_GUESSES 16

/* Each returns 0 or -errno. */
struct part_bus {
	/* The address that the next calls are for. -EBUSY: a driver has it. */
	int (*claim)(void *user, unsigned address);
	int (*quick)(void *user);	/* SMBus quick write; NULL: the adapter has none */
	int (*receive)(void *user);	/* SMBus receive byte; NULL: none */
	/* s->out, wait, s->in bytes to in; NULL: the adapter has no plain I2C. */
	int (*exchange)(void *user, const struct part_step *s, uint8_t *in);
	uint64_t (*now_ns)(void *user);
};

enum part_answer {
	PART_TAKEN,	/* a kernel driver has it */
	PART_KNOWN,	/* it said who it is */
	PART_GUESSED,	/* it may be one of several */
	PART_UNKNOWN,	/* it answers, and no part of the library has this address */
};

struct part_found {
	uint8_t address, answer;	/* enum part_answer */
	uint8_t guesses;
	uint16_t guess[PART_SCAN_GUESSES];	/* indices into the library; KNOWN: [0] */
};

/*
 * Ask every address. Result: how many found[] has, or -errno when the bus can not be asked at
 * all (-EOPNOTSUPP, or claim's). *stopped: 0, or the address at which it was given up because the
 * bus takes seconds to answer: its lines are held. Blocks; not for the pipeline's thread.
 */
int part_scan(const struct part *library, unsigned n, const struct part_bus *bus, void *user,
	      struct part_found found[PART_SCAN_MAX], unsigned *stopped);

#endif
