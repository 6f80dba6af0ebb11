/* SPDX-License-Identifier: MIT */
/*
 * uevent: tells main that something was plugged in or got its driver. After udev's rules have
 * run where there is a udev (names and permissions are right then), straight from
 * the kernel where there is none, as in a small initramfs. It says that, not what: the keeper
 * looks for what is absent, and looking is cheap.
 */
#ifndef SONDE_UEVENT_H
#define SONDE_UEVENT_H

#include <stdbool.h>

struct uevent;
struct why;

/* Main. -errno: no netlink here; absent devices are then found by retry alone. */
int uevent_open(struct uevent **out, struct why *why);
void uevent_close(struct uevent *u);

/* Readable when there is news; the caller does not own it. */
int uevent_fd(const struct uevent *u);

/* Takes all that has come. True: a device that may carry a sensor was added, bound or changed. */
bool uevent_news(struct uevent *u);

/* "udev" or "kernel". */
const char *uevent_source(const struct uevent *u);

#endif
