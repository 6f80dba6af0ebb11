// SPDX-License-Identifier: MIT
/*
 * control_json: the daemon's state and events as the JSON of control_idl.c.
 */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "agent/control_impl.h"
#include "agent/events.h"
#include "agent/profiler.h"
#include "agent/runner.h"
#include "agent/store.h"
#include "agent/version.h"

/* Append *v, which building gave with the result err, and let go of it. */
static int append(sd_json_variant **array, int err, sd_json_variant **v)
{
	if (err >= 0)
		err = sd_json_variant_append_array(array, *v);
	*v = sd_json_variant_unref(*v);
	return err < 0 ? err : 0;
}

/* An array that nothing was appended to is not there yet. */
static int ensure_array(sd_json_variant **array)
{
	return *array ? 0 : sd_json_variant_new_array(array, NULL, 0);
}

/* JSON has no infinity. */
static double bounded(double v)
{
	return isfinite(v) ? v : 0;
}

int control_json_notes(sd_json_variant **out, const struct daemon_notes *notes)
{
	sd_json_variant *v = NULL;
	int err = 0;

	*out = NULL;
	for (unsigned i = 0; i < notes->n && !err; i++) {
		err = append(out, sd_json_variant_new_string(&v, notes->text[i]), &v);
	}
	return err ? err : ensure_array(out);
}

int control_json_event(sd_json_variant **out, const struct store_event *e)
{
	sd_json_variant *channels = NULL;
	int err = sd_json_parse(e->channels, 0, &channels, NULL, NULL);

	*out = NULL;
	if (err >= 0)
		err = sd_json_buildo(out,
			SD_JSON_BUILD_PAIR_INTEGER("id", e->id),
			SD_JSON_BUILD_PAIR_STRING("pipeline", e->pipeline),
			SD_JSON_BUILD_PAIR_STRING("kind", e->kind),
			SD_JSON_BUILD_PAIR_INTEGER("start", e->start_realtime_ns),
			SD_JSON_BUILD_PAIR_CONDITION(e->end_realtime_ns != 0, "end",
				SD_JSON_BUILD_INTEGER(e->end_realtime_ns)),
			SD_JSON_BUILD_PAIR_REAL("score", bounded(e->score)),
			SD_JSON_BUILD_PAIR_REAL("limit", bounded(e->limit)),
			SD_JSON_BUILD_PAIR_REAL("peak", bounded(e->peak)),
			SD_JSON_BUILD_PAIR_VARIANT("channels", channels),
			SD_JSON_BUILD_PAIR_STRING("detail", e->detail),
			SD_JSON_BUILD_PAIR_BOOLEAN("trusted", e->trusted));
	sd_json_variant_unref(channels);
	return err < 0 ? err : 0;
}

static int json_channels(sd_json_variant **out, const struct pipeline_config *p)
{
	sd_json_variant *v = NULL;
	int err = 0;

	for (unsigned s = 0; s < p->sensors; s++)
		for (unsigned i = 0; i < p->sensor[s].channels && !err; i++) {
			const struct channel_config *c = &p->sensor[s].channel[i];

				err = append(out, sd_json_buildo(&v,
				SD_JSON_BUILD_PAIR_STRING("name", c->name),
				SD_JSON_BUILD_PAIR_STRING("unit", c->unit),
				SD_JSON_BUILD_PAIR_STRING("sensor", p->sensor[s].name)), &v);
		}
	return err ? err : ensure_array(out);
}

static int json_lost(sd_json_variant **out, const struct runner *r)
{
	const char *text;
	sd_json_variant *v = NULL;
	int err = 0;

	for (unsigned i = 0; (text = runner_lost(r, i)) && !err; i++) {
		err = append(out, sd_json_variant_new_string(&v, text), &v);
	}
	return err ? err : ensure_array(out);
}

static int json_model(sd_json_variant **out, const struct daemon_model *m)
{
	if (!m->generation)
		return 0;
	return sd_json_buildo(out,
		SD_JSON_BUILD_PAIR_STRING("name", m->name),
		SD_JSON_BUILD_PAIR_STRING("path", m->path),
		SD_JSON_BUILD_PAIR_STRING("precision", m->precision),
		SD_JSON_BUILD_PAIR_STRING("kernel", m->kernel),
		SD_JSON_BUILD_PAIR_UNSIGNED("generation", m->generation),
		SD_JSON_BUILD_PAIR_UNSIGNED("channels", m->channels),
		SD_JSON_BUILD_PAIR_UNSIGNED("hidden", m->hidden),
		SD_JSON_BUILD_PAIR_UNSIGNED("lags", m->lags));
}

static int json_line(sd_json_variant **out, const struct line *l)
{
	sd_json_variant *channels = NULL, *lost = NULL, *model = NULL;
	const char *recording = events_capture_path(l->events);
	int core = runner_core(l->runner);
	int err = json_channels(&channels, l->config);

	if (err >= 0)
		err = json_lost(&lost, l->runner);
	if (err >= 0)
		err = json_model(&model, &l->taken);
	if (err >= 0)
		err = sd_json_buildo(out,
			SD_JSON_BUILD_PAIR_STRING("name", l->config->name),
			SD_JSON_BUILD_PAIR_REAL("rate", l->config->rate_hz),
			SD_JSON_BUILD_PAIR_VARIANT("channels", channels),
			SD_JSON_BUILD_PAIR_CONDITION(!!model, "model",
				SD_JSON_BUILD_VARIANT(model)),
			SD_JSON_BUILD_PAIR_STRING("ring", runner_ring(l->runner)),
			SD_JSON_BUILD_PAIR_INTEGER("tid", runner_tid(l->runner)),
			SD_JSON_BUILD_PAIR_CONDITION(core >= 0, "core",
				SD_JSON_BUILD_INTEGER(core)),
			SD_JSON_BUILD_PAIR_INTEGER("priority", runner_priority(l->runner)),
			SD_JSON_BUILD_PAIR_VARIANT("lost", lost),
			SD_JSON_BUILD_PAIR_CONDITION(!!recording, "recording",
				SD_JSON_BUILD_STRING(recording)));
	sd_json_variant_unref(channels);
	sd_json_variant_unref(lost);
	sd_json_variant_unref(model);
	return err;
}

int control_json_describe(sd_json_variant **out, const struct daemon *d)
{
	const char *profiler = profiler_name(d->profiler);
	sd_json_variant *lines = NULL, *v = NULL;
	int err = 0;

	*out = NULL;
	for (unsigned i = 0; i < d->lines && !err; i++) {
		err = append(&lines, json_line(&v, &d->line[i]), &v);
	}
	if (!err)
		err = sd_json_buildo(out,
			SD_JSON_BUILD_PAIR_STRING("version", SONDE_VERSION),
			SD_JSON_BUILD_PAIR_INTEGER("pid", getpid()),
			SD_JSON_BUILD_PAIR_INTEGER("start", d->start_realtime_ns),
			SD_JSON_BUILD_PAIR_STRING("config", d->config_path),
			SD_JSON_BUILD_PAIR_STRING("run_dir", d->config->run_dir),
			SD_JSON_BUILD_PAIR_STRING("state_dir", d->config->state_dir),
			SD_JSON_BUILD_PAIR_STRING("stats", d->stats_bpf ? "bpf" : "file"),
			SD_JSON_BUILD_PAIR_CONDITION(!d->stats_bpf, "stats_reason",
				SD_JSON_BUILD_STRING(d->stats_why.text)),
			SD_JSON_BUILD_PAIR_STRING("profiler", profiler),
			SD_JSON_BUILD_PAIR_CONDITION(!d->profiler, "profiler_reason",
				SD_JSON_BUILD_STRING(d->profiler_why.text)),
			SD_JSON_BUILD_PAIR_VARIANT("pipelines", lines));
	sd_json_variant_unref(lines);
	return err < 0 ? err : 0;
}
