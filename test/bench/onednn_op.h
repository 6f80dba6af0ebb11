/* SPDX-License-Identifier: MIT */
/*
 * onednn_op: oneDNN's memories and primitives with less ceremony, on one engine and stream.
 * What it opens lasts as long as the process; an error ends that with a reason.
 */
#ifndef SONDE_BENCH_ONEDNN_OP_H
#define SONDE_BENCH_ONEDNN_OP_H

#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>

#define ARGS 12

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static inline void check(dnnl_status_t status, const char *what)
{
	if (status == dnnl_success)
		return;
	fprintf(stderr, "onednn: %s: status %d\n", what, (int)status);
	exit(1);
}

struct op {
	dnnl_primitive_t primitive;
	int args;
	dnnl_exec_arg_t arg[ARGS];
};

static inline dnnl_memory_desc_t desc(dnnl_data_type_t type, dnnl_format_tag_t tag, int dims,
				      const dnnl_dim_t *dim)
{
	dnnl_memory_desc_t d;

	check(dnnl_memory_desc_create_with_tag(&d, dims, dim, type, tag), "memory");
	return d;
}

/* Over p, or over memory of its own where that is NULL. */
static inline dnnl_memory_t memory(const_dnnl_memory_desc_t d, void *p)
{
	dnnl_memory_t m;

	check(dnnl_memory_create(&m, d, engine, p ? p : DNNL_MEMORY_ALLOCATE), "memory");
	return m;
}

static inline void *bytes_of(dnnl_memory_t m)
{
	void *p;

	check(dnnl_memory_get_data_handle(m, &p), "handle");
	return p;
}

/* The memory stays whoever's it was. */
static inline void op_arg(struct op *op, int arg, dnnl_memory_t m)
{
	if (op->args == ARGS)
		abort();
	op->arg[op->args++] = (dnnl_exec_arg_t){ arg, m };
}

static inline void op_run(const struct op *op)
{
	check(dnnl_primitive_execute(op->primitive, stream, op->args, op->arg), "execute");
	dnnl_stream_wait(stream);
}

/* Values as they are, into the layout and type of `to`. */
static inline dnnl_memory_t reordered(const_dnnl_memory_desc_t from, void *p,
				      const_dnnl_memory_desc_t to, const_dnnl_primitive_attr_t attr)
{
	struct op op = { .args = 0 };
	dnnl_memory_t m = memory(to, NULL);
	dnnl_primitive_desc_t pd;

	check(dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, attr), "reorder");
	check(dnnl_primitive_create(&op.primitive, pd), "reorder");
	op_arg(&op, DNNL_ARG_FROM, memory(from, p));
	op_arg(&op, DNNL_ARG_TO, m);
	op_run(&op);
	dnnl_memory_destroy(op.arg[0].memory);
	dnnl_primitive_destroy(op.primitive);
	dnnl_primitive_desc_destroy(pd);
	return m;
}

#endif
