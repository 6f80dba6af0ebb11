// SPDX-License-Identifier: MIT
/*
 * eval: TOOL FOLDER JSON PROCESSES: how well TOOL's default models detect on the recordings
 * that scripts/eval has laid out in FOLDER. One setting for all of them, nothing chosen by
 * their labels. Tables on standard output, the same as JSON, progress on standard error.
 */
#include <cblas.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "test/eval/crew.h"
#include "test/eval/summary.h"

#define PROCESSES_MAX 256
#define SUFFIX "_train.csv"

struct jobs {
	struct job *job;
	unsigned count;
	unsigned from[SETS + 1];	/* job[from[k]] is the first of set k */
};

static int add_set(struct jobs *all, const char *folder, const char *set, struct why *why)
{
	char pattern[256];
	glob_t found;
	int err = 0;

	snprintf(pattern, sizeof(pattern), "%s/%s/*" SUFFIX, folder, set);
	if (glob(pattern, 0, NULL, &found))
		return 0;
	for (size_t i = 0; !err && i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i], *base = strrchr(path, '/') + 1;
		char name[64];
		void *more = realloc(all->job, (all->count + 1) * sizeof(*all->job));

		if (!more) {
			err = why_set(why, -ENOMEM, "out of memory");
			break;
		}
		all->job = more;
		snprintf(name, sizeof(name), "%.*s", (int)(strlen(base) - strlen(SUFFIX)), base);
		err = job_read(&all->job[all->count++], folder, set, name, why);
	}
	globfree(&found);
	return err;
}

static int read_all(struct jobs *all, const char *folder, struct why *why)
{
	int err = 0;

	for (unsigned k = 0; !err && k < SETS; k++) {
		err = add_set(all, folder, sets[k].name, why);
		all->from[k + 1] = all->count;
	}
	return err || all->count ? err : why_set(why, -ENOENT, "%s: no recordings", folder);
}

/* The tables, then the file. Nonzero as well when a recording failed. */
static int show(const struct jobs *all, const char *json, struct why *why)
{
	struct summary *s = calloc(SETS, sizeof(*s));
	unsigned count = 0, failed = 0;
	int err = s ? 0 : why_set(why, -ENOMEM, "out of memory");

	for (unsigned k = 0; !err && k < SETS; k++) {
		unsigned n = all->from[k + 1] - all->from[k];

		if (!n)
			continue;
		err = summary_make(&s[count], &sets[k], all->job + all->from[k], n, why);
		if (err)
			break;
		failed += s[count].failed;
		table_print(&s[count++]);
	}
	if (!err)
		err = json_write(json, s, count, why);
	free(s);
	if (!err)
		printf("\nROC-AUC, AP, VUS-PR: means over files, VUS window %u. F1, FAR, MAR, delay\n"
		       "(median, rows), false alarms a day: pooled, each method's own limit from\n"
		       "training rows. No point adjustment. sonde-NAME: that view alone, int8.\n"
		       "*: quoted from the data's README, **: published.\n", METRIC_WINDOW);
	if (!err && failed)
		err = why_set(why, -EIO, "%u recordings failed; the figures are without them", failed);
	return err;
}

static int run(const char *tool, const char *folder, const char *json, unsigned processes,
	       struct why *why)
{
	const char *const prune[] = { tool, "prune", "help", NULL };
	struct crew_memory memory = { 0 };
	struct jobs all = { 0 };
	int err = read_all(&all, folder, why);

	if (!err)
		err = crew_run(&memory, all.job, all.count, tool, !job_command(prune, NULL), processes,
			       why);
	if (!err)
		err = show(&all, json, why);
	for (unsigned k = 0; k < all.count; k++)
		job_close(&all.job[k]);
	free(all.job);
	crew_free(&memory);
	return err;
}

int main(int argc, char **argv)
{
	struct why why = { "" };
	int processes = argc == 5 ? atoi(argv[4]) : 0;

	if (processes < 1 || processes > PROCESSES_MAX) {
		fprintf(stderr, "usage: eval TOOL FOLDER JSON PROCESSES\n");
		return 2;
	}
	/* Processes share the machine among them. */
	openblas_set_num_threads(1);
	if (!run(argv[1], argv[2], argv[3], (unsigned)processes, &why))
		return 0;
	fprintf(stderr, "sonde: %s\n", why.text);
	return 1;
}
