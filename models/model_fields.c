// SPDX-License-Identifier: MIT
/*
 * model_fields: the table of models/FORMAT.md in C. Whoever adds a tensor adds
 * it here, in model_check.c and there.
 */
#include "models/model_impl.h"

struct list {
	struct model_field *field;
	unsigned n;
};

static void add_vector(struct list *l, const char *name, uint64_t size, const float **target)
{
	l->field[l->n++] = (struct model_field){ .name = name, .dtype = ST_F32, .dims = 1,
						 .shape = { size }, .f32 = target };
}

static void add_tail(struct list *l, const char *name, struct tail *target)
{
	l->field[l->n++] = (struct model_field){ .name = name, .dtype = ST_F32, .dims = 1,
						 .shape = { TAIL_KNOTS + 1 }, .tail = target };
}

static void add_operator(struct list *l, const char *const name[3], bool int8,
			 struct fc_spec *fc, unsigned out, unsigned in)
{
	struct model_field f = { .name = name[0], .dims = 2, .shape = { out, in } };

	fc->out = out;
	fc->in = in;
	f.dtype = int8 ? ST_I8 : ST_F32;
	f.i8 = int8 ? &fc->weight : NULL;
	f.f32 = int8 ? NULL : &fc->weight_f32;
	l->field[l->n++] = f;
	if (int8)
		add_vector(l, name[1], out, &fc->scale);
	add_vector(l, name[2], out, &fc->bias);
}

unsigned model_fields(struct model *m, bool int8, struct model_field field[MODEL_FIELDS_MAX])
{
	static const char *const linear[] = { "linear.weight", "linear.scale", "linear.bias" };
	static const char *const gates[] = { "gates.weight", "gates.scale", "gates.bias" };
	static const char *const head[] = { "head.weight", "head.scale", "head.bias" };
	struct detector_spec *s = &m->spec;
	struct list l = { field, 0 };
	unsigned n = s->channels, h = s->hidden;

	add_vector(&l, "norm.mean", n, &s->mean);
	add_vector(&l, "norm.inv_std", n, &s->inv_std);
	add_vector(&l, "skip", n, &s->skip);
	add_operator(&l, linear, int8, &s->linear, n, s->lags * n);
	if (h) {
		add_operator(&l, gates, int8, &s->gates, 4 * h, n + h);
		add_operator(&l, head, int8, &s->head, n, h);
	}
	add_vector(&l, "white.inv_sigma", n, &s->inv_sigma);
	add_vector(&l, "level.weight", n, &s->level_weight);
	add_tail(&l, "tail.forecast", &s->forecast_tail);
	add_tail(&l, "tail.level", &s->level_tail);
	add_tail(&l, "tail.score", &m->tail);
	add_vector(&l, "departure", n, &m->departure);
	if (m->test_rows) {
		l.field[l.n++] = (struct model_field){ .name = "test.x", .dtype = ST_F32,
			.dims = 2, .shape = { m->test_rows, n }, .f32 = &m->test_x };
		add_vector(&l, "test.score", m->test_rows, &m->test_score);
	}
	return l.n;
}
