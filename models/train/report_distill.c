// SPDX-License-Identifier: MIT
/* report_distill: see report_distill.h. */
#include "models/train/report_distill.h"

#include <math.h>
#include <stdio.h>
#include <systemd/sd-json.h>

#include "models/train/distill.h"

static const char *const kinds[DISTILL_KINDS] = { "student", "alone" };

static int judge_json(sd_json_variant **v, const struct judge *j, const struct distill_run *run)
{
	return sd_json_buildo(v,
		SD_JSON_BUILD_PAIR_CONDITION(run != NULL, "seed",
					     SD_JSON_BUILD_UNSIGNED(run ? run->seed : 0)),
		SD_JSON_BUILD_PAIR_CONDITION(run != NULL, "net_loss",
					     SD_JSON_BUILD_REAL(run ? run->net_loss : 0)),
		SD_JSON_BUILD_PAIR_CONDITION(run != NULL, "epochs",
					     SD_JSON_BUILD_UNSIGNED(run ? run->epochs : 0)),
		SD_JSON_BUILD_PAIR_CONDITION(run && !isnan(run->quick_missed), "quick_missed",
					     SD_JSON_BUILD_REAL(run ? run->quick_missed : 0)),
		SD_JSON_BUILD_PAIR_CONDITION(run && !isnan(run->quick_wary), "quick_wary",
					     SD_JSON_BUILD_REAL(run ? run->quick_wary : 0)),
		SD_JSON_BUILD_PAIR_UNSIGNED("bytes", j->bytes),
		SD_JSON_BUILD_PAIR_UNSIGNED("int8_bytes", j->int8_bytes),
		SD_JSON_BUILD_PAIR_CONDITION(!isnan(j->us), "us", SD_JSON_BUILD_REAL(j->us)),
		SD_JSON_BUILD_PAIR_CONDITION(!isnan(j->int8_us), "int8_us",
					     SD_JSON_BUILD_REAL(j->int8_us)),
		SD_JSON_BUILD_PAIR_REAL("loss", j->loss),
		SD_JSON_BUILD_PAIR_CONDITION(!isnan(j->made_up), "roc_auc_made_up",
					     SD_JSON_BUILD_REAL(j->made_up)));
}

static int runs_json(sd_json_variant **v, const struct distill_report *r, unsigned kind)
{
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned k = 0; err >= 0 && k < r->seeds; k++) {
		const struct distill_run *run = &r->run[kind][k];
		sd_json_variant *one = NULL;

		err = judge_json(&one, &run->judge, run);
		if (err >= 0)
			err = sd_json_variant_append_array(v, one);
		sd_json_variant_unref(one);
	}
	return err;
}

static const char *written(const struct distill_report *r)
{
	return r->gained ? kinds[r->kind] : "none";
}

static int put_json(const struct model *m, const struct distill_report *r, const char *path,
		    uint64_t bytes, double seconds)
{
	sd_json_variant *v = NULL, *teacher = NULL, *runs[DISTILL_KINDS] = { 0 };
	int err = judge_json(&teacher, &r->teacher, NULL);

	for (unsigned kind = 0; err >= 0 && kind < DISTILL_KINDS; kind++)
		err = runs_json(&runs[kind], r, kind);
	if (err >= 0)
		err = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("model", m->name),
			SD_JSON_BUILD_PAIR_STRING("file", path),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", bytes),
			SD_JSON_BUILD_PAIR_UNSIGNED("hidden", r->hidden),
			SD_JSON_BUILD_PAIR_UNSIGNED("layers", r->layers),
			SD_JSON_BUILD_PAIR_UNSIGNED("features", r->features),
			SD_JSON_BUILD_PAIR_UNSIGNED("seeds", r->seeds),
			SD_JSON_BUILD_PAIR_STRING("written", written(r)),
			SD_JSON_BUILD_PAIR_UNSIGNED("seed", m->seed),
			SD_JSON_BUILD_PAIR_BOOLEAN("student_better", r->kind == DISTILL_STUDENT),
			SD_JSON_BUILD_PAIR_REAL("loss_linear", r->linear_loss),
			SD_JSON_BUILD_PAIR_REAL("loss_student", r->mean_loss[DISTILL_STUDENT]),
			SD_JSON_BUILD_PAIR_REAL("loss_alone", r->mean_loss[DISTILL_ALONE]),
			SD_JSON_BUILD_PAIR_BOOLEAN("interrupted", r->stopped),
			SD_JSON_BUILD_PAIR_VARIANT("teacher", teacher),
			SD_JSON_BUILD_PAIR_VARIANT("student", runs[DISTILL_STUDENT]),
			SD_JSON_BUILD_PAIR_VARIANT("alone", runs[DISTILL_ALONE]),
			SD_JSON_BUILD_PAIR_REAL("seconds", seconds));
	if (err >= 0)
		err = sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	sd_json_variant_unref(teacher);
	for (unsigned kind = 0; kind < DISTILL_KINDS; kind++)
		sd_json_variant_unref(runs[kind]);
	sd_json_variant_unref(v);
	return err < 0 ? err : 0;
}

static void cell(int width, int digits, double v)
{
	if (isnan(v))
		printf(" %*s", width, "-");
	else
		printf(" %*.*f", width, digits, v);
}

static void row(const char *name, const char *seed, unsigned hidden, const struct judge *j,
		const struct distill_run *run)
{
	printf("%-8s %6s %7u %9llu %9llu", name, seed, hidden, (unsigned long long)j->bytes,
	       (unsigned long long)j->int8_bytes);
	cell(8, 2, j->us);
	cell(8, 2, j->int8_us);
	cell(9, 4, run ? run->net_loss : NAN);
	cell(9, 4, j->loss);
	cell(8, 4, j->made_up);
	cell(7, 1, run ? 100 * run->quick_missed : NAN);
	cell(6, 1, run ? 100 * run->quick_wary : NAN);
	putchar('\n');
}

static void kind_rows(const struct distill_report *r, unsigned kind)
{
	struct distill_run mean = { .net_loss = r->mean_loss[kind] };

	mean.judge = r->run[kind][r->best[kind]].judge;
	mean.judge.loss = mean.judge.made_up = 0;
	for (unsigned k = 0; k < r->seeds; k++) {
		const struct distill_run *run = &r->run[kind][k];
		char seed[24];

		snprintf(seed, sizeof(seed), "%llu", (unsigned long long)run->seed);
		row(kinds[kind], seed, r->hidden, &run->judge, run);
		mean.judge.loss += run->judge.loss / r->seeds;
		mean.judge.made_up += run->judge.made_up / r->seeds;
		mean.quick_missed += run->quick_missed / r->seeds;
		mean.quick_wary += run->quick_wary / r->seeds;
	}
	row(kinds[kind], "mean", r->hidden, &mean.judge, &mean);
}

int report_distill(const struct model *m, const struct distill_report *r, unsigned hidden,
		   const char *path, uint64_t bytes, double seconds, bool json)
{
	if (json)
		return put_json(m, r, path, bytes, seconds);
	printf("%-8s %6s %7s %9s %9s %8s %8s %9s %9s %8s %7s %6s\n", "", "seed", "hidden", "bytes",
	       "int8", "us", "us int8", "net loss", "loss", "ROC-AUC", "missed%", "wary%");
	row("teacher", "", hidden, &r->teacher, NULL);
	for (unsigned kind = 0; kind < DISTILL_KINDS; kind++)
		kind_rows(r, kind);
	printf("net loss        of training, held out; the linear forecast alone has %.4f\n",
	       r->linear_loss);
	printf("loss            held out, of the model as it runs, in the teacher's deviations\n");
	printf("ROC-AUC         on %u departures that were made up in %u rows; missed and wary: of\n"
	       "                the quick head, on others of them\n", r->departures, r->rows);
	if (r->stopped)
		printf("interrupted     the best until then was kept\n");
	if (!r->gained)
		printf("written         no net: neither small net gains on the linear forecast\n");
	else if (r->kind == DISTILL_STUDENT)
		printf("written         the student of seed %llu: taught is better than alone\n",
		       (unsigned long long)m->seed);
	else
		printf("written         the net trained alone, seed %llu: the teacher was no help\n",
		       (unsigned long long)m->seed);
	printf("model           %s (%s, %.1f KB)\n", path, "float32", (double)bytes / 1e3);
	printf("time            %.1f s\n", seconds);
	return 0;
}
