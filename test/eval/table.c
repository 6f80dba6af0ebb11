// SPDX-License-Identifier: MIT
/* table: a set as a table, ours first, then the rivals of the same run, then what is quoted. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "test/eval/summary.h"

#define NAME_WIDTH 26

static void cell(int width, int digits, double v)
{
	if (isnan(v))
		printf(" %*s", width, "-");
	else
		printf(" %*.*f", width, digits, v);
}

static void nab_cells(const double score[NAB_PROFILES])
{
	for (int p = 0; p < NAB_PROFILES; p++)
		cell(8, 1, score[p]);
}

static void head(const struct summary *s)
{
	printf("\n%s: %s; %u recordings, %u rows", s->set->name, s->set->what, s->jobs, s->rows);
	if (s->failed)
		printf("; %u FAILED and are not in these figures", s->failed);
	printf("\n%-*s %5s", NAME_WIDTH, "", "files");
	if (s->has_nab)
		printf(" %8s %8s %8s", "standard", "low FP", "low FN");
	printf(" %7s %7s %7s", "ROC-AUC", "AP", "VUS-PR");
	if (!s->has_nab)
		printf(" %6s %6s %6s %6s %7s %8s", "F1", "FAR%", "MAR%", "events", "delay", "false/d");
	if (s->has_change)
		printf(" %7s", "change");
	putchar('\n');
}

static void method_row(const struct summary *s, unsigned m)
{
	const struct eval_figures *f = &s->figures[m];
	/* The limit of a view alone is not known: nothing that needs one is. */
	double known = m >= METHOD_VIEW && m < METHOD_RIVAL ? NAN : 0;

	printf("%-*s %5u", NAME_WIDTH, method_name(m), s->files[m]);
	if (s->has_nab)
		nab_cells(s->nab[m].score);
	cell(7, 4, f->roc_auc);
	cell(7, 4, f->ap);
	cell(7, 4, f->vus_pr);
	if (!s->has_nab) {
		cell(6, 3, f->f1 + known);
		cell(6, 1, f->far + known);
		cell(6, 1, f->mar + known);
		cell(6, 3, f->event_recall + known);
		cell(7, 1, f->delay_rows + known);
		cell(8, 1, f->false_alarms_day + known);
	}
	if (s->has_change)
		cell(7, 1, s->change[m][METRIC_STANDARD] + known);
	putchar('\n');
}

static void quoted_row(const struct summary *s, const struct quoted *q)
{
	char name[64];

	snprintf(name, sizeof(name), "%s %s", q->published ? "**" : "*", q->name);
	printf("%-*s %5s", NAME_WIDTH, name, "");
	if (s->has_nab)
		nab_cells(q->nab);
	cell(7, 3, q->roc_auc);
	cell(7, 3, q->ap);
	cell(7, 3, q->vus_pr);
	if (!s->has_nab) {
		cell(6, 3, q->f1);
		cell(6, 1, q->far);
		cell(6, 1, q->mar);
	}
	putchar('\n');
}

void table_print(const struct summary *s)
{
	head(s);
	for (unsigned m = 0; m < METHODS; m++)
		if (s->files[m])
			method_row(s, m);
	for (unsigned k = 0; k < quoted_count; k++)
		if (!strcmp(quoted[k].set, s->set->name))
			quoted_row(s, &quoted[k]);
}
