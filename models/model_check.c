// SPDX-License-Identifier: MIT
/*
 * model_check: may a detector run on this? Made of a file before first use and of
 * a trained model before it is written. Every reason names the tensor, the index
 * and the number. What it can not know is whether the numbers are good: that is
 * the self-test's and the held-out data's matter.
 */
#include "models/model_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/quant.h"
#include "kernels/why.h"
#include "models/text.h"

static int check_subspace_sizes(const struct detector_spec *s, struct why *why)
{
	const struct subspace_spec *p = &s->subspace;
	uint64_t cells = (uint64_t)p->lags * s->channels;

	if (!p->lags || cells > MODEL_COLUMNS_MAX)
		return why_set(why, -EINVAL, "%u subspace lags of %u channels, expected 1 to %u",
			       p->lags, s->channels, MODEL_COLUMNS_MAX / s->channels);
	if (!p->rank || p->rank > cells)
		return why_set(why, -EINVAL, "subspace of rank %u in %" PRIu64 " columns", p->rank,
			       cells);
	return 0;
}

static int check_recurrent_sizes(const struct detector_spec *s, struct why *why)
{
	const struct recurrent_spec *r = &s->recurrent;

	if (!r->hidden || r->hidden > MODEL_HIDDEN_MAX)
		return why_set(why, -EINVAL, "hidden %u, expected 1 to %d", r->hidden,
			       MODEL_HIDDEN_MAX);
	if (!r->layers || r->layers > (r->kind == RECURRENT_FORECAST ? RECURRENT_LAYERS_MAX : 1))
		return why_set(why, -EINVAL, "%u layers", r->layers);
	if ((r->kind == RECURRENT_AUTOENCODER) != (r->window != 0) ||
	    r->window > RECURRENT_WINDOW_MAX)
		return why_set(why, -EINVAL, "window of %u rows", r->window);
	if (!r->graph.features != !r->graph.degree || r->graph.features > GRAPH_FEATURES_MAX ||
	    r->graph.degree > GRAPH_DEGREE_MAX ||
	    (r->graph.features && r->kind != RECURRENT_FORECAST))
		return why_set(why, -EINVAL, "a graph of degree %u with %u features",
			       r->graph.degree, r->graph.features);
	if (s->quick.hidden && s->quick.hidden != r->hidden)
		return why_set(why, -EINVAL, "a quick head of %u for %u hidden", s->quick.hidden,
			       r->hidden);
	return 0;
}

int model_check_sizes(const struct model *m, struct why *why)
{
	const struct detector_spec *s = &m->spec;
	int err = 0;

	if (!s->channels || s->channels > MODEL_CHANNELS_MAX)
		return why_set(why, -EINVAL, "%u channels, expected 1 to %d", s->channels,
			       MODEL_CHANNELS_MAX);
	if (!s->lags || (uint64_t)s->lags * s->channels > MODEL_COLUMNS_MAX)
		return why_set(why, -EINVAL, "%u lags of %u channels, expected 1 to %u", s->lags,
			       s->channels, MODEL_COLUMNS_MAX / s->channels);
	if (m->test_rows > MODEL_TEST_ROWS_MAX)
		return why_set(why, -EINVAL, "%u self-test rows, expected at most %d",
			       m->test_rows, MODEL_TEST_ROWS_MAX);
	if (s->view[VIEW_SUBSPACE].weight > 0)
		err = check_subspace_sizes(s, why);
	if (!err && s->recurrent.kind != RECURRENT_NONE)
		err = check_recurrent_sizes(s, why);
	return err;
}

/* A text field of ours: NUL-terminated within its size and fit to be shown. */
static bool shown(const char *s, size_t size)
{
	size_t len = strnlen(s, size);

	return len < size && text_printable(s, len);
}

static int by_name(const void *a, const void *b)
{
	const struct model_channel *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int check_names(const struct model *m, struct why *why)
{
	const struct model_channel **sorted;
	unsigned n = m->spec.channels;
	int err = 0;

	if (!*m->name || !shown(m->name, sizeof m->name))
		return why_set(why, -EINVAL, "the model's name is empty or unprintable");
	if (!m->channel)
		return why_set(why, -EINVAL, "no channel names");
	sorted = calloc(n, sizeof *sorted);
	if (!sorted)
		return why_set(why, -ENOMEM, "no memory for %u names", n);
	for (unsigned i = 0; i < n && !err; i++) {
		const struct model_channel *c = &m->channel[i];

		sorted[i] = c;
		if (!*c->name || !shown(c->name, sizeof c->name))
			err = why_set(why, -EINVAL, "channel %u: name is empty or unprintable", i);
		else if (!shown(c->unit, sizeof c->unit))
			err = why_set(why, -EINVAL, "channel %s: unit is unprintable", c->name);
	}
	if (!err)
		qsort(sorted, n, sizeof *sorted, by_name);
	for (unsigned i = 1; i < n && !err; i++)
		if (!strcmp(sorted[i - 1]->name, sorted[i]->name))
			err = why_set(why, -EINVAL, "two channels have the name %s",
				      sorted[i]->name);
	free(sorted);
	return err;
}

/* A weight beyond this makes infinities of values that a sensor may well have. */
#define MODEST_MAX 1e6f

#define LOG_MAX 100.0f

static bool obeys(float v, enum model_rule rule)
{
	switch (rule) {
	case RULE_ANY:
		return isfinite(v);
	case RULE_MAYBE_NAN:
		return !isinf(v);
	case RULE_NOT_NEGATIVE:
		return v >= 0 && isfinite(v);
	case RULE_MODEST:
		return v >= 0 && v <= MODEST_MAX;
	case RULE_POSITIVE:
		return v > 0 && isfinite(v);
	case RULE_NORMAL:
		return v > 0 && isnormal(v);
	case RULE_LOG:
		return fabsf(v) <= LOG_MAX;
	default:
		return v == 0 || v == 1;
	}
}

static const char *rule_text(enum model_rule rule)
{
	static const char *const text[] = {
		[RULE_ANY] = "finite", [RULE_MAYBE_NAN] = "finite or NaN",
		[RULE_NOT_NEGATIVE] = "finite and not negative",
		[RULE_MODEST] = "0 to 1e+06", [RULE_POSITIVE] = "finite and above 0",
		[RULE_NORMAL] = "normal and above 0", [RULE_ZERO_OR_ONE] = "0 or 1",
		[RULE_LOG] = "-100 to 100",
	};

	return text[rule];
}

static int check_numbers(const char *name, const float *v, size_t n, enum model_rule rule,
			 struct why *why)
{
	for (size_t i = 0; i < n; i++)
		if (!obeys(v[i], rule))
			return why_set(why, -EINVAL, "tensor %s: element %zu is %g, must be %s",
				       name, i, (double)v[i], rule_text(rule));
	return 0;
}

static int check_int8(const char *name, const int8_t *v, size_t n, struct why *why)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] < -QUANT_MAX)
			return why_set(why, -EINVAL, "tensor %s: element %zu is %d, must be at "
				       "least %d", name, i, v[i], -QUANT_MAX);
	return 0;
}

static int check_nodes(const char *name, const int32_t *v, size_t n, unsigned nodes,
		       struct why *why)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] < -1 || v[i] >= (int32_t)nodes)
			return why_set(why, -EINVAL, "tensor %s: element %zu is %d, must be -1 or "
				       "a channel below %u", name, i, (int)v[i], nodes);
	return 0;
}

static int check_tail(const char *name, const struct tail *t, struct why *why)
{
	int err = check_numbers(name, t->knot, TAIL_KNOTS, RULE_ANY, why);

	for (unsigned i = 1; !err && i < TAIL_KNOTS; i++)
		if (t->knot[i] < t->knot[i - 1])
			err = why_set(why, -EINVAL, "tensor %s: knot %u is %g, below knot %u "
				      "with %g", name, i, (double)t->knot[i], i - 1,
				      (double)t->knot[i - 1]);
	if (!err && !obeys(t->slope, RULE_POSITIVE))
		err = why_set(why, -EINVAL, "tensor %s: the slope is %g, must be finite and "
			      "above 0", name, (double)t->slope);
	return err;
}

/* An operator is int8 or float as the whole model is, and has the shape of its place. */
static int check_shape(const struct model_field *f, struct why *why)
{
	if (f->fc->out != f->shape[0] || f->fc->in != f->shape[1])
		return why_set(why, -EINVAL, "tensor %s has shape [%u, %u], expected [%" PRIu64
			       ", %" PRIu64 "]", f->name, f->fc->out, f->fc->in, f->shape[0],
			       f->shape[1]);
	if (f->fc->weight && f->fc->weight_f32)
		return why_set(why, -EINVAL, "tensor %s is both I8 and F32", f->name);
	if (f->i8 ? f->fc->weight_f32 != NULL : f->fc->weight != NULL)
		return why_set(why, -EINVAL, "tensor %s is %s, the linear part is not", f->name,
			       f->i8 ? "F32" : "I8");
	return 0;
}

static int check_field(const struct model_field *f, unsigned channels, struct why *why)
{
	size_t n = f->shape[0] * (f->dims == 2 ? f->shape[1] : 1);
	int err = f->fc ? check_shape(f, why) : 0;

	if (err)
		return err;
	if (f->tail)
		return check_tail(f->name, f->tail, why);
	if (f->f32 ? !*f->f32 : f->i8 ? !*f->i8 : !*f->i32)
		return why_set(why, -EINVAL, "tensor %s is missing", f->name);
	if (f->i8)
		return check_int8(f->name, *f->i8, n, why);
	if (f->i32)
		return check_nodes(f->name, *f->i32, n, channels, why);
	return check_numbers(f->name, *f->f32, n, f->rule, why);
}

static int check_tensors(const struct model *m, struct why *why)
{
	struct model copy = *m;		/* the table of fields points into it */
	struct model_field field[MODEL_FIELDS_MAX];
	unsigned n = model_fields(&copy, m->spec.linear.weight != NULL, field);
	int err = 0;

	for (unsigned i = 0; !err && i < n; i++)
		err = check_field(&field[i], m->spec.channels, why);
	return err;
}

static int check_range(const char *what, float v, float least, float most, struct why *why)
{
	return v >= least && v <= most ? 0 :
	       why_set(why, -EINVAL, "%s is %g, expected %g to %g", what, (double)v,
		       (double)least, (double)most);
}

/* The scalars of the views, which are text in the file. */
static int check_views(const struct detector_spec *s, struct why *why)
{
	bool any = false;
	int err = check_range("z_clip", s->z_clip, 0.1f, 1000, why);

	for (unsigned v = 0; !err && v < VIEWS; v++) {
		const struct view_spec *view = &s->view[v];
		const char *name = detector_view_name((enum detector_view)v);

		if (!obeys(view->weight, RULE_MODEST))
			err = why_set(why, -EINVAL, "view %s: weight %g", name,
				      (double)view->weight);
		else if (!obeys(view->scale, RULE_NOT_NEGATIVE))
			err = why_set(why, -EINVAL, "view %s: scale is %g", name,
				      (double)view->scale);
		else if (!(view->smooth > 0 && view->smooth <= 1))
			err = why_set(why, -EINVAL, "view %s: smooth is %g, must be above 0 and at "
				      "most 1", name, (double)view->smooth);
		any |= view->weight > 0;
	}
	if (!err && !any)
		err = why_set(why, -EINVAL, "no view has a weight");
	if (!err && s->view[VIEW_RECURRENT].weight > 0 && s->recurrent.kind == RECURRENT_NONE)
		err = why_set(why, -EINVAL, "view recurrent has a weight but no net");
	for (unsigned v = VIEW_LEFT; !err && v <= VIEW_CODE; v++)
		if (s->view[v].weight > 0 && !(s->view[VIEW_SUBSPACE].weight > 0))
			err = why_set(why, -EINVAL, "view %s reads a subspace that is not there",
				      detector_view_name((enum detector_view)v));
	if (!err)
		err = check_range("spread_rate", s->spread_rate, 1e-6f, 1, why);
	if (!err && s->view[VIEW_SUBSPACE].weight > 0)
		err = check_range("subspace.code_clip", s->subspace.code_clip, 0.1f, 1000, why);
	if (!err && s->quick.hidden)
		err = check_range("quick.margin", s->quick.margin, -100, 100, why);
	return err;
}

unsigned model_test_rows(const struct detector_spec *s)
{
	uint64_t cost = (uint64_t)s->linear.in * s->linear.out, rows;

	cost += recurrent_cost(&s->recurrent);
	if (s->view[VIEW_SUBSPACE].weight > 0)
		cost += 2 * (uint64_t)s->subspace.encode.in * s->subspace.encode.out;
	rows = MODEL_TEST_COST_MAX / cost;
	return rows < MODEL_TEST_ROWS_MAX ? (unsigned)rows : MODEL_TEST_ROWS_MAX;
}

/* Whoever loads a model runs its self-test: a small file must not keep them busy for minutes. */
static int check_cost(const struct model *m, struct why *why)
{
	unsigned most = model_test_rows(&m->spec);

	if (!most)
		return why_set(why, -EINVAL, "a row takes more than %u multiply-adds",
			       MODEL_TEST_COST_MAX);
	return m->test_rows <= most ? 0 :
	       why_set(why, -EINVAL, "%u self-test rows take more than %u multiply-adds, expected "
		       "at most %u", m->test_rows, MODEL_TEST_COST_MAX, most);
}

static int check_provenance(const struct model *m, struct why *why)
{
	size_t len = strnlen(m->data_sha256, sizeof m->data_sha256);

	if (!shown(m->created, sizeof m->created))
		return why_set(why, -EINVAL, "created is unprintable");
	if (len && (len != 64 || strspn(m->data_sha256, "0123456789abcdef") != 64))
		return why_set(why, -EINVAL, "data_sha256 is not 64 hexadecimal digits");
	if (!obeys(m->loss_linear, RULE_NOT_NEGATIVE) || !obeys(m->loss_net, RULE_NOT_NEGATIVE))
		return why_set(why, -EINVAL, "a loss of %g or %g is not possible",
			       (double)m->loss_linear, (double)m->loss_net);
	return 0;
}

int model_check(const struct model *m, struct why *why)
{
	int err;

	err = model_check_sizes(m, why);
	if (!err)
		err = check_names(m, why);
	if (!err && !(m->rate_hz > 0 && isfinite(m->rate_hz)))
		err = why_set(why, -EINVAL, "rate_hz is %g, must be finite and above 0",
			      m->rate_hz);
	if (!err && !obeys(m->point_limit, RULE_NOT_NEGATIVE))
		err = why_set(why, -EINVAL, "point_limit is %g", (double)m->point_limit);
	if (!err)
		err = check_views(&m->spec, why);
	if (!err)
		err = check_tensors(m, why);
	if (!err)
		err = check_cost(m, why);
	return err ? err : check_provenance(m, why);
}
