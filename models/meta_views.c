// SPDX-License-Identifier: MIT
/*
 * meta_views: the part of a model's text that is about its detector: which views
 * it has and the few scalars that are no tensors. Sizes that do not fit an unsigned
 * are refused here, everything else is model_check's matter.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/quant.h"
#include "kernels/why.h"
#include "models/meta.h"
#include "models/meta_json.h"
#include "models/model.h"

static const char *const kinds[] = {
	[RECURRENT_FORECAST] = "forecast", [RECURRENT_AUTOENCODER] = "autoencoder",
};

static int take_size(const struct json_from *f, const char *key, bool needed, unsigned *out)
{
	uint64_t v = *out;
	int err = json_unsigned(f, key, needed, &v);

	if (!err && v > MODEL_COLUMNS_MAX)
		err = why_set(f->why, -EINVAL, "%s: \"%s\" of %" PRIu64 " is too large", f->what,
			      key, v);
	*out = (unsigned)v;
	return err;
}

/* With other numbers in the weights' place the scores would be silently wrong. */
static int take_quantisation(struct model *m, const struct json_from *top)
{
	char activation[16] = "static";
	struct json_from q;
	uint64_t max = 0;
	int err;

	err = json_member(top, "quantisation", true, &q);
	if (!err)
		err = json_unsigned(&q, "max", true, &max);
	if (!err)
		err = json_text(&q, "activation", false, activation, sizeof activation);
	if (!err && max != QUANT_MAX)
		err = why_set(top->why, -EINVAL, "quantised in %" PRIu64 " steps, expected %d",
			      max, QUANT_MAX);
	m->dynamic = !strcmp(activation, "dynamic");
	if (!err && !m->dynamic && strcmp(activation, "static"))
		err = why_set(top->why, -EINVAL, "activation \"%s\" is neither static nor dynamic",
			      activation);
	return err;
}

static int take_views(struct detector_spec *s, const struct json_from *top)
{
	struct json_from all;
	int err = json_member(top, "views", true, &all);

	for (unsigned v = 0; !err && v < VIEWS; v++) {
		struct json_from view;

		err = json_member(&all, detector_view_name((enum detector_view)v), true, &view);
		if (!err)
			err = json_float(&view, "weight", true, &s->view[v].weight);
		if (!err)
			err = json_float(&view, "smooth", true, &s->view[v].smooth);
		if (!err)
			err = json_float(&view, "scale", true, &s->view[v].scale);
	}
	return err;
}

static int take_recurrent(struct detector_spec *s, const struct json_from *top)
{
	struct recurrent_spec *r = &s->recurrent;
	char kind[16] = "";
	struct json_from from;
	int err;

	err = json_member(top, "recurrent", false, &from);
	if (err || !from.v)
		return err;
	err = json_text(&from, "kind", true, kind, sizeof kind);
	for (unsigned k = RECURRENT_FORECAST; k <= RECURRENT_AUTOENCODER; k++)
		if (!strcmp(kind, kinds[k]))
			r->kind = (enum recurrent_kind)k;
	if (!err && r->kind == RECURRENT_NONE)
		err = why_set(top->why, -EINVAL, "recurrent: kind \"%s\" is neither forecast nor "
			      "autoencoder", kind);
	if (!err)
		err = take_size(&from, "hidden", true, &r->hidden);
	if (!err)
		err = take_size(&from, "layers", true, &r->layers);
	if (!err)
		err = take_size(&from, "window", false, &r->window);
	if (!err)
		err = take_size(&from, "features", false, &r->graph.features);
	if (!err)
		err = take_size(&from, "degree", false, &r->graph.degree);
	return err;
}

static int take_quick(struct detector_spec *s, const struct json_from *top)
{
	struct json_from from;
	int err = json_member(top, "quick", false, &from);

	if (err || !from.v)
		return err;
	s->quick.hidden = s->recurrent.hidden;
	return json_float(&from, "margin", true, &s->quick.margin);
}

int meta_views_parse(struct model *m, bool int8, const struct json_from *top)
{
	struct detector_spec *s = &m->spec;
	struct json_from from;
	int err;

	if (int8) {
		err = take_quantisation(m, top);
		if (err)
			return err;
	}
	err = take_size(top, "lags", true, &s->lags);
	if (!err)
		err = take_size(top, "online", false, &s->online);
	if (!err)
		err = take_size(top, "spread_online", false, &s->spread.online);
	if (!err)
		err = json_float(top, "z_clip", true, &s->z_clip);
	if (!err)
		err = take_views(s, top);
	if (!err)
		err = json_float(top, "spread_rate", true, &s->spread_rate);
	if (!err && s->view[VIEW_SUBSPACE].weight > 0) {
		err = json_member(top, "subspace", true, &from);
		if (!err)
			err = take_size(&from, "lags", true, &s->subspace.lags);
		if (!err)
			err = take_size(&from, "rank", true, &s->subspace.rank);
		if (!err)
			err = json_float(&from, "code_clip", true, &s->subspace.code_clip);
	}
	if (!err)
		err = take_recurrent(s, top);
	return err ? err : take_quick(s, top);
}

void meta_put_float(FILE *out, const char *before, float v)
{
	char s[32];

	for (int digits = 6; digits <= 9; digits++) {
		snprintf(s, sizeof s, "%.*g", digits, (double)v);
		if (strtof(s, NULL) == v)
			break;
	}
	fprintf(out, "%s%s", before, s);
}

void meta_views_format(FILE *out, const struct model *m)
{
	const struct detector_spec *s = &m->spec;
	const struct recurrent_spec *r = &s->recurrent;

	fprintf(out, ",\"lags\":%u,\"online\":%u", s->lags, s->online);
	meta_put_float(out, ",\"z_clip\":", s->z_clip);
	if (s->linear.weight)
		fprintf(out, ",\"quantisation\":{\"max\":%d,\"activation\":\"%s\"}", QUANT_MAX,
			m->dynamic ? "dynamic" : "static");
	fputs(",\"views\":{", out);
	for (unsigned v = 0; v < VIEWS; v++) {
		fprintf(out, "%s\"%s\":", v ? "," : "", detector_view_name((enum detector_view)v));
		meta_put_float(out, "{\"weight\":", s->view[v].weight);
		meta_put_float(out, ",\"smooth\":", s->view[v].smooth);
		meta_put_float(out, ",\"scale\":", s->view[v].scale);
		putc('}', out);
	}
	putc('}', out);
	meta_put_float(out, ",\"spread_rate\":", s->spread_rate);
	if (s->spread.online)
		fprintf(out, ",\"spread_online\":%u", s->spread.online);
	if (s->view[VIEW_SUBSPACE].weight > 0) {
		fprintf(out, ",\"subspace\":{\"lags\":%u,\"rank\":%u", s->subspace.lags,
			s->subspace.rank);
		meta_put_float(out, ",\"code_clip\":", s->subspace.code_clip);
		putc('}', out);
	}
	if (r->kind != RECURRENT_NONE)
		fprintf(out, ",\"recurrent\":{\"kind\":\"%s\",\"hidden\":%u,\"layers\":%u,"
			"\"window\":%u,\"features\":%u,\"degree\":%u}", kinds[r->kind], r->hidden,
			r->layers, r->window, r->graph.features, r->graph.degree);
	if (s->quick.hidden) {
		meta_put_float(out, ",\"quick\":{\"margin\":", s->quick.margin);
		putc('}', out);
	}
}
