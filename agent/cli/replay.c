// SPDX-License-Identifier: MIT
/*
 * replay: a recording through pipeline_step, the very function that the daemon runs, a
 * tick a row on a grid of the model's own period. No clock is read: the same file and
 * the same model give the same bits today, tomorrow and on another machine.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/config.h"
#include "agent/general.h"
#include "agent/pipeline.h"
#include "kernels/why.h"
#include "models/expand.h"
#include "models/model.h"
#include "models/table.h"

#define DEPARTED_MAX 8
#define RATE_SLACK 0.01	/* pipeline_model_open's own */

struct replay {
	struct cli *c;
	struct table *table;
	struct pipeline_config config;
	struct sensor_config sensor;
	unsigned column[FRAME_CHANNELS_MAX];	/* channel -> column of the table */
	struct pipeline_model *pm;
	struct pipeline pipeline;
	bool scores, alarms;
	sd_json_variant **score;	/* [rows], under -j */
	unsigned judged;		/* of score[] */
	sd_json_variant *alarm_list, *alarm;	/* alarm: the one that is on */
	uint64_t alarm_row, since_row;
	unsigned over_limit, alarm_count;
};

/* Settings: the defaults, then a configuration's, then the command line's. */
static int settings(struct replay *r)
{
	static const struct { const char *option, *key; } keys[] = {
		{ "--false-alarms", "false_alarms" },
		{ "--alarm", "alarm" },
		{ "--clear", "clear" },
	};
	const char *path = cli_value(r->c, "--config"), *name = cli_value(r->c, "pipeline");
	struct config *config = NULL;
	struct why why = { "" };
	bool found = !path;

	config_pipeline_init(&r->config);
	if (name && !path)
		return cli_usage(r->c, "pipeline NAME goes with --config");
	if (path && config_load(&config, path, false, NULL, NULL))
		return cli_error(r->c, "%s: see `sonde conf check`", path);
	for (unsigned i = 0; config && i < config->pipelines && !found; i++) {
		found = !name || !strcmp(config->pipeline[i].name, name);
		if (found)
			r->config = config->pipeline[i];
	}
	r->config.sensor = NULL;	/* the configuration's own; channels() makes ours */
	config_free(config);
	if (!found)
		return cli_error(r->c, "%s has no pipeline \"%s\"", path, name ? name : "");
	for (unsigned i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const char *value = cli_value(r->c, keys[i].option);

		if (value && config_pipeline_set(&r->config, keys[i].key, value, &why))
			return cli_usage(r->c, "%s %s: %s", keys[i].option, value, why.text);
	}
	return 0;
}

/* The table's columns that the model knows become the channels of one sensor. */
static int channels(struct replay *r, const struct model *m)
{
	struct sensor_config *s = &r->sensor;

	s->channel = calloc(m->spec.channels, sizeof(*s->channel));
	if (!s->channel)
		return -ENOMEM;
	for (unsigned i = 0; i < r->table->channels && s->channels < FRAME_CHANNELS_MAX; i++)
		for (unsigned k = 0; k < m->spec.channels; k++) {
			struct channel_config *ch = &s->channel[s->channels];

			if (strcmp(m->channel[k].name, r->table->name[i]))
				continue;
			if (s->channels == m->spec.channels)
				break;	/* the same name twice; the model's own is taken */
			snprintf(ch->name, sizeof(ch->name), "%s", m->channel[k].name);
			snprintf(ch->unit, sizeof(ch->unit), "%s", m->channel[k].unit);
			r->column[s->channels++] = i;
			break;
		}
	r->config.sensor = s;
	r->config.sensors = 1;
	r->config.channels = s->channels;
	return 0;
}

/* A general model takes the table's columns, measured as long as the daemon would. */
static int general(struct replay *r, struct model *m, struct why *why)
{
	const char *name[FRAME_CHANNELS_MAX];
	unsigned n = r->table->channels < FRAME_CHANNELS_MAX ? r->table->channels :
							       FRAME_CHANNELS_MAX;
	double rate = r->table->rate_hz > 0 ? r->table->rate_hz : m->rate_hz;

	for (unsigned i = 0; i < n; i++)
		name[i] = r->table->name[i];
	return model_expand(m, name, n, rate, general_online(rate), why);
}

static int load(struct replay *r, const char *path)
{
	const char *model_path = cli_value(r->c, "--model"), *base = strrchr(path, '/');
	struct model *m = NULL;
	struct why why = { "" };
	double rate;

	if (!model_path)
		return cli_usage(r->c, "what is missing: --model FILE");
	if (table_read(&r->table, path, &why) || model_load(&m, model_path, &why))
		return cli_error(r->c, "%s", why.text);
	if (general(r, m, &why)) {
		model_free(m);
		return cli_error(r->c, "%s", why.text);
	}
	/* The grid is the model's, so that the limit is the daemon's to the bit. */
	rate = r->table->rate_hz;
	r->config.rate_hz = rate && fabs(rate / m->rate_hz - 1) > RATE_SLACK ? rate : m->rate_hz;
	snprintf(r->config.name, sizeof(r->config.name), "%s", base ? base + 1 : path);
	if (channels(r, m) || pipeline_model_open(&r->pm, m, &r->config, FC_XNN, &why)) {
		model_free(m);
		return cli_error(r->c, "%s", *why.text ? why.text : "out of memory");
	}
	pipeline_init(&r->pipeline, r->config.channels, r->config.stale_s * 1e9);
	pipeline_swap(&r->pipeline, r->pm);
	return 0;
}

static int alarm_json(struct replay *r, uint64_t row, const unsigned *departed, unsigned n)
{
	sd_json_variant *names = NULL;
	int e = sd_json_build(&names, SD_JSON_BUILD_EMPTY_ARRAY);

	for (unsigned i = 0; e >= 0 && i < n; i++)
		e = sd_json_variant_append_arrayb(&names,
			SD_JSON_BUILD_STRING(r->sensor.channel[departed[i]].name));
	if (e >= 0)
		e = sd_json_buildo(&r->alarm, SD_JSON_BUILD_PAIR_UNSIGNED("row", row),
			SD_JSON_BUILD_PAIR_UNSIGNED("since_row", r->pipeline.verdict.run_tick - 1),
			SD_JSON_BUILD_PAIR_VARIANT("channels", names));
	sd_json_variant_unref(names);
	return e;
}

/* The alarm that was on is over at row (at the file's end: none). */
static int close_alarm(struct replay *r, uint64_t row, bool cleared)
{
	float peak = r->pipeline.verdict.peak;
	int e = 0;

	if (r->c->format == CLI_TEXT) {
		if (r->alarms && cleared)
			printf("# clear %llu peak %.9g\n", (unsigned long long)row, peak);
		return 0;
	}
	if (cleared)
		e = sd_json_variant_set_field_unsigned(&r->alarm, "clear_row", row);
	if (e >= 0)
		e = sd_json_variant_set_fieldb(&r->alarm, "peak",
					       SD_JSON_BUILD_REAL(cli_float(peak)));
	if (e >= 0)
		e = sd_json_variant_append_array(&r->alarm_list, r->alarm);
	r->alarm = sd_json_variant_unref(r->alarm);
	return e;
}

static int open_alarm(struct replay *r, uint64_t row)
{
	unsigned departed[DEPARTED_MAX];
	unsigned n = pipeline_departed(&r->pipeline, departed, DEPARTED_MAX);

	r->alarm_count++;
	if (r->c->format != CLI_TEXT)
		return alarm_json(r, row, departed, n);
	if (!r->alarms)
		return 0;
	printf("# alarm %llu since %llu:", (unsigned long long)row,
	       (unsigned long long)r->pipeline.verdict.run_tick - 1);
	for (unsigned i = 0; i < n; i++)
		printf("%s %s", i ? "," : "", r->sensor.channel[departed[i]].name);
	putchar('\n');
	return 0;
}

static int put_score(struct replay *r, uint64_t row, const struct pipeline_result *result)
{
	int e;

	r->over_limit += result->scored && result->score > result->limit;
	if (r->c->format == CLI_TEXT) {
		if (r->scores && result->scored)
			printf("%llu %.9g\n", (unsigned long long)row, result->score);
		else if (r->scores)
			printf("%llu -\n", (unsigned long long)row);
		return 0;
	}
	e = sd_json_variant_new_real(&r->score[row],
				     result->scored ? cli_float(result->score) : NAN);
	if (e >= 0)
		r->judged++;
	return e;
}

static int run(struct replay *r)
{
	const struct table *t = r->table;
	double period_ns = 1e9 / r->config.rate_hz;
	struct pipeline_result result;
	int e = 0;

	for (uint64_t row = 0; e >= 0 && row < t->rows; row++) {
		/* Time 0 would mean "never". */
		uint64_t t_ns = (row + 1) * period_ns;

		for (unsigned i = 0; i < r->config.channels; i++) {
			float v = t->value[row * t->channels + r->column[i]];

			if (isfinite(v))
				frame_put(&r->pipeline.frame, i, v, t_ns);
			else
				frame_fail(&r->pipeline.frame, i, CHANNEL_FAULTY,
					   FAULT_NAN);
		}
		pipeline_step(&r->pipeline, t_ns, &result);
		e = put_score(r, row, &result);
		if (e >= 0 && result.change == VERDICT_ALARM)
			e = open_alarm(r, row);
		else if (e >= 0 && result.change == VERDICT_CLEAR)
			e = close_alarm(r, row, true);
	}
	if (e >= 0 && r->pipeline.verdict.alarm)
		e = close_alarm(r, t->rows, false);
	return e;
}

static int report(struct replay *r, int e)
{
	const struct model *m = r->pm->model;
	sd_json_variant *scores = NULL, *v = NULL;

	if (e >= 0)
		e = sd_json_variant_new_array(&scores, r->score, r->judged);
	if (e >= 0 && !r->alarm_list)
		e = sd_json_build(&r->alarm_list, SD_JSON_BUILD_EMPTY_ARRAY);
	if (e >= 0)
		e = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("model", m->name),
			SD_JSON_BUILD_PAIR_STRING("precision", model_precision(m)),
			SD_JSON_BUILD_PAIR_STRING("data_sha256", r->table->sha256),
			SD_JSON_BUILD_PAIR_REAL("rate_hz", r->config.rate_hz),
			SD_JSON_BUILD_PAIR_UNSIGNED("rows", r->table->rows),
			SD_JSON_BUILD_PAIR_REAL("limit", cli_float(r->pm->verdict.limit)),
			SD_JSON_BUILD_PAIR_REAL("limit_end", cli_float(r->pipeline.verdict.limit_now)),
			SD_JSON_BUILD_PAIR_UNSIGNED("over_limit", r->over_limit),
			SD_JSON_BUILD_PAIR_CONDITION(r->scores, "scores",
						     SD_JSON_BUILD_VARIANT(scores)),
			SD_JSON_BUILD_PAIR_CONDITION(r->alarms, "alarms",
						     SD_JSON_BUILD_VARIANT(r->alarm_list)));
	sd_json_variant_unref(scores);
	return cli_json(r->c, e, &v);
}

int replay_run(struct cli *c, int argc, char **argv)
{
	struct replay *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return cli_error(c, "out of memory");
	r->c = c;
	r->scores = cli_value(c, "--scores") || !cli_value(c, "--alarms");
	r->alarms = cli_value(c, "--alarms") || !cli_value(c, "--scores");
	e = settings(r);
	if (!e)
		e = load(r, argv[0]);
	if (e)
		goto out;
	r->score = calloc(r->table->rows + 1, sizeof(*r->score));
	e = r->score ? run(r) : -ENOMEM;
	if (c->format != CLI_TEXT)
		e = report(r, e);
	else if (e < 0)
		e = cli_error(c, "%s", strerror(-e));
	else if (r->alarms)
		printf("# %u rows, %u over the limit %.9g, %u alarms\n", r->table->rows,
		       r->over_limit, r->pm->verdict.limit, r->alarm_count);
out:
	if (r->score)	/* frees the array as well */
		sd_json_variant_unref_many(r->score, r->judged);
	sd_json_variant_unref(r->alarm_list);
	sd_json_variant_unref(r->alarm);
	pipeline_model_close(r->pm);
	free(r->sensor.channel);
	table_free(r->table);
	free(r);
	return e;
}
