// SPDX-License-Identifier: MIT
/* search_draw: see search_draw.h. */
#include "models/train/search_draw.h"

#include <errno.h>
#include <math.h>

#include "kernels/why.h"
#include "models/train/calibrate.h"
#include "models/train/draft.h"
#include "models/train/graph.h"
#include "models/train/judge.h"

#define ATTEMPTS 200u
#define ROWS_SEEN 256u		/* weights that mean nothing need no long look */

static const unsigned hiddens[] = { 8, 16, 24, 32, 48, 64, 96, 128 };
static const unsigned steps[] = { 16, 32, 64 };
static const unsigned windows[] = { 8, 16, 32 };
static const unsigned features[] = { 0, 2, 4, 8 };
const unsigned search_degrees[SEARCH_DEGREES] = { 2, 4, 8 };

#define DRAW(r, list) ((list)[below(r, sizeof(list) / sizeof((list)[0]))])

static unsigned below(struct random *r, unsigned n)
{
	return (unsigned)((random_next(r) >> 32) * n >> 32);
}

static bool same(const struct search_candidate *a, const struct search_candidate *b)
{
	return a->kind == b->kind && a->hidden == b->hidden && a->layers == b->layers &&
	       a->steps == b->steps && a->features == b->features && a->degree == b->degree;
}

static struct search_candidate draw_one(const struct search_options *o, unsigned channels,
					struct random *r)
{
	struct search_candidate c = { .kind = RECURRENT_FORECAST, .loss = NAN };
	bool both = o->kinds >> RECURRENT_FORECAST & o->kinds >> RECURRENT_AUTOENCODER & 1;

	if (!(o->kinds >> RECURRENT_FORECAST & 1) || (both && below(r, 2)))
		c.kind = RECURRENT_AUTOENCODER;
	c.hidden = DRAW(r, hiddens);
	c.layers = 1;
	if (c.kind == RECURRENT_AUTOENCODER) {
		c.steps = DRAW(r, windows);
		return c;
	}
	c.layers = 1 + below(r, 2);
	c.steps = DRAW(r, steps);
	/* A single sensor has nobody to be joined with. */
	c.features = channels > 1 ? DRAW(r, features) : 0;
	c.degree = c.features ? DRAW(r, search_degrees) : 0;
	return c;
}

bool search_draw(struct search_candidate *out, const struct search_candidate *c, unsigned n,
		 const struct search_options *o, unsigned channels, struct random *random)
{
	for (unsigned k = 0; k < ATTEMPTS; k++) {
		unsigned other = 0;

		*out = draw_one(o, channels, random);
		while (other < n && !same(&c[other], out))
			other++;
		if (other == n && (!o->hidden_max || out->hidden <= o->hidden_max) &&
		    (!out->degree || out->degree < channels))
			return true;
	}
	return false;
}

struct net_shape search_shape(const struct search_candidate *c, unsigned channels,
			      const struct graph *graph)
{
	struct net_shape s = { .kind = c->kind, .channels = channels, .hidden = c->hidden,
			       .layers = c->layers };

	if (c->kind == RECURRENT_AUTOENCODER)
		s.window = c->steps;
	for (unsigned k = 0; c->features && k < SEARCH_DEGREES; k++)
		if (search_degrees[k] == c->degree) {
			s.features = c->features;
			s.degree = graph[k].degree;
			s.neighbour = graph[k].neighbour;
			s.edge = graph[k].edge;
		}
	return s;
}

/* Anything that has the winner's size: what is usual is measured of the winner alone. */
static int place(struct draft *d, const struct net *net, bool quick)
{
	struct detector_spec *s = &d->m.spec;
	unsigned n = s->channels;
	float *one = draft_keep(d, n * sizeof(*one));
	float *weight = draft_keep(d, 2 * ((size_t)net->shape.hidden + QUICK_CHEAP) * sizeof(*weight));

	if (!one || !weight || net_spec(&s->recurrent, net, d))
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		one[i] = 1;
	s->recurrent_inv_sigma = one;
	s->view[VIEW_RECURRENT] = s->view[VIEW_FORECAST];
	s->view[VIEW_RECURRENT].weight = 1;
	if (quick)
		s->quick = (struct quick_spec){ .hidden = net->shape.hidden, .weight = weight,
						.bias = weight, .margin = 1 };
	return 0;
}

int search_cost(struct search_candidate *c, const struct model *base, const struct net *net,
		const struct recording *rec, const struct search_options *o, struct why *why)
{
	struct recording some = { .x = rec->x, .rows = rec->rows < ROWS_SEEN ? rec->rows : ROWS_SEEN };
	struct draft d = { .m = *base }, int8 = { 0 };
	const struct model *m = &int8.m;
	struct judge judge;
	int err = net ? place(&d, net, o->confidence > 0) : 0;

	if (err)
		err = why_set(why, err, "out of memory");
	judge_size(&judge, &d.m);
	if (!err)
		err = judge_int8(&judge, &int8, &d.m, &some, why);
	if (!err)
		err = judge_time(&c->us, &m, 1, some.x, some.rows, why);
	c->bytes = judge.int8_bytes;
	c->ram = judge.ram;
	c->fits = (!(o->max_us > 0) || c->us <= o->max_us) &&
		  (!o->max_bytes || c->bytes <= o->max_bytes) &&
		  (!o->max_ram || c->ram <= o->max_ram);
	draft_close(&int8);
	draft_close(&d);
	return err;
}
