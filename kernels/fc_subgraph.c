// SPDX-License-Identifier: MIT
/*
 * fc_subgraph: the int8 operator through XNNPACK's subgraph, the API that will
 * outlive its operators.
 *
 * A subgraph takes no dynamically quantised tensor from outside: it wants floats and
 * quantises them itself, by their range. So the int8 values go in as floats beside two
 * more columns that hold -128 and 127 and have weight 0: the range is then exactly that
 * of an int8, scale 1 and zero point 0, and its conversion gives the values back.
 *
 * Of a dynamic operator the graph computes the sums alone (scale 1, bias 0: exact), because the
 * step it would find in floats is not the one that fc.h defines, and scales them afterwards.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xnnpack.h>

#include "kernels/clones.h"
#include "kernels/fc_impl.h"
#include "kernels/why.h"

#define RANGE 2		/* columns that pin the range */

struct graph_state {
	float *x;		/* [in + RANGE] */
	int8_t *weight;		/* [out][in + RANGE]; the graph borrows it */
	float *plain;		/* [out] ones, [out] zeros: scale and bias of sums; dynamic only */
	xnn_subgraph_t graph;
	xnn_runtime_t runtime;
};

static void close_graph(struct fc *fc)
{
	struct graph_state *s = fc->state;

	if (!s)
		return;
	if (s->runtime)
		xnn_delete_runtime(s->runtime);
	if (s->graph)
		xnn_delete_subgraph(s->graph);
	free(s->plain);
	free(s->weight);
	free(s->x);
	free(s);
}

/* x (external 0) -> int8 -> fully connected -> y (external 1) */
static enum xnn_status define(struct graph_state *s, const struct fc_spec *spec)
{
	size_t in = spec->in + RANGE, out = spec->out;
	const float *scale = s->plain ? s->plain : spec->scale;
	const float *bias = s->plain ? s->plain + out : spec->bias;
	size_t x_dims[] = { 1, in }, y_dims[] = { 1, out }, w_dims[] = { out, in };
	xnn_subgraph_t g;
	uint32_t x, q, w, b, y;
	enum xnn_status status;

	status = xnn_create_subgraph(2, 0, &s->graph);
	g = s->graph;
	if (status ||
	    (status = xnn_define_tensor_value(g, xnn_datatype_fp32, 2, x_dims, NULL, 0,
					      XNN_VALUE_FLAG_EXTERNAL_INPUT, &x)) ||
	    (status = xnn_define_dynamically_quantized_tensor_value(
		     g, xnn_datatype_qdint8, 2, 1, x_dims, XNN_INVALID_VALUE_ID, 0, &q)) ||
	    (status = xnn_define_channelwise_quantized_tensor_value(
		     g, xnn_datatype_qcint8, scale, 2, 0, w_dims, s->weight,
		     XNN_INVALID_VALUE_ID, 0, &w)) ||
	    (status = xnn_define_tensor_value(g, xnn_datatype_fp32, 1, &out, bias,
					      XNN_INVALID_VALUE_ID, 0, &b)) ||
	    (status = xnn_define_tensor_value(g, xnn_datatype_fp32, 2, y_dims, NULL, 1,
					      XNN_VALUE_FLAG_EXTERNAL_OUTPUT, &y)) ||
	    (status = xnn_define_unary(g, xnn_unary_convert, NULL, x, q, 0)))
		return status;
	return xnn_define_fully_connected(g, -INFINITY, INFINITY, q, w, b, y, 0);
}

static int open_graph(struct fc *fc, struct why *why)
{
	const struct fc_spec *spec = &fc->spec;
	struct xnn_external_value io[2];
	struct graph_state *s;
	enum xnn_status status;
	int err = fc_xnn_start(why);

	if (err)
		return err;
	s = calloc(1, sizeof *s);
	if (!s)
		return why_set(why, -ENOMEM, "out of memory");
	fc->state = s;
	s->x = fc_alloc((spec->in + RANGE) * sizeof *s->x);
	s->weight = fc_alloc((size_t)spec->out * (spec->in + RANGE));
	if (spec->dynamic)
		s->plain = fc_alloc(2 * (size_t)spec->out * sizeof *s->plain);
	if (!s->x || !s->weight || (spec->dynamic && !s->plain))
		return why_set(why, -ENOMEM, "out of memory");
	s->x[spec->in] = INT8_MIN;
	s->x[spec->in + 1] = INT8_MAX;
	for (size_t o = 0; o < spec->out; o++)
		memcpy(s->weight + o * (spec->in + RANGE), spec->weight + o * spec->in, spec->in);
	for (size_t o = 0; s->plain && o < spec->out; o++)
		s->plain[o] = 1;

	status = define(s, spec);
	if (status != xnn_status_success)
		return fc_xnn_error(status, "subgraph", why);
	status = xnn_create_runtime_v2(s->graph, NULL, 0, &s->runtime);
	if (status != xnn_status_success)
		return fc_xnn_error(status, "runtime", why);
	io[0] = (struct xnn_external_value){ .id = 0, .data = s->x };
	io[1] = (struct xnn_external_value){ .id = 1, .data = fc->y };
	status = xnn_reshape_runtime(s->runtime);
	if (status != xnn_status_success)
		return fc_xnn_error(status, "reshape", why);
	status = xnn_setup_runtime_v2(s->runtime, 2, io);
	return fc_xnn_error(status, "setup", why);
}

CLONES
static void scale_sums(struct fc *fc)
{
	const struct fc_spec *spec = &fc->spec;

	for (unsigned o = 0; o < spec->out; o++)
		fc->y[o] = fmaf(fc->y[o] * fc->step, spec->scale[o], spec->bias[o]);
}

static void run_graph(struct fc *fc)
{
	struct graph_state *s = fc->state;

	for (unsigned i = 0; i < fc->spec.in; i++)
		s->x[i] = fc->x[i];
	xnn_invoke_runtime(s->runtime);
	if (s->plain)
		scale_sums(fc);
}

const struct fc_ops fc_subgraph = {
	.name = "xnnpack-subgraph", .open = open_graph, .close = close_graph, .run = run_graph,
};
