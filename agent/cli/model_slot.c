// SPDX-License-Identifier: MIT
/*
 * model_slot: promote and roll back the file that a pipeline is started with. The tool does it,
 * and not the daemon, so that it works with the daemon stopped and needs no right that the
 * daemon has not. What would be refused is found out first: here, and by a daemon that runs,
 * whose no puts everything back (models/slot.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/link.h"
#include "agent/cli/page.h"
#include "agent/config.h"
#include "agent/pipeline.h"
#include "kernels/why.h"
#include "models/hash.h"
#include "models/model.h"
#include "models/sign.h"
#include "models/slot.h"

struct site {
	struct cli *c;
	struct config *config;
	struct pipeline_config *pipeline;
	struct sign_trust *trust;
	bool running;			/* the daemon answers */
	char live[2 * CONFIG_PATH_MAX];
	char problem[512];		/* the configuration's first */
	sd_json_variant *loaded;	/* what the daemon said of it */
};

static void first_problem(void *user, bool error, const char *text)
{
	struct site *s = user;

	if (error && !*s->problem)
		snprintf(s->problem, sizeof(s->problem), "%s", text);
}

static int pick_pipeline(struct site *s, const char *name)
{
	for (unsigned i = 0; i < s->config->pipelines; i++)
		if (name ? !strcmp(s->config->pipeline[i].name, name) : s->config->pipelines == 1)
			s->pipeline = &s->config->pipeline[i];
	if (s->pipeline)
		return 0;
	return name ? cli_error(s->c, "no pipeline is called \"%s\"", name)
		    : cli_error(s->c, "there are %u pipelines: name one", s->config->pipelines);
}

/* One that runs and does not answer would go on with the old model: nobody would know. */
static int ask_daemon(struct site *s, sd_json_variant **reply)
{
	char text[512];
	struct page p;
	bool lives;

	*reply = link_ask(s->c, "Describe");
	s->running = *reply != NULL;
	if (s->running || page_attach(s->c, &p, NULL, text, sizeof(text)))
		return 0;
	lives = p.life == PAGE_RUNNING || p.life == PAGE_SILENT;
	page_sentence(&p, text, sizeof(text));
	page_close(&p);
	return lives ? cli_error(s->c, "%s, and does not answer", text) : 0;
}

static int site_open(struct site *s, struct cli *c, const char *name)
{
	const char *path = cli_value(c, "--config"), *state_dir = c->state_dir;
	sd_json_variant *reply;
	struct why why = { "" };
	int r;

	*s = (struct site){ .c = c };
	r = ask_daemon(s, &reply);
	if (!r && !path)
		path = *link_string(reply, "config") ? link_string(reply, "config")
						     : CONFIG_DEFAULT_PATH;
	if (!r && config_load(&s->config, path, false, first_problem, s))
		r = cli_error(c, "%s", *s->problem ? s->problem : path);
	if (!r)
		r = pick_pipeline(s, name);
	if (!r && !state_dir)
		state_dir = *link_string(reply, "state_dir") ? link_string(reply, "state_dir")
							     : s->config->state_dir;
	if (!r && *s->pipeline->model)
		snprintf(s->live, sizeof(s->live), "%s", s->pipeline->model);
	else if (!r)
		snprintf(s->live, sizeof(s->live), "%.*s/%s.safetensors", CONFIG_PATH_MAX,
			 state_dir, s->pipeline->name);
	sd_json_variant_unref(reply);
	if (!r && sign_trust_open(&s->trust, s->config->trusted_keys, s->config->trusted_key, &why))
		r = cli_error(c, "%s", why.text);
	return r;
}

static void site_close(struct site *s)
{
	sd_json_variant_unref(s->loaded);
	sign_trust_close(s->trust);
	config_free(s->config);
}

/*
 * Signature, structure, self-test; and does it fit the pipeline? A daemon that runs knows
 * that better, since it has found its sensors already.
 */
static int check(const struct site *s, const char *path, struct model **out, struct why *why)
{
	struct detector *d = NULL;
	struct pipeline_model *pm;
	struct model *m;
	int err;

	*out = NULL;
	err = sign_load(&m, path, s->trust, why);
	if (err)
		return err;
	if (s->running) {
		err = model_detector_best(&d, m, NULL, why);
	} else {
		err = pipeline_model_open(&pm, m, s->pipeline, FC_XNN, why);
		if (!err)
			pm->model = NULL;	/* stays ours */
		if (!err)
			pipeline_model_close(pm);
	}
	detector_close(d);
	if (err) {
		model_free(m);
		return why_in(why, err, "%s", path);
	}
	*out = m;
	return 0;
}

/* Says itself what the daemon has against it: the reason then stays empty. */
static int load_live(void *user, struct why *why)
{
	struct site *s = user;
	sd_json_variant *parameters = NULL;
	int r;

	why->text[0] = '\0';
	if (!s->running)
		return 0;
	r = link_parameters(s->c, s->pipeline->name, s->live, &parameters);
	if (!r)
		r = link_call(s->c, "LoadModel", parameters, &s->loaded);
	return r ? -ECANCELED : 0;
}

static int refused(struct site *s, const struct why *why)
{
	if (*why->text)
		return cli_error(s->c, "%s", why->text);
	cli_note(s->c, "%s is what it was before", s->live);
	return CLI_FAILED;
}

static int report(struct site *s, const struct model *m, bool changed, bool previous)
{
	char sha256[HASH_HEX];
	sd_json_variant *v = NULL;

	if (s->c->format == CLI_TEXT) {
		printf("%s: %s %s model %s (%s)\n", s->pipeline->name, s->live,
		       changed ? "is now" : "was already", m->name, model_precision(m));
		if (s->running)
			printf("  runs      %s, %s\n", link_string(s->loaded, "precision"),
			       link_string(s->loaded, "kernel"));
		else
			printf("  runs      from the next start of sonded on\n");
		printf("  previous  %s\n", previous ? "kept for `sonde model rollback`" : "none");
		return CLI_OK;
	}
	hash_sha256(sha256, m->memory, m->memory_size);
	return cli_json(s->c, sd_json_buildo(&v,
		SD_JSON_BUILD_PAIR_STRING("pipeline", s->pipeline->name),
		SD_JSON_BUILD_PAIR_STRING("path", s->live),
		SD_JSON_BUILD_PAIR_STRING("model", m->name),
		SD_JSON_BUILD_PAIR_STRING("precision", model_precision(m)),
		SD_JSON_BUILD_PAIR_STRING("sha256", sha256),
		SD_JSON_BUILD_PAIR_BOOLEAN("changed", changed),
		SD_JSON_BUILD_PAIR_BOOLEAN("previous", previous),
		SD_JSON_BUILD_PAIR_BOOLEAN("running", s->running)), &v);
}

static const char *pipeline_named(const struct cli *c, const char *word)
{
	if (word)
		return word;
	return cli_value(c, "pipeline") ? cli_value(c, "pipeline") : cli_value(c, "--pipeline");
}

static int promote(struct site *s, const char *path)
{
	struct model *m;
	struct slot slot;
	struct why why = { "" };
	bool changed = true;
	int err, r;

	if (check(s, path, &m, &why))
		return cli_error(s->c, "%s", why.text);
	err = slot_open(&slot, s->live, &why);
	if (!err)
		err = slot_promote(&slot, m->memory, m->memory_size, load_live, s, &why);
	if (err == -EALREADY) {
		changed = false;
		err = load_live(s, &why);
	}
	r = err ? refused(s, &why) : report(s, m, changed, slot_has_previous(&slot));
	slot_close(&slot);
	model_free(m);
	return r;
}

int model_promote(struct cli *c, int argc, char **argv)
{
	struct site s;
	int r = site_open(&s, c, pipeline_named(c, argc > 1 ? argv[1] : NULL));

	if (!r)
		r = promote(&s, argv[0]);
	site_close(&s);
	return r;
}

static int roll_back(struct site *s)
{
	struct model *m = NULL;
	struct slot slot;
	struct why why = { "" };
	int err, r;

	err = slot_open(&slot, s->live, &why);
	if (!err && slot_has_previous(&slot))
		err = check(s, slot.previous, &m, &why);
	if (!err)
		err = slot_rollback(&slot, load_live, s, &why);
	r = err ? refused(s, &why) : report(s, m, true, slot_has_previous(&slot));
	slot_close(&slot);
	model_free(m);
	return r;
}

int model_rollback(struct cli *c, int argc, char **argv)
{
	struct site s;
	int r = site_open(&s, c, pipeline_named(c, argc ? argv[0] : NULL));

	if (!r)
		r = roll_back(&s);
	site_close(&s);
	return r;
}
