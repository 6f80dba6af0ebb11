/* SPDX-License-Identifier: MIT */
/* fc_impl: what fc.c and its implementations share; for no one else. */
#ifndef SONDE_FC_IMPL_H
#define SONDE_FC_IMPL_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/fc.h"

/* XNNPACK may read this far beyond the end of a tensor; checked against its header. */
#define FC_PAD 128

struct fc_ops {
	const char *name;
	int (*open)(struct fc *fc, struct why *why);	/* sets fc->state */
	void (*close)(struct fc *fc);			/* accepts state NULL */
	void (*run)(struct fc *fc);
};

struct fc {
	const struct fc_ops *ops;
	struct fc_spec spec;
	int8_t *x;	/* [in], int8 operators */
	float *x_f32;	/* [in], float operators; dynamic ones, which quantise it into x */
	float step;	/* of x; 1 unless dynamic */
	float *y;	/* [out] */
	void *state;	/* the implementation's own */
};

extern const struct fc_ops fc_ref, fc_float, fc_xnn, fc_subgraph;

/* Zeroed, 64-byte aligned, FC_PAD bytes longer than asked for; free(). */
void *fc_alloc(size_t size);

/* A dynamic operator's x_f32 into its x, at the step that it leaves in fc->step. */
void fc_dynamic(struct fc *fc);

/* Once in the process, from any thread: 0, -ENOMEM or -ENOTSUP. */
int fc_xnn_start(struct why *why);

/* A status of XNNPACK's as an error, `what` having been refused. */
int fc_xnn_error(int status, const char *what, struct why *why);

#endif
