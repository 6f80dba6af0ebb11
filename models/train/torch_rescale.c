// SPDX-License-Identifier: MIT
/*
 * torch_rescale: a net that was trained on deviations of its own, told what they are in a
 * model's. z = a u + c for each channel: exact algebra on the weights, no approximation, so the
 * other views of a model need not know that its net came from elsewhere.
 */
#include <errno.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/draft.h"
#include "models/train/torch.h"

/* The net's deviations in the model's: z[i] = a[i] u[i] + c[i]. */
struct scale {
	const double *a, *c;
	unsigned n;
};

/* Columns at..at+n-1 read a u + c in place of z. */
static void read_scaled(float *weight, float *bias, const struct fc_spec *fc, unsigned at,
			const struct scale *s)
{
	for (unsigned o = 0; o < fc->out; o++) {
		float *row = weight + (size_t)o * fc->in + at;
		double shift = 0;

		for (unsigned i = 0; i < s->n; i++) {
			shift += row[i] * s->c[i];
			row[i] = (float)(row[i] * s->a[i]);
		}
		bias[o] = (float)(bias[o] + shift);
	}
}

/* Rows say u = (z - c) / a; without the c where they say a difference of two z. */
static void say_scaled(float *weight, float *bias, const struct fc_spec *fc, bool difference,
		       const struct scale *s)
{
	for (unsigned o = 0; o < fc->out; o++) {
		for (unsigned i = 0; i < fc->in; i++)
			weight[(size_t)o * fc->in + i] =
				(float)(weight[(size_t)o * fc->in + i] / s->a[o]);
		bias[o] = (float)((bias[o] - (difference ? 0 : s->c[o])) / s->a[o]);
	}
}

static int own(struct fc_spec *fc, struct draft *d, float **weight, float **bias)
{
	*weight = draft_copy(d, fc->weight_f32, (size_t)fc->out * fc->in * sizeof(float));
	*bias = draft_copy(d, fc->bias, fc->out * sizeof(float));
	if (!*weight || !*bias)
		return -ENOMEM;
	fc->weight_f32 = *weight;
	fc->bias = *bias;
	return 0;
}

/* A node reads its channel beside the state; what it is fused into is a forecast. */
static int scale_graph(struct graph_spec *g, struct draft *d, const struct scale *s)
{
	size_t cells = (size_t)g->nodes * g->features;
	float *by = draft_copy(d, g->own, cells * sizeof *by);
	float *fuse = draft_copy(d, g->fuse, cells * sizeof *fuse);
	float *bias = draft_copy(d, g->node.bias, cells * sizeof *bias);

	if (!by || !fuse || !bias)
		return -ENOMEM;
	for (size_t k = 0; k < cells; k++) {
		size_t i = k / g->features;

		bias[k] = (float)(bias[k] + by[k] * s->c[i]);
		by[k] = (float)(by[k] * s->a[i]);
		fuse[k] = (float)(fuse[k] / s->a[i]);
	}
	g->own = by;
	g->fuse = fuse;
	g->node.bias = bias;
	return 0;
}

static int scale_net(struct torch_net *net, struct draft *d, const struct scale *s)
{
	struct recurrent_spec *r = &net->recurrent;
	float *weight, *bias;
	int err = own(&r->gates[0], d, &weight, &bias);

	if (err)
		return err;
	read_scaled(weight, bias, &r->gates[0], 0, s);
	err = own(&r->head, d, &weight, &bias);
	if (err)
		return err;
	say_scaled(weight, bias, &r->head, r->kind == RECURRENT_FORECAST, s);
	if (r->graph.features)
		err = scale_graph(&r->graph, d, s);
	if (err || !net->linear.weight_f32)
		return err;
	err = own(&net->linear, d, &weight, &bias);
	if (err)
		return err;
	for (unsigned at = 0; at < net->linear.in; at += s->n)
		read_scaled(weight, bias, &net->linear, at, s);
	say_scaled(weight, bias, &net->linear, false, s);
	return 0;
}

int torch_rescale(struct torch_net *net, struct draft *d, const float *mean,
		  const float *inv_std, const float *wanders, struct why *why)
{
	unsigned n = net->recurrent.channels;
	double *a = draft_keep(d, n * sizeof *a), *c = draft_keep(d, n * sizeof *c);
	struct scale s = { a, c, n };
	bool equal = true;

	if (!net->mean)
		return 0;
	if (!a || !c)
		return why_set(why, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < n; i++) {
		if (net->wanders[i] != wanders[i])
			return why_set(why, -EINVAL, "channel %u: the net reads its %s, the model "
				       "its %s, as it %s: say what it reads in norm.wanders", i,
				       net->wanders[i] != 0 ? "change" : "value",
				       wanders[i] != 0 ? "change" : "value",
				       wanders[i] != 0 ? "wanders" : "returns to a level");
		a[i] = 1 / ((double)inv_std[i] * net->std[i]);
		c[i] = ((double)mean[i] - net->mean[i]) / net->std[i];
		equal &= mean[i] == net->mean[i] && 1 / inv_std[i] == net->std[i];
	}
	if (!equal && scale_net(net, d, &s))
		return why_set(why, -ENOMEM, "out of memory");
	return 0;
}
