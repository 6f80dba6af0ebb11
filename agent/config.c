// SPDX-License-Identifier: MIT
/*
 * config: reads all files of a configuration, then makes the model of it and
 * checks what only the whole can show. Every mistake is reported, since a person
 * who mends one at a time has to try as often as there are mistakes.
 */
#include "agent/config.h"

#include <errno.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/config_raw.h"
#include "kernels/why.h"

#define CONFIG_NAME "sonde.conf"	/* beside which a conf.d is read */
#define HISTORY_ROWS_MAX 16384		/* main keeps as many rows of each pipeline */

/* What config_load gives out; the file names live as long as the places in it. */
struct config_owner {
	struct config config;
	char **file;
	unsigned files;
};

#define AGENT(k, t, f, ...) { .key = k, .type = t, .offset = offsetof(struct config, f), \
		.size = sizeof(((struct config *)NULL)->f), __VA_ARGS__ }
static const struct rule agent_rules[] = {
	AGENT("run_dir", RULE_PATH, run_dir),
	AGENT("state_dir", RULE_PATH, state_dir),
	AGENT("sensors_dir", RULE_PATH, sensors_dir),
	AGENT("ring", RULE_CHOICE, ring, .choices = "auto, io_uring or epoll"),
	AGENT("profiler", RULE_CHOICE, profiler, .choices = "auto or off"),
	AGENT("trusted_keys", RULE_PATH, trusted_keys),
	AGENT("trusted_key", RULE_PATH, trusted_key),
};
#define PIPE(k, t, f, ...) { .key = k, .type = t, .offset = offsetof(struct pipeline_config, f), \
		.size = sizeof(((struct pipeline_config *)NULL)->f), __VA_ARGS__ }
static const struct rule pipeline_rules[] = {
	PIPE("rate", RULE_HERTZ, rate_hz, .min = 0.01, .max = 10000),
	PIPE("core", RULE_CORE, core, .min = 0, .max = 1023),
	PIPE("priority", RULE_COUNT, priority, .min = 0, .max = 49),
	PIPE("false_alarms", RULE_PER_DAY, false_alarms_per_day, .min = 1e-3, .max = 1e5),
	PIPE("follow", RULE_FLAG, follow),
	PIPE("freeze", RULE_SECONDS, freeze_s, .min = 60, .max = 31 * 86400),
	PIPE("rebaseline", RULE_SECONDS, rebaseline_s, .min = 86400, .max = 366 * 86400,
	     .choices = "off"),
	PIPE("alarm", RULE_K_OF_N, alarm_k),
	PIPE("clear", RULE_SECONDS, clear_s, .min = 0, .max = 3600),
	PIPE("before", RULE_SECONDS, pre_s, .min = 0, .max = 3600),
	PIPE("after", RULE_SECONDS, post_s, .min = 0, .max = 3600),
	PIPE("stale", RULE_SECONDS, stale_s, .min = 0.001, .max = 86400),
	PIPE("model", RULE_PATH, model),
	PIPE("shadow", RULE_PATH, shadow),
};
#define COUNT(a) (sizeof(a) / sizeof *(a))

static const struct pipeline_config pipeline_defaults = {
	.rate_hz = 50,
	.core = CORE_LAST,
	.priority = 40,
	.false_alarms_per_day = 1,
	.follow = true,
	.freeze_s = 86400,
	.alarm_k = 5,
	.alarm_n = 8,
	.clear_s = 2,
	.pre_s = 5,
	.post_s = 5,
	.stale_s = 1,
};

void config_pipeline_init(struct pipeline_config *p)
{
	*p = pipeline_defaults;
}

int config_pipeline_set(struct pipeline_config *p, const char *key, const char *value,
			struct why *why)
{
	for (unsigned i = 0; i < COUNT(pipeline_rules); i++)
		if (!strcmp(pipeline_rules[i].key, key))
			return rule_apply(&pipeline_rules[i], p, value, why);
	return why_set(why, -EINVAL, "a pipeline has no key of this name");
}

static void pipeline_check(struct raw *raw, struct raw_section *s,
			   const struct pipeline_config *p)
{
	const struct raw_key *before = NULL;

	for (unsigned i = 0; i < s->keys; i++) {
		const struct raw_key *k = &s->key[i];
		long cores = sysconf(_SC_NPROCESSORS_CONF);

		if (!strcmp(k->name, "core") && p->core >= cores)
			raw_missing(raw, &k->at, "core = %d: this machine has the cores 0 to %ld",
				    p->core, cores - 1);
		if (!strcmp(k->name, "model") && *p->model && access(p->model, R_OK))
			raw_missing(raw, &k->at, "model = %s: %s", p->model, strerror(errno));
		if (!strcmp(k->name, "shadow") && *p->shadow && access(p->shadow, R_OK))
			raw_missing(raw, &k->at, "shadow = %s: %s", p->shadow, strerror(errno));
		if (!strcmp(k->name, "before"))
			before = k;
	}
	/* The default is too much at a very high rate, too. */
	if (p->pre_s * p->rate_hz > HISTORY_ROWS_MAX)
		raw_error(raw, before ? &before->at : &s->at, "before = %s: %.0f rows at %g Hz; "
			  "no more than %d are kept", before ? before->value : "5 s (not given)",
			  ceil(p->pre_s * p->rate_hz), p->rate_hz, HISTORY_ROWS_MAX);
}

static int pipeline_build(struct raw *raw, struct config *c, struct raw_section *s)
{
	struct pipeline_config *p;

	if (c->pipelines == CONFIG_PIPELINES_MAX) {
		raw_error(raw, &s->at, "[pipeline %s]: there are %d already, and no room for more",
			  s->name, CONFIG_PIPELINES_MAX);
		return 0;
	}
	p = reallocarray(c->pipeline, c->pipelines + 1, sizeof *p);
	if (!p)
		return -ENOMEM;
	c->pipeline = p;
	p += c->pipelines++;
	*p = pipeline_defaults;
	snprintf(p->name, sizeof p->name, "%s", s->name);
	p->at = s->at;
	rules_apply(raw, s, pipeline_rules, COUNT(pipeline_rules), p, NULL, NULL);
	pipeline_check(raw, s, p);
	return 0;
}

/* Keys that can not be read let no model in: better known before than at the next load. */
static void agent_check(struct raw *raw, const struct raw_section *s, const struct config *c)
{
	for (unsigned i = 0; i < s->keys; i++) {
		const struct raw_key *k = &s->key[i];
		const char *path = !strcmp(k->name, "trusted_keys") ? c->trusted_keys :
				   !strcmp(k->name, "trusted_key") ? c->trusted_key : "";

		if (*path && access(path, R_OK))
			raw_missing(raw, &k->at, "%s = %s: %s", k->name, path, strerror(errno));
	}
}

static void channels_check(struct raw *raw, const struct pipeline_config *p)
{
	if (!p->channels)
		raw_error(raw, &p->at, "[pipeline %s]: no sensor belongs to it", p->name);
	if (p->channels > FRAME_CHANNELS_MAX)
		raw_error(raw, &p->at, "[pipeline %s]: %u channels; a pipeline holds %d: give "
			  "some of its sensors to another [pipeline]", p->name, p->channels,
			  FRAME_CHANNELS_MAX);
}

static int build(struct raw *raw, struct config *c, const struct config_place *whole)
{
	const char *sensors = getenv("SONDE_SENSORS_DIR");
	int err = 0;

	strcpy(c->run_dir, "/run/sonde");
	strcpy(c->state_dir, "/var/lib/sonde");
	snprintf(c->sensors_dir, sizeof c->sensors_dir, "%s", sensors ? sensors : CONFIG_SENSORS_DIR);
	strcpy(c->ring, "auto");
	strcpy(c->profiler, "auto");
	for (unsigned i = 0; i < raw->sections && !err; i++) {
		struct raw_section *s = &raw->section[i];

		if (!strcmp(s->kind, "agent")) {
			rules_apply(raw, s, agent_rules, COUNT(agent_rules), c, NULL, NULL);
			agent_check(raw, s, c);
		} else if (!strcmp(s->kind, "pipeline"))
			err = pipeline_build(raw, c, s);
	}
	for (unsigned i = 0; i < raw->sections && !err; i++)
		if (!strcmp(raw->section[i].kind, "sensor"))
			err = sensor_build(raw, c, &raw->section[i]);
	for (unsigned i = 0; i < raw->sections && !err; i++)
		if (!strcmp(raw->section[i].kind, "sensor"))
			err = sensor_build_board(raw, c, &raw->section[i]);
	for (unsigned i = 0; i < raw->sections && !err; i++)
		if (!strcmp(raw->section[i].kind, "output"))
			err = output_build(raw, c, &raw->section[i]);
	for (unsigned i = 0; i < c->pipelines && !err; i++)
		sensor_check_triggers(raw, &c->pipeline[i]);
	if (err)
		return err;
	/* What is missing may only be missing because of a mistake reported above. */
	if (!c->pipelines && !raw->errors)
		raw_error(raw, whole, "no [pipeline NAME] section: there is nothing to do");
	for (unsigned i = 0; i < c->pipelines && !raw->errors; i++)
		channels_check(raw, &c->pipeline[i]);
	return 0;
}

/* The conf.d beside a sonde.conf, in the order of the names. */
static int read_drop_ins(struct raw *raw, const char *path)
{
	const char *base = strrchr(path, '/');
	size_t folder = base ? (size_t)(base - path) + 1 : 0;
	char pattern[CONFIG_PATH_MAX * 2];
	glob_t found;
	int err = 0;

	if (strcmp(path + folder, CONFIG_NAME) ||
	    snprintf(pattern, sizeof pattern, "%.*sconf.d/*.conf", (int)folder, path) >=
		    (int)sizeof pattern)
		return 0;
	if (glob(pattern, 0, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc && err != -ENOMEM; i++)
		err = raw_read(raw, found.gl_pathv[i]);
	globfree(&found);
	return err == -ENOMEM ? err : 0;
}

int config_load(struct config **out, const char *path, bool strict, config_report *report,
		void *user)
{
	struct config_place whole = { .file = path };
	struct raw raw = { .report = report, .user = user, .strict = strict };
	struct config_owner *o = calloc(1, sizeof *o);
	int err = o ? raw_read(&raw, path) : -ENOMEM;

	*out = NULL;
	if (!err)
		err = read_drop_ins(&raw, path);
	if (!err)
		err = build(&raw, &o->config, &whole);
	if (err == -ENOMEM)
		raw_error(&raw, &whole, "no memory for the configuration");
	raw_free(&raw);
	if (o) {
		o->file = raw.file;
		o->files = raw.files;
	}
	if (!err && !raw.errors) {
		*out = &o->config;
		return 0;
	}
	config_free(o ? &o->config : NULL);
	return err ? err : -EINVAL;
}

void config_free(struct config *c)
{
	struct config_owner *o = (struct config_owner *)c;

	if (!c)
		return;
	for (unsigned i = 0; i < c->pipelines; i++) {
		struct pipeline_config *p = &c->pipeline[i];

		for (unsigned k = 0; k < p->sensors; k++)
			sensor_free(&p->sensor[k]);
		free(p->sensor);
	}
	free(c->pipeline);
	free(c->output);
	for (unsigned i = 0; i < o->files; i++)
		free(o->file[i]);
	free(o->file);
	free(o);
}

const struct channel_config *config_channel(const struct pipeline_config *p, unsigned i)
{
	for (unsigned k = 0; k < p->sensors; k++) {
		if (i < p->sensor[k].channels)
			return &p->sensor[k].channel[i];
		i -= p->sensor[k].channels;
	}
	return NULL;
}
