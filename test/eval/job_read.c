// SPDX-License-Identifier: MIT
/* job_read: a recording's files, as scripts/eval lays them out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/table.h"
#include "test/eval/job.h"

/* NAME_windows.txt: first and last row of each, which label the rows between. */
static int read_windows(struct job *j, const char *path, struct why *why)
{
	FILE *f = fopen(path, "re");
	unsigned first, last;
	int got, err = 0;

	if (!f)
		return errno == ENOENT ? 0 : why_set(why, -errno, "%s: %m", path);
	while (!err && (got = fscanf(f, "%u %u", &first, &last)) == 2) {
		void *more = realloc(j->window, (j->windows + 1) * sizeof(*j->window));

		if (!more)
			err = why_set(why, -ENOMEM, "out of memory");
		else if (first > last || last >= j->rows->rows)
			err = why_set(why, -EINVAL, "%s: %u to %u are not rows", path, first, last);
		j->window = more ? more : j->window;
		if (err)
			break;
		j->window[j->windows++] = (struct nab_window){ first, last };
		memset(j->label + first, 1, last - first + 1);
	}
	fclose(f);
	return err ? err : got == EOF ? 0 : why_set(why, -EINVAL, "%s: not two numbers", path);
}

/* NAME_points.txt: for each row its seconds, and 1 at a change point. */
static int read_points(struct job *j, const char *path, struct why *why)
{
	FILE *f = fopen(path, "re");
	unsigned r = 0, point;

	if (!f)
		return errno == ENOENT ? 0 : why_set(why, -errno, "%s: %m", path);
	j->time = calloc(j->rows->rows, sizeof(*j->time));
	j->point = calloc(j->rows->rows, 1);
	while (j->time && j->point && r < j->rows->rows &&
	       fscanf(f, "%lf %u", &j->time[r], &point) == 2)
		j->point[r++] = point != 0;
	fclose(f);
	return r == j->rows->rows ? 0 : why_set(why, -EINVAL, "%s: not as many rows", path);
}

int job_read(struct job *j, const char *folder, const char *set, const char *name,
	     struct why *why)
{
	char path[256];
	int err;

	*j = (struct job){ 0 };
	snprintf(j->set, sizeof(j->set), "%s", set);
	snprintf(j->name, sizeof(j->name), "%s", name);
	snprintf(j->train, sizeof(j->train), "%s/%s/%s_train.csv", folder, set, name);
	snprintf(j->test, sizeof(j->test), "%s/%s/%s_test.csv", folder, set, name);
	err = table_read(&j->rows, j->test, why);
	if (err)
		return err;
	j->label = calloc(j->rows->rows, 1);
	if (!j->label)
		return why_set(why, -ENOMEM, "out of memory");
	if (j->rows->label)
		memcpy(j->label, j->rows->label, j->rows->rows);
	snprintf(path, sizeof(path), "%s/%s/%s_windows.txt", folder, set, name);
	err = read_windows(j, path, why);
	snprintf(path, sizeof(path), "%s/%s/%s_points.txt", folder, set, name);
	return err ? err : read_points(j, path, why);
}

void job_close(struct job *j)
{
	table_free(j->rows);
	free(j->label);
	free(j->window);
	free(j->time);
	free(j->point);
	*j = (struct job){ 0 };
}
