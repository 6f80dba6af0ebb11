// SPDX-License-Identifier: MIT
/*
 * job_run: the tool's verbs with no options but files, so that what is judged is what
 * anybody gets. Scores come from the functions that `score` and `eval` use.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/table.h"
#include "models/train/eval.h"
#include "models/train/margin.h"
#include "models/train/match.h"
#include "test/eval/job.h"

extern char **environ;

#define SEED 1

const char *method_name(unsigned m)
{
	static const char *const ours[] = {
		[METHOD_INT8] = "sonde-int8", [METHOD_FLOAT] = "sonde-float",
		[METHOD_PRUNED] = "sonde-int8-pruned",
	};
	static char view[VIEWS][32];

	if (m >= METHOD_RIVAL)
		return rival_name((enum rival_kind)(m - METHOD_RIVAL));
	if (m < METHOD_VIEW)
		return ours[m];
	snprintf(view[m - METHOD_VIEW], sizeof(view[0]), "sonde-%s",
		 detector_view_name((enum detector_view)(m - METHOD_VIEW)));
	return view[m - METHOD_VIEW];
}

/* The last line of what a program said on standard error. */
static int failed(int fd, const char *verb, int status, struct why *why)
{
	char text[256] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	char *end = strchr(text, '\n');

	if (n > 0 && end)
		*end = '\0';
	return why_set(why, -EIO, "%s ends with %d: %s", verb,
		       WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), text);
}

int job_command(const char *const *argv, struct why *why)
{
	posix_spawn_file_actions_t act;
	int fd = memfd_create("stderr", MFD_CLOEXEC), status = -1, err;
	pid_t pid;

	if (fd < 0)
		return why_set(why, -errno, "memfd: %m");
	posix_spawn_file_actions_init(&act);
	posix_spawn_file_actions_addopen(&act, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&act, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&act, fd, 2);
	err = posix_spawn(&pid, argv[0], &act, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&act);
	if (err)
		err = why_set(why, -err, "%s: %s", argv[0], strerror(err));
	else if (waitpid(pid, &status, 0) != pid || status)
		err = failed(fd, argv[1], status, why);
	close(fd);
	return err;
}

struct paths {
	char model[280], int8[280], pruned[280], pruned_int8[280], all[280], all_int8[280];
};

static void name_files(struct paths *p, const struct job *j)
{
	int stem = (int)(strlen(j->train) - strlen("_train.csv"));

	snprintf(p->model, sizeof(p->model), "%.*s.model", stem, j->train);
	snprintf(p->int8, sizeof(p->int8), "%.*s.int8", stem, j->train);
	snprintf(p->pruned, sizeof(p->pruned), "%.*s.pruned", stem, j->train);
	snprintf(p->pruned_int8, sizeof(p->pruned_int8), "%.*s.pruned.int8", stem, j->train);
	snprintf(p->all, sizeof(p->all), "%.*s.all", stem, j->train);
	snprintf(p->all_int8, sizeof(p->all_int8), "%.*s.all.int8", stem, j->train);
}

static int quantize(const char *tool, const char *from, const char *to, const char *train,
		    struct why *why)
{
	const char *argv[] = { tool, "quantize", from, "-o", to, "--calibrate", train, NULL };

	return job_command(argv, why);
}

/* All views there can be, so that each can be asked alone; the default fit leaves some out. */
static const char *all_views(char out[256])
{
	size_t at = 0;

	for (unsigned v = 0; v < VIEWS && at < 256; v++)
		at += (size_t)snprintf(out + at, 256 - at, "%s%s", v ? "," : "",
				       detector_view_name((enum detector_view)v));
	return out;
}

static int make_models(const struct job *j, const struct paths *p, const char *tool, bool prune,
		       struct why *why)
{
	char names[256];
	const char *fit[] = { tool, "fit", "--train", j->train, "-o", p->model, "-q",
			      "--threads", "1", NULL };
	const char *all[] = { tool, "fit", "--train", j->train, "-o", p->all, "-q",
			      "--threads", "1", "--views", all_views(names), NULL };
	const char *cut[] = { tool, "prune", p->model, "-o", p->pruned, "--train", j->train,
			      "-q", NULL };
	int err = job_command(fit, why);

	if (!err)
		err = quantize(tool, p->model, p->int8, j->train, why);
	if (!err && prune)
		err = job_command(cut, why);
	if (!err && prune)
		err = quantize(tool, p->pruned, p->pruned_int8, j->train, why);
	if (!err)
		err = job_command(all, why);
	return err ? err : quantize(tool, p->all, p->all_int8, j->train, why);
}

static float *score_of(const struct job *j, unsigned method)
{
	return j->score + (size_t)method * j->rows->rows;
}

static float *decide_of(const struct job *j, unsigned method)
{
	return j->decide + (size_t)method * j->rows->rows;
}

/*
 * A single view has no limit of its own: none alarms, and only its order counts. One that
 * reads what another view computes may not stand alone, and is not shown.
 */
static int score_views(struct job *j, const struct model *m, const float *x, struct why *why)
{
	int err = 0;

	for (unsigned v = 0; !err && v < VIEWS; v++) {
		unsigned method = METHOD_VIEW + v;

		if (!(m->spec.view[v].weight > 0))
			continue;
		err = eval_scores(m, 1u << v, x, j->rows->rows, score_of(j, method),
				  decide_of(j, method), why);
		j->result->limit[method] = INFINITY;
		j->result->has[method] = !err;
		if (err == -EINVAL)
			err = 0;
	}
	return err;
}

/* What NAB's scoreboard is made of: how far each row is over a limit that follows the stream. */
static int set_margins(struct job *j, unsigned method, const struct model *m, const float *x,
		       struct why *why)
{
	struct detector *d;
	enum fc_kind kind;
	unsigned rows = j->rows->rows;
	int err = model_detector_best(&d, m, &kind, why);

	if (err)
		return err;
	detector_close(d);
	return margin_scores(&m->spec, kind, x, rows, nab_probation(rows), score_of(j, method), why);
}

static int score_model(struct job *j, unsigned method, const char *path, struct why *why)
{
	struct model *m = NULL;
	float *x = NULL;
	int err = model_load(&m, path, why);

	if (!err)
		err = match_table(&x, m, j->rows, j->test, why);
	if (!err && method == METHOD_VIEW) {
		err = score_views(j, m, x, why);
	} else if (!err) {
		err = eval_scores(m, 0, x, j->rows->rows, score_of(j, method),
				  decide_of(j, method), why);
		if (!err && !strcmp(j->set, "nab"))
			err = set_margins(j, method, m, x, why);
		j->result->limit[method] = m->point_limit;
		j->result->has[method] = !err;
		j->result->rate_hz = m->rate_hz;
	}
	free(x);
	model_free(m);
	return err;
}

static int score_rivals(struct job *j, struct why *why)
{
	struct table *train;
	unsigned n = j->rows->channels;
	int err = table_read(&train, j->train, why);

	if (err)
		return err;
	if (train->channels != n || memcmp(train->name, j->rows->name, n * sizeof(*train->name)))
		err = why_set(why, -EINVAL, "%s: other channels than %s", j->test, j->train);
	for (unsigned k = 0; !err && k < RIVALS; k++) {
		float *score = score_of(j, METHOD_RIVAL + k);
		struct rival *r;

		err = rival_open(&r, (enum rival_kind)k, train->value, train->rows, n, SEED, why);
		if (err)
			break;
		for (unsigned i = 0; i < j->rows->rows; i++)
			score[i] = rival_step(r, j->rows->value + (size_t)i * n);
		memcpy(decide_of(j, METHOD_RIVAL + k), score, j->rows->rows * sizeof(*score));
		j->result->limit[METHOD_RIVAL + k] = rival_limit(r);
		j->result->has[METHOD_RIVAL + k] = true;
		rival_close(r);
	}
	table_free(train);
	return err;
}

int job_run(struct job *j, const char *tool, bool prune, struct why *why)
{
	struct paths p;
	int err;

	name_files(&p, j);
	err = score_rivals(j, why);
	if (!err)
		err = make_models(j, &p, tool, prune, why);
	if (!err)
		err = score_model(j, METHOD_FLOAT, p.model, why);
	if (!err)
		err = score_model(j, METHOD_INT8, p.int8, why);
	if (!err && prune)
		err = score_model(j, METHOD_PRUNED, p.pruned_int8, why);
	return err ? err : score_model(j, METHOD_VIEW, p.all_int8, why);
}
