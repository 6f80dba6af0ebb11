/* SPDX-License-Identifier: MIT */
/* probe_bus: an I2C bus of the kernel (/dev/i2c-N) as part_scan() wants it. */
#ifndef SONDE_CLI_PROBE_BUS_H
#define SONDE_CLI_PROBE_BUS_H

#include "agent/part_scan.h"

struct probe_bus {
	struct part_bus ops;	/* what this adapter can do; user: the probe_bus */
	int fd;
	unsigned address;
	bool smbus;		/* no plain I2C: registers of one or two bytes only */
};

/* 0 or -errno. */
int probe_bus_open(struct probe_bus *b, const char *path);
void probe_bus_close(struct probe_bus *b);

#endif
