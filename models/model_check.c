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

int model_check_sizes(const struct model *m, struct why *why)
{
	const struct detector_spec *s = &m->spec;

	if (!s->channels || s->channels > MODEL_CHANNELS_MAX)
		return why_set(why, -EINVAL, "%u channels, expected 1 to %d", s->channels,
			       MODEL_CHANNELS_MAX);
	if (!s->lags || (uint64_t)s->lags * s->channels > MODEL_COLUMNS_MAX)
		return why_set(why, -EINVAL, "%u lags of %u channels, expected 1 to %u", s->lags,
			       s->channels, MODEL_COLUMNS_MAX / s->channels);
	if (s->hidden > MODEL_HIDDEN_MAX)
		return why_set(why, -EINVAL, "hidden %u, expected 0 to %d", s->hidden,
			       MODEL_HIDDEN_MAX);
	if (m->test_rows > MODEL_TEST_ROWS_MAX)
		return why_set(why, -EINVAL, "%u self-test rows, expected at most %d",
			       m->test_rows, MODEL_TEST_ROWS_MAX);
	return 0;
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

/* What a number may be; NaN fails every comparison and so every rule but MAYBE_NAN. */
enum rule { ANY, MAYBE_NAN, NOT_NEGATIVE, MODEST, POSITIVE, NORMAL, ZERO_OR_ONE };

/* A weight beyond this makes infinities of values that a sensor may well have. */
#define MODEST_MAX 1e6f

static bool obeys(float v, enum rule rule)
{
	switch (rule) {
	case ANY:
		return isfinite(v);
	case MAYBE_NAN:
		return !isinf(v);
	case NOT_NEGATIVE:
		return v >= 0 && isfinite(v);
	case MODEST:
		return v >= 0 && v <= MODEST_MAX;
	case POSITIVE:
		return v > 0 && isfinite(v);
	case NORMAL:
		return v > 0 && isnormal(v);
	default:
		return v == 0 || v == 1;
	}
}

static int check_numbers(const char *name, const float *v, size_t n, enum rule rule,
			 struct why *why)
{
	static const char *const rules[] = {
		[ANY] = "a finite number", [MAYBE_NAN] = "finite or NaN",
		[NOT_NEGATIVE] = "finite and not negative", [MODEST] = "from 0 to 1e6",
		[POSITIVE] = "finite and above 0",
		[NORMAL] = "a normal float above 0", [ZERO_OR_ONE] = "0 or 1",
	};

	if (!v)
		return why_set(why, -EINVAL, "tensor %s is missing", name);
	for (size_t i = 0; i < n; i++)
		if (!obeys(v[i], rule))
			return why_set(why, -EINVAL, "tensor %s: element %zu is %g, must be %s",
				       name, i, (double)v[i], rules[rule]);
	return 0;
}

/*
 * The rule of kernels/quant.h for weights as well: products of two -128 overflow
 * the int16 pairs that NEON kernels add up in.
 */
static int check_int8(const char *name, const int8_t *v, size_t n, struct why *why)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] < -QUANT_MAX)
			return why_set(why, -EINVAL, "tensor %s: element %zu is %d, must be at "
				       "least %d", name, i, v[i], -QUANT_MAX);
	return 0;
}

/* name: "NAME.weight", its length without ".weight" in the reasons' other tensors. */
static int check_operator(const char *const name[3], const struct fc_spec *fc, unsigned out,
			  unsigned in, bool int8, struct why *why)
{
	int err;

	if (fc->out != out || fc->in != in)
		return why_set(why, -EINVAL, "tensor %s has shape [%u, %u], expected [%u, %u]",
			       name[0], fc->out, fc->in, out, in);
	if (int8 ? !fc->weight : !!fc->weight)
		return why_set(why, -EINVAL, "tensor %s is %s, the linear part is not", name[0],
			       int8 ? "F32" : "I8");
	if (int8 && fc->weight_f32)
		return why_set(why, -EINVAL, "tensor %s is both I8 and F32", name[0]);
	err = int8 ? check_int8(name[0], fc->weight, (size_t)out * in, why) :
		     check_numbers(name[0], fc->weight_f32, (size_t)out * in, ANY, why);
	/* XNNPACK refuses a scale that is not normal. */
	if (!err && int8)
		err = check_numbers(name[1], fc->scale, out, NORMAL, why);
	if (!err)
		err = check_numbers(name[2], fc->bias, out, ANY, why);
	return err;
}

static int check_operators(const struct detector_spec *s, struct why *why)
{
	static const char *const linear[] = { "linear.weight", "linear.scale", "linear.bias" };
	static const char *const gates[] = { "gates.weight", "gates.scale", "gates.bias" };
	static const char *const head[] = { "head.weight", "head.scale", "head.bias" };
	unsigned n = s->channels, h = s->hidden;
	bool int8 = s->linear.weight;
	int err;

	err = check_operator(linear, &s->linear, n, s->lags * n, int8, why);
	if (err || !h)
		return err;
	err = check_operator(gates, &s->gates, 4 * h, n + h, int8, why);
	return err ? err : check_operator(head, &s->head, n, h, int8, why);
}

static int check_tail(const char *name, const struct tail *t, struct why *why)
{
	int err = check_numbers(name, t->knot, TAIL_KNOTS, ANY, why);

	for (unsigned i = 1; !err && i < TAIL_KNOTS; i++)
		if (t->knot[i] < t->knot[i - 1])
			err = why_set(why, -EINVAL, "tensor %s: knot %u is %g, below knot %u "
				      "with %g", name, i, (double)t->knot[i], i - 1,
				      (double)t->knot[i - 1]);
	if (!err && !obeys(t->slope, POSITIVE))
		err = why_set(why, -EINVAL, "tensor %s: the slope is %g, must be finite and "
			      "above 0", name, (double)t->slope);
	return err;
}

static int check_vectors(const struct model *m, struct why *why)
{
	const struct detector_spec *s = &m->spec;
	unsigned n = s->channels;
	const struct {
		const char *name;
		const float *v;
		size_t n;
		enum rule rule;
	} all[] = {
		{ "norm.mean", s->mean, n, ANY },
		{ "norm.inv_std", s->inv_std, n, POSITIVE },
		{ "skip", s->skip, n, ZERO_OR_ONE },
		{ "white.inv_sigma", s->inv_sigma, n, MODEST },
		{ "level.weight", s->level_weight, n, MODEST },
		{ "departure", m->departure, n, NOT_NEGATIVE },
		{ "test.x", m->test_x, (size_t)m->test_rows * n, MAYBE_NAN },
		{ "test.score", m->test_score, m->test_rows, NOT_NEGATIVE },
	};
	int err = 0;

	for (unsigned i = 0; !err && i < sizeof all / sizeof *all; i++)
		if (all[i].n)
			err = check_numbers(all[i].name, all[i].v, all[i].n, all[i].rule, why);
	for (unsigned i = 0; !err && i < n; i++)
		if (s->skip[i] != 0 && s->level_weight[i] != 0)
			err = why_set(why, -EINVAL, "tensor level.weight: element %u is %g where "
				      "skip is 1, must be 0", i, (double)s->level_weight[i]);
	return err;
}

static int check_smooth(const char *name, float a, struct why *why)
{
	return a > 0 && a <= 1 ? 0 : why_set(why, -EINVAL, "smooth.%s is %g, must be above 0 and "
					     "at most 1", name, (double)a);
}

static int check_provenance(const struct model *m, struct why *why)
{
	size_t len = strnlen(m->data_sha256, sizeof m->data_sha256);

	if (!shown(m->created, sizeof m->created))
		return why_set(why, -EINVAL, "created is unprintable");
	if (len && (len != 64 || strspn(m->data_sha256, "0123456789abcdef") != 64))
		return why_set(why, -EINVAL, "data_sha256 is not 64 hexadecimal digits");
	if (!obeys(m->loss_linear, NOT_NEGATIVE) || !obeys(m->loss_net, NOT_NEGATIVE))
		return why_set(why, -EINVAL, "a loss of %g or %g is not possible",
			       (double)m->loss_linear, (double)m->loss_net);
	return 0;
}

int model_check(const struct model *m, struct why *why)
{
	const struct detector_spec *s = &m->spec;
	int err;

	err = model_check_sizes(m, why);
	if (!err)
		err = check_names(m, why);
	if (!err && !(m->rate_hz > 0 && isfinite(m->rate_hz)))
		err = why_set(why, -EINVAL, "rate_hz is %g, must be finite and above 0",
			      m->rate_hz);
	if (!err)
		err = check_smooth("forecast", s->forecast_smooth, why);
	if (!err)
		err = check_smooth("level", s->level_smooth, why);
	if (!err)
		err = check_vectors(m, why);
	if (!err)
		err = check_operators(s, why);
	if (!err)
		err = check_tail("tail.forecast", &s->forecast_tail, why);
	if (!err)
		err = check_tail("tail.level", &s->level_tail, why);
	if (!err)
		err = check_tail("tail.score", &m->tail, why);
	if (!err)
		err = check_provenance(m, why);
	return err;
}
