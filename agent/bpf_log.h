/* SPDX-License-Identifier: MIT */
/*
 * bpf_log: keeps what libbpf would print, so that it can become part of a reason.
 * The first warning of an operation is its cause; those after it say that their
 * callers failed too. For the files that open a BPF object, and for no others.
 */
#ifndef SONDE_BPF_LOG_H
#define SONDE_BPF_LOG_H

#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char bpf_log_first[200];

static int bpf_log_keep(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[sizeof(bpf_log_first)], *line = text;

	if (level != LIBBPF_WARN || bpf_log_first[0])
		return 0;
	vsnprintf(text, sizeof(text), format, args);
	if (!strncmp(line, "libbpf: ", 8))
		line += 8;
	line[strcspn(line, "\n")] = '\0';
	strcpy(bpf_log_first, line);
	return 0;
}

/* From here on libbpf prints nothing in this process. */
static inline void bpf_log_begin(void)
{
	bpf_log_first[0] = '\0';
	libbpf_set_print(bpf_log_keep);
}

#endif
