// SPDX-License-Identifier: MIT
/*
 * model_fields: the table of models/FORMAT.md in C. Whoever adds a tensor adds
 * it here and there.
 */
#include "models/model_impl.h"

struct list {
	struct model_field *field;
	unsigned n;
	bool int8;
};

static void add_vector(struct list *l, const char *name, uint64_t size, const float **target,
		       enum model_rule rule)
{
	l->field[l->n++] = (struct model_field){ .name = name, .dtype = ST_F32, .rule = rule,
						 .dims = 1, .shape = { size }, .f32 = target };
}

static void add_matrix(struct list *l, const char *name, uint64_t rows, uint64_t columns,
		       const float **target, enum model_rule rule)
{
	l->field[l->n++] = (struct model_field){ .name = name, .dtype = ST_F32, .rule = rule,
						 .dims = 2, .shape = { rows, columns },
						 .f32 = target };
}

static void add_tail(struct list *l, const char *name, struct tail *target)
{
	l->field[l->n++] = (struct model_field){ .name = name, .dtype = ST_F32, .rule = RULE_TAIL,
						 .dims = 1, .shape = { TAIL_KNOTS + 1 },
						 .tail = target };
}

/* name: its weight, scale and bias. u: how many columns are u. */
static void add_operator(struct list *l, const char *const name[3], struct fc_spec *fc,
			 uint64_t out, uint64_t in, unsigned u)
{
	struct model_field f = { .name = name[0], .dims = 2, .shape = { out, in }, .fc = fc,
				 .u_columns = u };

	f.dtype = l->int8 ? ST_I8 : ST_F32;
	f.rule = l->int8 ? RULE_INT8 : RULE_ANY;
	f.i8 = l->int8 ? &fc->weight : NULL;
	f.f32 = l->int8 ? NULL : &fc->weight_f32;
	l->field[l->n++] = f;
	if (l->int8)
		add_vector(l, name[1], out, &fc->scale, RULE_NORMAL);
	add_vector(l, name[2], out, &fc->bias, RULE_ANY);
}

static void add_spread(struct list *l, const char *const name[3], struct spread_spec *s,
		       unsigned series)
{
	add_vector(l, name[0], series, &s->start, RULE_MODEST);
	add_vector(l, name[1], series, &s->center, RULE_LOG);
	add_vector(l, name[2], series, &s->inv_dev, RULE_MODEST);
}

static void add_views(struct list *l, struct detector_spec *s)
{
	static const char *const spread[3][3] = {
		{ "spread.start", "spread.center", "spread.inv_dev" },
		{ "left.start", "left.center", "left.inv_dev" },
		{ "code.start", "code.center", "code.inv_dev" } };
	static const char *const encode[] = {
		"subspace.encode.weight", "subspace.encode.scale", "subspace.encode.bias" };
	static const char *const decode[] = {
		"subspace.decode.weight", "subspace.decode.scale", "subspace.decode.bias" };
	unsigned n = s->channels;

	add_vector(l, "level.weight", n, &s->level_weight, RULE_MODEST);
	if (s->view[VIEW_SPREAD].weight > 0)
		add_spread(l, spread[0], &s->spread, n);
	if (s->view[VIEW_LEFT].weight > 0)
		add_spread(l, spread[1], &s->left, n);
	if (s->view[VIEW_CODE].weight > 0)
		add_spread(l, spread[2], &s->code, s->subspace.rank);
	if (s->view[VIEW_SUBSPACE].weight > 0) {
		uint64_t cells = (uint64_t)s->subspace.lags * n;

		add_operator(l, encode, &s->subspace.encode, s->subspace.rank, cells,
			     (unsigned)cells);
		add_operator(l, decode, &s->subspace.decode, cells, s->subspace.rank, 0);
		l->field[l->n - (l->int8 ? 3 : 2)].code = true;
		add_vector(l, "subspace.inv_sigma", cells, &s->subspace.inv_sigma, RULE_MODEST);
		add_vector(l, "subspace.inv_usual", n, &s->inv_usual, RULE_MODEST);
	}
}

static void add_graph(struct list *l, struct graph_spec *g)
{
	static const char *const node[] = { "node.weight", "node.scale", "node.bias" };
	unsigned n = g->nodes, f = g->features;

	l->field[l->n++] = (struct model_field){
		.name = "graph.neighbour", .dtype = ST_I32, .rule = RULE_NODE, .dims = 2,
		.shape = { n, g->degree }, .i32 = &g->neighbour };
	add_matrix(l, "graph.edge", n, g->degree, &g->edge, RULE_ANY);
	add_operator(l, node, &g->node, (uint64_t)n * f, g->node.in, 0);
	add_matrix(l, "graph.own", n, f, &g->own, RULE_ANY);
	add_matrix(l, "graph.mix", f, f, &g->mix, RULE_ANY);
	add_vector(l, "graph.mix_bias", f, &g->mix_bias, RULE_ANY);
	add_matrix(l, "graph.fuse", n, f, &g->fuse, RULE_ANY);
}

static void add_recurrent(struct list *l, struct detector_spec *s)
{
	static const char *const gates[2][3] = {
		{ "gates.weight", "gates.scale", "gates.bias" },
		{ "gates2.weight", "gates2.scale", "gates2.bias" } };
	static const char *const head[] = { "head.weight", "head.scale", "head.bias" };
	struct recurrent_spec *r = &s->recurrent;
	unsigned n = s->channels, h = r->hidden;

	r->channels = n;
	add_operator(l, gates[0], &r->gates[0], 4 * h, n + h, n);
	if (r->layers == 2 || r->kind == RECURRENT_AUTOENCODER)
		add_operator(l, gates[1], &r->gates[1], 4 * h, 2 * h, 0);
	add_operator(l, head, &r->head, n, h, 0);
	add_vector(l, "recurrent.inv_sigma", n, &s->recurrent_inv_sigma, RULE_MODEST);
	if (r->graph.features) {
		r->graph.nodes = n;
		r->graph.node.in = h;
		add_graph(l, &r->graph);
	}
	if (s->quick.hidden) {
		add_matrix(l, "quick.weight", 2, h + QUICK_CHEAP, &s->quick.weight, RULE_ANY);
		add_vector(l, "quick.bias", 2, &s->quick.bias, RULE_ANY);
	}
}

unsigned model_fields(struct model *m, bool int8, struct model_field field[MODEL_FIELDS_MAX])
{
	static const char *const linear[] = { "linear.weight", "linear.scale", "linear.bias" };
	struct detector_spec *s = &m->spec;
	struct list l = { field, 0, int8 };
	unsigned n = s->channels;

	add_vector(&l, "norm.mean", n, &s->mean, RULE_ANY);
	add_vector(&l, "norm.inv_std", n, &s->inv_std, RULE_POSITIVE);
	add_vector(&l, "wanders", n, &s->wanders, RULE_ZERO_OR_ONE);
	add_operator(&l, linear, &s->linear, n, (uint64_t)s->lags * n,
		     s->lags * n);
	add_vector(&l, "white.inv_sigma", n, &s->inv_sigma, RULE_MODEST);
	add_views(&l, s);
	if (s->recurrent.kind != RECURRENT_NONE)
		add_recurrent(&l, s);
	add_tail(&l, "tail.score", &m->tail);
	add_vector(&l, "departure", n, &m->departure, RULE_NOT_NEGATIVE);
	if (m->test_rows) {
		add_matrix(&l, "test.x", m->test_rows, n, &m->test_x, RULE_MAYBE_NAN);
		add_vector(&l, "test.score", m->test_rows, &m->test_score, RULE_NOT_NEGATIVE);
	}
	return l.n;
}
