// SPDX-License-Identifier: MIT
/*
 * part_scan: the walk over a bus. A quick write is the safest question for most chips and
 * the one that write-only ones hear at all, but it may corrupt an AT24RF08; a read may upset
 * chips that count reads. So the ranges of EEPROMs get the read (i2c-tools, i2cdetect(8)).
 *
 * To ask for an identity means to write a register's number. A chip that has no registers takes
 * that as data (a PCF8574 sets its outputs), hence only where the library expects one.
 */
#include "agent/part_scan.h"

#include <errno.h>
#include <string.h>

/* An absent address takes up to 106 ms (i2c-imx); 112 of them must fit. */
#define SCAN_NS 30000000000u

static bool is_eeprom(unsigned address)
{
	return (address >= 0x30 && address <= 0x37) || (address >= 0x50 && address <= 0x5f);
}

static bool answers(const struct part_bus *bus, void *user, unsigned address)
{
	if (is_eeprom(address) || !bus->quick)
		return bus->receive && !bus->receive(user);
	return !bus->quick(user);
}

static bool may_be(const struct part *p, unsigned address)
{
	return strcmp(p->kind, "spi") && memchr(p->address, (int)address, p->addresses);
}

static bool identified(const struct part *p, const struct part_bus *bus, void *user)
{
	uint8_t in[PART_OUT_MAX] = { 0 };

	if (bus->exchange(user, &p->identify, in))
		return false;
	for (unsigned i = 0; i < p->identify.in; i++)
		if ((in[i] & p->id_mask[i]) != p->id_value[i])
			return false;
	return true;
}

/*
 * A part that said it is another one is no guess any more. Where nobody can be asked
 * (SMBus only), all remain.
 */
static void name(const struct part *library, unsigned n, const struct part_bus *bus, void *user,
		 struct part_found *f)
{
	f->answer = PART_UNKNOWN;
	for (unsigned i = 0; i < n; i++) {
		const struct part *p = &library[i];

		if (!may_be(p, f->address))
			continue;
		if (p->identify.outs && bus->exchange) {
			if (!identified(p, bus, user))
				continue;
			f->answer = PART_KNOWN;
			f->guesses = 1;
			f->guess[0] = (uint16_t)i;
			return;
		}
		if (f->guesses < PART_SCAN_GUESSES)
			f->guess[f->guesses++] = (uint16_t)i;
		f->answer = PART_GUESSED;
	}
}

int part_scan(const struct part *library, unsigned n, const struct part_bus *bus, void *user,
	      struct part_found found[PART_SCAN_MAX], unsigned *stopped)
{
	uint64_t begin = bus->now_ns(user);
	unsigned count = 0;
	int err;

	*stopped = 0;
	if (!bus->quick && !bus->receive)
		return -EOPNOTSUPP;
	for (unsigned address = PART_SCAN_FIRST; address <= PART_SCAN_LAST; address++) {
		struct part_found *f = &found[count];

		if (bus->now_ns(user) - begin > SCAN_NS) {
			*stopped = address;
			break;
		}
		*f = (struct part_found){ .address = (uint8_t)address, .answer = PART_TAKEN };
		err = bus->claim(user, address);
		if (err == -EBUSY) {
			count++;
			continue;
		}
		if (err)
			return err;
		if (!answers(bus, user, address))
			continue;
		name(library, n, bus, user, f);
		count++;
	}
	return (int)count;
}
