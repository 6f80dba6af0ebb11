// SPDX-License-Identifier: MIT
/*
 * serial_tty: set up through struct termios2, which has the rate as a number (the kernel
 * keeps B9600 and the like for old callers only). glibc's <termios.h> can not stand
 * beside <asm/termbits.h>, hence this file.
 *
 * Nothing is restored at close: the next program sets what it needs, as this one does.
 */
#include "agent/dev/serial_tty.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kernels/why.h"

/* Start and stop bits re-synchronise each byte: 10 bits stand a rate that is 1/32 off. */
#define RATE_TOLERANCE 32

static int set_up(int fd, unsigned baud, struct why *why)
{
	struct termios2 t;

	if (ioctl(fd, TCGETS2, &t))
		return why_set(why, errno == ENOTTY ? -ENOTTY : -errno, "%s", strerror(errno));
	t.c_iflag = 0;
	t.c_oflag = 0;
	t.c_lflag = 0;
	t.c_cflag &= ~(CSIZE | CSTOPB | PARENB | CRTSCTS);
	/* DTR may be a board's reset: it shall not fall each time the file is closed. */
	t.c_cflag &= ~HUPCL;
	t.c_cflag |= CS8 | CREAD | CLOCAL;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	if (baud) {
		t.c_cflag &= ~(CBAUD | CBAUD << IBSHIFT);
		t.c_cflag |= BOTHER;	/* input rate B0: the same */
		t.c_ispeed = t.c_ospeed = baud;
	}
	if (ioctl(fd, TCSETS2, &t) || ioctl(fd, TCGETS2, &t))
		return why_set(why, -errno, "%s", strerror(errno));
	if (baud && (t.c_ospeed < baud - baud / RATE_TOLERANCE ||
		     t.c_ospeed > baud + baud / RATE_TOLERANCE))
		return why_set(why, -EINVAL, "it can not do %u baud, the nearest is %u", baud,
			       t.c_ospeed);
	/* Two readers of a tty have half of its bytes each. */
	ioctl(fd, TIOCEXCL);
	/* What has come so far came at another rate, perhaps. */
	ioctl(fd, TCFLSH, TCIFLUSH);
	return 0;
}

int serial_tty_open(const char *path, unsigned baud, struct why *why)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int err;

	if (fd < 0 && errno == EBUSY)
		return why_set(why, -EBUSY, "%s: another program has it for itself", path);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return why_set(why, -errno, "%s: no permission: group dialout has it", path);
	if (fd < 0)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	if (!isatty(fd)) {
		close(fd);
		return why_set(why, -ENOTTY, "%s is no tty", path);
	}
	err = set_up(fd, baud, why);
	if (!err)
		return fd;
	close(fd);
	return why_in(why, err, "%s", path);
}
