// SPDX-License-Identifier: MIT
/*
 * meta_model: the text about the model in its file, schema 2. Keys that are not
 * known are passed over, so that a later writer may add some; a change of
 * meaning needs a new schema number.
 *
 * sd-json reads decimal fractions with an error of a few units in the last place of
 * a double. A float survives that; rate_hz, a double, is held to 12 digits on
 * both ways, so that it comes back the same.
 */
#include "models/meta.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/meta_json.h"
#include "models/model.h"

#define SCHEMA 2
#define RATE_FORMAT "%.12g"

static double round_rate(double hz)
{
	char s[32];

	snprintf(s, sizeof s, RATE_FORMAT, hz);
	return strtod(s, NULL);
}

static int parse_channels(struct model *m, const struct json_from *top, struct why *why)
{
	sd_json_variant *list = sd_json_variant_by_key(top->v, "channels");
	size_t n;
	int err = 0;

	if (!list || !sd_json_variant_is_array(list))
		return why_set(why, -EINVAL, "%s has no list of channels", top->what);
	n = sd_json_variant_elements(list);
	if (!n || n > MODEL_CHANNELS_MAX)
		return why_set(why, -EINVAL, "%zu channels, expected 1 to %d", n,
			       MODEL_CHANNELS_MAX);
	m->channel = calloc(n, sizeof *m->channel);
	if (!m->channel)
		return why_set(why, -ENOMEM, "no memory for %zu channels", n);
	m->spec.channels = (unsigned)n;
	for (unsigned i = 0; i < n && !err; i++) {
		char what[32];
		struct json_from c = { sd_json_variant_by_index(list, i), what, why };

		snprintf(what, sizeof what, "channel %u", i);
		err = json_check_object(c.v, what, why);
		if (!err)
			err = json_text(&c, "name", true, m->channel[i].name, MODEL_NAME_MAX);
		if (!err)
			err = json_text(&c, "unit", false, m->channel[i].unit, MODEL_UNIT_MAX);
	}
	return err;
}

static int parse_provenance(struct model *m, const struct json_from *top)
{
	struct json_from p;
	int err;

	err = json_member(top, "provenance", false, &p);
	if (err || !p.v)
		return err;
	err = json_text(&p, "created", false, m->created, sizeof m->created);
	if (!err)
		err = json_text(&p, "data_sha256", false, m->data_sha256, sizeof m->data_sha256);
	if (!err)
		err = json_unsigned(&p, "rows", false, &m->rows);
	if (!err)
		err = json_unsigned(&p, "seed", false, &m->seed);
	if (!err)
		err = json_float(&p, "loss_linear", false, &m->loss_linear);
	if (!err)
		err = json_float(&p, "loss_net", false, &m->loss_net);
	return err;
}

static int parse_all(struct model *m, bool *int8, const struct json_from *top, struct why *why)
{
	char precision[16] = "";
	uint64_t schema = 0;
	int err;

	err = json_unsigned(top, "schema", true, &schema);
	if (!err && schema != SCHEMA)
		err = why_set(why, -EINVAL, "schema %" PRIu64 ": this sonde reads schema %d",
			      schema, SCHEMA);
	if (!err)
		err = json_text(top, "name", true, m->name, sizeof m->name);
	if (!err)
		err = json_text(top, "precision", true, precision, sizeof precision);
	*int8 = !strcmp(precision, "int8");
	if (!err && !*int8 && strcmp(precision, "float32"))
		err = why_set(why, -EINVAL, "precision \"%s\" is neither int8 nor float32",
			      precision);
	if (!err)
		err = json_double(top, "rate_hz", true, &m->rate_hz);
	if (!err)
		err = json_float(top, "point_limit", false, &m->point_limit);
	if (!err)
		err = meta_views_parse(m, *int8, top);
	if (!err)
		err = parse_channels(m, top, why);
	if (!err)
		err = parse_provenance(m, top);
	m->rate_hz = round_rate(m->rate_hz);
	return err;
}

int meta_model_parse(struct model *m, bool *int8, const char *json, struct why *why)
{
	struct json_from top = { .what = "the \"sonde\" metadata", .why = why };
	int err;

	err = json_object(&top.v, json, top.what, why);
	if (err)
		return err;
	err = parse_all(m, int8, &top, why);
	sd_json_variant_unref(top.v);
	return err;
}

static int put_model(FILE *out, const struct model *m)
{
	const struct detector_spec *s = &m->spec;
	int err;

	fprintf(out, "{\"schema\":%d", SCHEMA);
	err = json_put(out, ",\"name\":", m->name);
	fprintf(out, ",\"precision\":\"%s\",\"rate_hz\":" RATE_FORMAT, model_precision(m),
		m->rate_hz);
	meta_put_float(out, ",\"point_limit\":", m->point_limit);
	meta_views_format(out, m);
	fputs(",\"channels\":[", out);
	for (unsigned i = 0; !err && i < s->channels; i++) {
		err = json_put(out, i ? ",{\"name\":" : "{\"name\":", m->channel[i].name);
		if (!err)
			err = json_put(out, ",\"unit\":", m->channel[i].unit);
		putc('}', out);
	}
	fputs("],\"provenance\":{", out);
	if (!err)
		err = json_put(out, "\"created\":", m->created);
	fprintf(out, ",\"data_sha256\":\"%s\",\"rows\":%" PRIu64 ",\"seed\":%" PRIu64,
		m->data_sha256, m->rows, m->seed);
	meta_put_float(out, ",\"loss_linear\":", m->loss_linear);
	meta_put_float(out, ",\"loss_net\":", m->loss_net);
	fputs("}}", out);
	return err;
}

int meta_model_format(char **json, const struct model *m)
{
	size_t size;
	FILE *out = open_memstream(json, &size);
	int err;

	if (!out)
		return -ENOMEM;
	err = put_model(out, m);
	if (ferror(out))
		err = -ENOMEM;
	if (fclose(out) && !err)
		err = -ENOMEM;
	if (err) {
		free(*json);
		*json = NULL;
	}
	return err;
}
