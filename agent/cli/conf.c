// SPDX-License-Identifier: MIT
/*
 * conf: what `sonded --check-config` finds, and what the configuration comes to once the
 * defaults are in and the board's sensors are found.
 */
#include <stdio.h>
#include <string.h>

#include "agent/cli/link.h"
#include "agent/config.h"

struct findings {
	struct cli *c;
	unsigned errors, warnings;
	sd_json_variant *list;
	int r;
};

static void on_finding(void *user, bool error, const char *text)
{
	struct findings *f = user;
	char copy[1024];

	snprintf(copy, sizeof(copy), "%s", text);
	cli_utf8(copy);
	*(error ? &f->errors : &f->warnings) += 1;
	if (f->c->format == CLI_TEXT)
		fprintf(stderr, "%s%s\n", error ? "" : "warning: ", copy);
	else if (f->r >= 0)
		f->r = sd_json_variant_append_arraybo(&f->list,
			SD_JSON_BUILD_PAIR_BOOLEAN("fatal", error),
			SD_JSON_BUILD_PAIR_STRING("text", copy));
}

struct totals {
	unsigned pipelines, sensors, channels;
};

static struct totals totals(const struct config *k)
{
	struct totals t = { .pipelines = k ? k->pipelines : 0 };

	for (unsigned i = 0; i < t.pipelines; i++) {
		t.sensors += k->pipeline[i].sensors;
		t.channels += k->pipeline[i].channels;
	}
	return t;
}

static const char *s(unsigned n)
{
	return n == 1 ? "" : "s";
}

int conf_check(struct cli *c, int argc, char **argv)
{
	const char *path = argc ? argv[0] : CONFIG_DEFAULT_PATH;
	struct findings f = { .c = c };
	sd_json_variant *v = NULL;
	struct config *k = NULL;
	struct totals t;
	char text[64];
	int err;

	err = config_load(&k, path, false, on_finding, &f);
	t = totals(k);
	snprintf(text, sizeof(text), "%u mistake%s", f.errors, s(f.errors));
	if (c->format == CLI_TEXT) {
		if (err)
			cli_error(c, "%s: %s", path, text);
		else
			printf("%s: %u pipeline%s, %u sensor%s, %u channel%s: good\n", path,
			       t.pipelines, s(t.pipelines), t.sensors, s(t.sensors), t.channels,
			       s(t.channels));
		goto out;
	}
	if (f.r >= 0 && !f.list)
		f.r = sd_json_build(&f.list, SD_JSON_BUILD_EMPTY_ARRAY);
	if (f.r >= 0)
		f.r = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_CONDITION(err, "error", SD_JSON_BUILD_STRING(text)),
			SD_JSON_BUILD_PAIR_STRING("file", path),
			SD_JSON_BUILD_PAIR_BOOLEAN("ok", !err),
			SD_JSON_BUILD_PAIR_UNSIGNED("pipelines", t.pipelines),
			SD_JSON_BUILD_PAIR_UNSIGNED("sensors", t.sensors),
			SD_JSON_BUILD_PAIR_UNSIGNED("channels", t.channels),
			SD_JSON_BUILD_PAIR_VARIANT("findings", f.list));
	if (cli_json(c, f.r, &v))
		err = -1;
out:
	sd_json_variant_unref(f.list);
	config_free(k);
	return err ? CLI_FAILED : CLI_OK;
}

static int sensors_json(sd_json_variant **list, const struct pipeline_config *p)
{
	int r = sd_json_build(list, SD_JSON_BUILD_EMPTY_ARRAY);

	for (unsigned i = 0; r >= 0 && i < p->sensors; i++) {
		const struct sensor_config *s = &p->sensor[i];
		sd_json_variant *names = NULL;

		for (unsigned k = 0; r >= 0 && k < s->channels; k++)
			r = sd_json_variant_append_arraybo(&names,
				SD_JSON_BUILD_PAIR_STRING("name", s->channel[k].name),
				SD_JSON_BUILD_PAIR_STRING("unit", s->channel[k].unit));
		if (r >= 0)
			r = sd_json_variant_append_arraybo(list,
				SD_JSON_BUILD_PAIR_STRING("name", s->name),
				SD_JSON_BUILD_PAIR_STRING("kind", s->kind),
				SD_JSON_BUILD_PAIR_STRING("path", s->path),
				SD_JSON_BUILD_PAIR_UNSIGNED("every", s->every),
				SD_JSON_BUILD_PAIR_VARIANT("channels", names));
		sd_json_variant_unref(names);
	}
	return r;
}

static int config_json(struct cli *c, const struct config *k)
{
	sd_json_variant *list = NULL, *sensors = NULL, *v = NULL;
	int r = 0;

	for (unsigned i = 0; r >= 0 && i < k->pipelines; i++) {
		const struct pipeline_config *p = &k->pipeline[i];

		r = sensors_json(&sensors, p);
		if (r >= 0)
			r = sd_json_variant_append_arraybo(&list,
				SD_JSON_BUILD_PAIR_STRING("name", p->name),
				SD_JSON_BUILD_PAIR_REAL("rate_hz", p->rate_hz),
				SD_JSON_BUILD_PAIR_REAL("false_alarms_per_day",
							p->false_alarms_per_day),
				SD_JSON_BUILD_PAIR_BOOLEAN("follow", p->follow),
				SD_JSON_BUILD_PAIR_REAL("freeze_s", p->freeze_s),
				SD_JSON_BUILD_PAIR_REAL("rebaseline_s", p->rebaseline_s),
				SD_JSON_BUILD_PAIR_UNSIGNED("alarm_k", p->alarm_k),
				SD_JSON_BUILD_PAIR_UNSIGNED("alarm_n", p->alarm_n),
				SD_JSON_BUILD_PAIR_REAL("clear_s", p->clear_s),
				SD_JSON_BUILD_PAIR_STRING("model", p->model),
				SD_JSON_BUILD_PAIR_STRING("shadow", p->shadow),
				SD_JSON_BUILD_PAIR_VARIANT("sensors", sensors));
		sensors = sd_json_variant_unref(sensors);
	}
	if (r >= 0)
		r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("run_dir", k->run_dir),
				   SD_JSON_BUILD_PAIR_STRING("state_dir", k->state_dir),
				   SD_JSON_BUILD_PAIR_STRING("trusted_keys", k->trusted_keys),
				   SD_JSON_BUILD_PAIR_STRING("trusted_key", k->trusted_key),
				   SD_JSON_BUILD_PAIR_VARIANT("pipelines", list));
	sd_json_variant_unref(list);
	return cli_json(c, r, &v);
}

static void config_text(const struct config *config)
{
	for (unsigned i = 0; i < config->pipelines; i++) {
		const struct pipeline_config *p = &config->pipeline[i];

		printf("pipeline %s: %g Hz, %u channels, %g false alarms a day, alarm %u of %u\n",
		       p->name, p->rate_hz, p->channels, p->false_alarms_per_day, p->alarm_k,
		       p->alarm_n);
		for (unsigned k = 0; k < p->channels; k++)
			printf("  %-24s %s\n", config_channel(p, k)->name,
			       config_channel(p, k)->unit);
	}
	printf("run_dir %s, state_dir %s\n", config->run_dir, config->state_dir);
}

int conf_show(struct cli *c, int argc, char **argv)
{
	const char *path = argc ? argv[0] : CONFIG_DEFAULT_PATH;
	struct findings f = { .c = c };
	struct config *k = NULL;
	int r;

	if (config_load(&k, path, false, on_finding, &f)) {
		r = cli_error(c, "%s: %u mistakes; see `sonde conf check`", path, f.errors);
	} else if (c->format == CLI_TEXT) {
		config_text(k);
		r = CLI_OK;
	} else {
		r = config_json(c, k);
	}
	sd_json_variant_unref(f.list);
	config_free(k);
	return r;
}

static void notes(sd_json_variant *reply, const char *key, const char *before)
{
	sd_json_variant *list = sd_json_variant_by_key(reply, key);

	for (size_t i = 0; i < sd_json_variant_elements(list); i++)
		printf("%s%s\n", before, sd_json_variant_string(sd_json_variant_by_index(list, i)));
}

int conf_reload(struct cli *c, int argc, char **argv)
{
	sd_json_variant *reply = NULL;
	int r = link_call(c, "Reload", NULL, &reply);

	if (r)
		return r;
	if (c->format != CLI_TEXT)
		return cli_json(c, 0, &reply);
	notes(reply, "applied", "");
	notes(reply, "problems", "failed: ");
	notes(reply, "restart", "needs a restart: ");
	sd_json_variant_unref(reply);
	return CLI_OK;
}
