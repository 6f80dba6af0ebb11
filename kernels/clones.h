/* SPDX-License-Identifier: MIT */
/*
 * clones: compile a loop once per x86-64 level and let the dynamic linker pick.
 *
 * The levels differ in width, not in result: -ffp-contract=off keeps the compiler
 * from fusing what the source does not fuse, and golden vectors compare them. A
 * sanitizer's runtime is not up yet when the linker picks, so there it is off.
 */
#ifndef SONDE_CLONES_H
#define SONDE_CLONES_H

#if defined(__x86_64__) && !defined(SONDE_SANITIZED)
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif

#endif
