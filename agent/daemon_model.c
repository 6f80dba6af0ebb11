// SPDX-License-Identifier: MIT
/*
 * daemon_model: a model on its way to a pipeline. Everything that can fail, fails
 * here, in main, with the running model untouched; what is put up for the
 * pipeline's thread needs no more than a pointer's exchange.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/daemon.h"
#include "agent/events.h"
#include "agent/pipeline.h"
#include "agent/runner.h"
#include "models/model.h"

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

static const char *kernel_name(const struct pipeline_model *pm)
{
	static const char *const name[FC_KINDS] = {
		[FC_XNN] = "xnnpack",
		[FC_SUBGRAPH] = "xnnpack-subgraph",
		[FC_REF] = "reference",
	};

	/* Float operators are plain C whatever kind was asked for (kernels/fc.h). */
	if (strcmp(model_precision(pm->model), "int8"))
		return "float";
	return pm->kind < FC_KINDS ? name[pm->kind] : "unknown";
}

/* path[size] of the model to start with; false: there is none. */
static bool default_path(const struct line *l, char *path, size_t size)
{
	if (*l->config->model) {
		snprintf(path, size, "%s", l->config->model);
		return true;
	}
	snprintf(path, size, "%s/%s.safetensors", l->daemon->config->state_dir, l->config->name);
	return !access(path, F_OK);
}

static void describe(struct daemon_model *m, const struct pipeline_model *pm)
{
	const struct model *model = pm->model;

	memset(m, 0, sizeof *m);
	snprintf(m->path, sizeof m->path, "%s", pm->path);
	snprintf(m->name, sizeof m->name, "%s", model->name);
	snprintf(m->precision, sizeof m->precision, "%s", model_precision(model));
	snprintf(m->kernel, sizeof m->kernel, "%s", kernel_name(pm));
	m->channels = model->spec.channels;
	m->hidden = model->spec.hidden;
	m->lags = model->spec.lags;
	m->generation = pm->generation;
}

static int load(struct line *l, const char *path, bool limits_only, struct why *why)
{
	char chosen[2 * CONFIG_PATH_MAX];
	struct pipeline_model *pm;
	struct model *model;
	uint64_t id[3];
	int err;

	if (path)
		snprintf(chosen, sizeof chosen, "%s", path);
	else if (!default_path(l, chosen, sizeof chosen))
		return why_set(why, -ENOENT, "no model is configured and there is no %s", chosen);
	if (*chosen != '/' || strlen(chosen) >= CONFIG_PATH_MAX)
		return why_set(why, -EINVAL, "%s: not an absolute path of less than %d bytes",
			       chosen, CONFIG_PATH_MAX);
	/* Before loading: a file replaced meanwhile then counts as changed. */
	identify(chosen, id);
	err = model_load(&model, chosen, why);
	if (err)
		return err;
	err = pipeline_model_open(&pm, model, l->config, FC_XNN, why);
	if (err) {
		model_free(model);
		return err;
	}
	snprintf(pm->path, sizeof pm->path, "%s", chosen);
	pm->generation = limits_only ? l->generation : ++l->generation;
	describe(&l->offered, pm);
	memcpy(l->offered.file_id, id, sizeof id);
	pipeline_model_close(runner_offer(l->runner, pm));
	return 0;
}

int daemon_load_model(struct line *l, const char *path, struct why *why)
{
	return load(l, path, false, why);
}

int daemon_set_limits(struct line *l, struct why *why)
{
	return load(l, l->offered.path, !daemon_model_changed(l), why);
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
