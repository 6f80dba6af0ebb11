// SPDX-License-Identifier: MIT
/*
 * fit_net: see fit.h. The shape of the net, its lesson (teach.h), and whether it gained.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/data.h"
#include "models/train/draft.h"
#include "models/train/fit.h"
#include "models/train/net.h"
#include "models/train/teach.h"

static int shape_of(struct net_shape *shape, struct graph *own, const struct series *s,
		    const struct fit_options *o)
{
	const struct graph *g = o->graph;
	int err = 0;

	*shape = (struct net_shape){ .kind = o->net, .channels = s->channels, .hidden = o->hidden,
				     .layers = o->layers };
	if (o->net == RECURRENT_AUTOENCODER) {
		shape->layers = 1;
		shape->window = o->window;
		return 0;
	}
	/* A single sensor has nobody to be joined with. */
	if (!o->features || s->channels < 2)
		return 0;
	if (!g) {
		err = graph_build(own, s->u, s->valid, s->fit_rows, s->channels, o->degree);
		g = own;
	}
	shape->features = o->features;
	shape->degree = g->degree;
	shape->neighbour = g->neighbour;
	shape->edge = g->edge;
	return err;
}

static int train(struct net *net, struct lesson *lesson, const struct fit_options *o,
		 struct fit_report *r)
{
	int err = learn(net, lesson, &o->learn, &r->learn);

	r->tried_net = true;
	if (o->net == RECURRENT_FORECAST)
		r->linear_loss = r->learn.linear_loss;
	r->net_loss = r->learn.net_loss;
	return err;
}

int fit_net(struct draft *d, const struct series *s, const float *left,
	    const struct fit_options *o, struct fit_report *r, struct why *why)
{
	bool forecast = o->net == RECURRENT_FORECAST;
	struct graph own = { 0 };
	struct net_shape shape;
	struct net *net = NULL;
	struct teach teach;
	bool gains;
	int err = teach_open(&teach, s, forecast ? left : NULL, d->m.spec.lags);

	if (!err)
		err = shape_of(&shape, &own, s, o);
	if (!err)
		err = net_open(&net, &shape, o->seed);
	if (!err)
		err = train(net, &teach.lesson, o, r);
	gains = r->learn.net_loss < r->learn.linear_loss * (1 - FIT_GAIN_MIN);
	if (!err && (gains || o->views >> VIEW_RECURRENT & 1)) {
		teach_fold(net, teach.scale);
		err = net_spec(&d->m.spec.recurrent, net, d);
		r->hidden = o->hidden;
	}
	net_close(net);
	graph_close(&own);
	teach_close(&teach);
	return err ? why_set(why, err, err == -ENOMEM ? "out of memory" : "learning failed") : 0;
}
