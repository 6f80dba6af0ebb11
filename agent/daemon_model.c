// SPDX-License-Identifier: MIT
/*
 * daemon_model: a model on its way to a pipeline, with its shadow if there is one.
 * Everything that can fail, fails here, in main, with the running model untouched: also
 * the question whose model it is. What is put up for the pipeline's thread needs no more
 * than a pointer's exchange.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/daemon.h"
#include "agent/events.h"
#include "agent/general.h"
#include "agent/log.h"
#include "agent/pipeline.h"
#include "agent/runner.h"
#include "agent/shadow.h"
#include "models/model.h"
#include "models/sign.h"

struct line *daemon_line(struct daemon *d, const char *name, struct why *why)
{
	if (!name || !*name) {
		if (d->lines == 1)
			return &d->line[0];
		why_set(why, -EINVAL, "there are %u pipelines: name one", d->lines);
		return NULL;
	}
	for (unsigned i = 0; i < d->lines; i++)
		if (!strcmp(d->line[i].config->name, name))
			return &d->line[i];
	why_set(why, -ENOENT, "no pipeline is called \"%s\"", name);
	return NULL;
}

static void identify(const char *path, uint64_t id[3])
{
	struct stat st;

	memset(id, 0, 3 * sizeof *id);
	if (stat(path, &st))
		return;
	id[0] = st.st_ino;
	id[1] = st.st_mtim.tv_sec;
	id[2] = st.st_mtim.tv_nsec;
}

static const char *kernel_name(const struct model *m, unsigned kind)
{
	static const char *const name[FC_KINDS] = {
		[FC_XNN] = "xnnpack",
		[FC_SUBGRAPH] = "xnnpack-subgraph",
		[FC_REF] = "reference",
	};

	/* Float operators are plain C whatever kind was asked for (kernels/fc.h). */
	if (strcmp(model_precision(m), "int8"))
		return "float";
	return kind < FC_KINDS ? name[kind] : "unknown";
}

/*
 * path[size] of the model to start with: the configured one, the pipeline's own, the general one.
 * False: there is none of them, and path is where the pipeline's own would be.
 */
static bool default_path(const struct line *l, char *path, size_t size)
{
	if (*l->config->model) {
		snprintf(path, size, "%s", l->config->model);
		return true;
	}
	snprintf(path, size, "%s/%s.safetensors", l->daemon->config->state_dir, l->config->name);
	return !access(path, F_OK) || general_path(l->daemon->config, path, size);
}

static void describe(struct daemon_model *m, const struct model *model, unsigned kind,
		     const char *path, uint64_t generation, const uint64_t id[3])
{
	memset(m, 0, sizeof *m);
	snprintf(m->path, sizeof m->path, "%s", path);
	snprintf(m->name, sizeof m->name, "%s", model->name);
	snprintf(m->precision, sizeof m->precision, "%s", model_precision(model));
	snprintf(m->kernel, sizeof m->kernel, "%s", kernel_name(model, kind));
	m->channels = model->spec.channels;
	m->hidden = model->spec.recurrent.hidden;
	m->lags = model->spec.lags;
	m->generation = generation;
	memcpy(m->file_id, id, sizeof m->file_id);
}

static int check_path(const char *path, struct why *why)
{
	if (*path == '/' && strlen(path) < CONFIG_PATH_MAX)
		return 0;
	return why_set(why, -EINVAL, "%s: not an absolute path of less than %d bytes", path,
		       CONFIG_PATH_MAX);
}

/* Signed by whom the configuration trusts, and sound. */
static int load_trusted(struct model **out, const struct line *l, const char *path,
			struct why *why)
{
	const struct config *c = l->daemon->config;
	struct sign_trust *trust;
	int err = sign_trust_open(&trust, c->trusted_keys, c->trusted_key, why);

	if (err)
		return err;
	err = sign_load(out, path, trust, why);
	sign_trust_close(trust);
	return err;
}

static int load_live(struct pipeline_model **out, struct line *l, const char *path,
		     bool limits_only, struct daemon_model *about, struct why *why)
{
	struct model *model;
	uint64_t id[3];
	int err;

	/* Before loading: a file replaced meanwhile then counts as changed. */
	identify(path, id);
	err = load_trusted(&model, l, path, why);
	if (err)
		return err;
	err = pipeline_model_open(out, model, l->config, FC_XNN, why);
	if (err) {
		model_free(model);
		return err;
	}
	daemon_limit_keep(l);	/* it may be the very same model */
	daemon_limit_recall(l, *out);
	snprintf((*out)->path, sizeof (*out)->path, "%s", path);
	(*out)->generation = limits_only ? l->generation : l->generation + 1;
	describe(about, model, (*out)->kind, path, (*out)->generation, id);
	return 0;
}

/* anew: even if it is the file that judges already, what it has counted ends. */
static int load_shadow(struct shadow **out, struct line *l, const char *path, bool anew,
		       struct daemon_model *about, struct why *why)
{
	const struct daemon_model *now = &l->shadow;
	struct model *model;
	uint64_t id[3], generation;
	int err;

	identify(path, id);
	anew |= !now->generation || memcmp(id, now->file_id, sizeof id);
	generation = anew ? l->shadow_generation + 1 : now->generation;
	err = load_trusted(&model, l, path, why);
	if (err)
		return err;
	err = shadow_open(out, model, l->config, generation, why);
	if (err) {
		model_free(model);
		return err;
	}
	describe(about, model, (unsigned)shadow_kind(*out), path, generation, id);
	return 0;
}

/* shadow: the wanted one's path; must: without it, nothing is put up. */
static int load(struct line *l, const char *path, bool limits_only, const char *shadow, bool must,
		struct why *why)
{
	struct daemon_model live_about, shadow_about = { .path = "" };
	struct pipeline_model *pm;
	int err;

	err = load_live(&pm, l, path, limits_only, &live_about, why);
	if (err)
		return must ? why_in(why, err, "the live model, which is read again") : err;
	if (*shadow)
		err = load_shadow(&pm->shadow, l, shadow, must || !limits_only, &shadow_about, why);
	if (err && must) {
		pipeline_model_close(pm);
		return err;
	}
	if (err) {
		log_line(LOG_LEVEL_ERROR, "%s: no shadow: %s", l->config->name, why->text);
		/* Still wanted: the next load tries again. */
		shadow_about = (struct daemon_model){ .generation = 0 };
		snprintf(shadow_about.path, sizeof shadow_about.path, "%s", shadow);
	}
	if (shadow_about.generation > l->shadow_generation)
		l->shadow_generation = shadow_about.generation;
	l->generation = live_about.generation;
	l->offered = live_about;
	l->shadow = shadow_about;
	pipeline_model_close(runner_offer(l->runner, pm));
	return 0;
}

int daemon_load_model(struct line *l, const char *path, struct why *why)
{
	char chosen[2 * CONFIG_PATH_MAX], shadow[CONFIG_PATH_MAX];
	int err;

	if (path)
		snprintf(chosen, sizeof chosen, "%s", path);
	else if (!default_path(l, chosen, sizeof chosen))
		return why_set(why, -ENOENT, "no model is configured and there is no %s", chosen);
	err = check_path(chosen, why);
	if (err)
		return err;
	/* What was said by hand counts once there is a model to say it of. */
	snprintf(shadow, sizeof shadow, "%s", l->generation ? l->shadow.path : l->config->shadow);
	return load(l, chosen, false, shadow, false, why);
}

int daemon_set_shadow(struct line *l, const char *path, struct why *why)
{
	char text[CONFIG_PATH_MAX + 128];
	int err = *path ? check_path(path, why) : 0;

	if (err)
		return err;
	if (!l->offered.generation)
		return why_set(why, -ENOENT, "no model runs in %s: a shadow would be compared "
			       "with nothing", l->config->name);
	err = load(l, l->offered.path, !daemon_model_changed(l), path, true, why);
	if (err)
		return err;
	if (*path)
		snprintf(text, sizeof text, "shadow %s (%s, %s) from %s", l->shadow.name,
			 l->shadow.precision, l->shadow.kernel, l->shadow.path);
	else
		snprintf(text, sizeof text, "no shadow any more");
	events_note(l->events, "model", text);
	return 0;
}

int daemon_set_limits(struct line *l, struct why *why)
{
	char shadow[CONFIG_PATH_MAX];

	snprintf(shadow, sizeof shadow, "%s", l->shadow.path);
	return load(l, l->offered.path, !daemon_model_changed(l), shadow, false, why);
}

void daemon_model_taken(struct line *l, struct pipeline_model *old)
{
	char text[CONFIG_PATH_MAX + 128];

	pipeline_model_close(old);
	/* Offered twice in a row: the record of the first comes with the second already up. */
	if (l->taken.generation == l->offered.generation)
		return;
	l->taken = l->offered;
	snprintf(text, sizeof text, "model %s (%s, %s) from %s", l->taken.name,
		 l->taken.precision, l->taken.kernel, l->taken.path);
	events_note(l->events, "model", text);
}

bool daemon_model_changed(const struct line *l)
{
	uint64_t id[3];

	if (!l->offered.generation)
		return true;
	identify(l->offered.path, id);
	return memcmp(id, l->offered.file_id, sizeof id);
}
