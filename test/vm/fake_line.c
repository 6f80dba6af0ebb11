// SPDX-License-Identifier: MIT
/*
 * fake_line: a serial line: a pseudo-terminal that /dev/NAME points to, on which ten times a
 * second an NMEA sentence (GGA) or a frame of a PMSx003 arrives. FAKE_GONE takes the
 * terminal away, as pulling an USB adapter does; a later mode brings a new one.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "test/vm/fake.h"

static unsigned noise = 1;

static int step(void)
{
	noise = noise * 1103515245u + 12345u;
	return (int)(noise >> 16) % 11;
}

static int line_open(const char *link_path)
{
	struct termios t;
	const char *slave;
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 || grantpt(fd) || unlockpt(fd) || !(slave = ptsname(fd)) || tcgetattr(fd, &t))
		goto fail;
	cfmakeraw(&t);
	if (tcsetattr(fd, TCSANOW, &t))
		goto fail;
	unlink(link_path);
	if (symlink(slave, link_path))
		goto fail;
	return fd;
fail:
	perror("fake: no pseudo-terminal");
	if (fd >= 0)
		close(fd);
	return -1;
}

static unsigned sentence(char *p, size_t size, enum fake_mode mode)
{
	unsigned char sum = 0;
	char body[80];
	unsigned i;

	snprintf(body, sizeof(body), "GPGGA,120000,5231.2,N,01324.%d,E,1,08,0.9,%d.%d,M,46.9,M,,",
		 step() % 10, 34 + step() % 3, step() % 10);
	for (i = 0; body[i]; i++)
		sum ^= (unsigned char)body[i];
	if (mode == FAKE_GARBAGE)
		sum ^= 0x55;
	return (unsigned)snprintf(p, size, "$%s*%02X\r\n", body, sum);
}

static unsigned frame(uint8_t *p, enum fake_mode mode)
{
	uint16_t sum = 0;
	unsigned i;

	memset(p, 0, 32);
	p[0] = 0x42, p[1] = 0x4d, p[3] = 28;
	for (i = 4; i < 30; i += 2)
		p[i + 1] = (uint8_t)(20 + step());
	for (i = 0; i < 30; i++)
		sum = (uint16_t)(sum + p[i]);
	if (mode == FAKE_GARBAGE)
		sum ^= 0x0101;
	p[30] = sum >> 8, p[31] = sum & 0xff;
	return 32;
}

int fake_line(const char *name, int frames)
{
	char link_path[64], out[128];
	struct timespec due;
	int fd = -1;

	clock_gettime(CLOCK_MONOTONIC, &due);
	snprintf(link_path, sizeof(link_path), "/dev/%s", name);
	for (;;) {
		enum fake_mode mode = fake_mode(name);
		unsigned n;

		if (mode == FAKE_GONE) {
			if (fd >= 0) {
				unlink(link_path);
				close(fd);
				fd = -1;
			}
		} else {
			if (fd < 0)
				fd = line_open(link_path);
			if (fd < 0)
				return 1;
			n = frames ? frame((uint8_t *)out, mode) : sentence(out, sizeof(out), mode);
			if (mode == FAKE_SHORT)
				n /= 2;
			/* Nobody reads and the buffer is full: as a real line, it is lost. */
			if (mode != FAKE_HANG && write(fd, out, n) < 0)
				tcflush(fd, TCOFLUSH);
		}
		fake_wait(&due, 100000);
	}
}
