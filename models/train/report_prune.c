// SPDX-License-Identifier: MIT
/* report_prune: see report_prune.h. */
#include "models/train/report_prune.h"

#include <math.h>
#include <stdio.h>
#include <systemd/sd-json.h>

static int judge_json(sd_json_variant **v, const struct judge *j)
{
	return sd_json_buildo(v,
		SD_JSON_BUILD_PAIR_UNSIGNED("bytes", j->bytes),
		SD_JSON_BUILD_PAIR_UNSIGNED("int8_bytes", j->int8_bytes),
		SD_JSON_BUILD_PAIR_UNSIGNED("weights", j->weights),
		SD_JSON_BUILD_PAIR_UNSIGNED("zeros", j->zeros),
		SD_JSON_BUILD_PAIR_REAL("us", j->us),
		SD_JSON_BUILD_PAIR_REAL("int8_us", j->int8_us),
		SD_JSON_BUILD_PAIR_REAL("loss", j->loss),
		SD_JSON_BUILD_PAIR_CONDITION(!isnan(j->made_up), "roc_auc_made_up",
					     SD_JSON_BUILD_REAL(j->made_up)),
		SD_JSON_BUILD_PAIR_CONDITION(!isnan(j->labelled), "roc_auc_labelled",
					     SD_JSON_BUILD_REAL(j->labelled)));
}

static int put_json(const struct model *m, const struct prune_report *r,
		    const struct prune_table *t)
{
	sd_json_variant *v = NULL, *before = NULL, *after = NULL;
	int err = judge_json(&before, &t->before);

	if (err >= 0)
		err = judge_json(&after, &t->after);
	if (err >= 0)
		err = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("model", m->name),
			SD_JSON_BUILD_PAIR_STRING("file", t->path),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", t->file_bytes),
			SD_JSON_BUILD_PAIR_BOOLEAN("net", r->net),
			SD_JSON_BUILD_PAIR_UNSIGNED("hidden_before", r->units),
			SD_JSON_BUILD_PAIR_UNSIGNED("hidden", r->units_kept),
			SD_JSON_BUILD_PAIR_UNSIGNED("rank_before", r->rank),
			SD_JSON_BUILD_PAIR_UNSIGNED("rank", r->rank_kept),
			SD_JSON_BUILD_PAIR_UNSIGNED("prunable_weights", r->weights),
			SD_JSON_BUILD_PAIR_UNSIGNED("zeroed", r->zeroed),
			SD_JSON_BUILD_PAIR_UNSIGNED("epochs", r->learn.epochs),
			SD_JSON_BUILD_PAIR_UNSIGNED("best_epoch", r->learn.best_epoch),
			SD_JSON_BUILD_PAIR_BOOLEAN("interrupted", r->learn.stopped),
			SD_JSON_BUILD_PAIR_BOOLEAN("cross_fitted", r->folds),
			SD_JSON_BUILD_PAIR_VARIANT("before", before),
			SD_JSON_BUILD_PAIR_VARIANT("after", after),
			SD_JSON_BUILD_PAIR_CONDITION(!isnan(t->agreement), "agreement",
						     SD_JSON_BUILD_REAL(t->agreement)),
			SD_JSON_BUILD_PAIR_REAL("seconds", t->seconds));
	if (err >= 0)
		err = sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	sd_json_variant_unref(before);
	sd_json_variant_unref(after);
	sd_json_variant_unref(v);
	return err < 0 ? err : 0;
}

static void what_was_done(const struct prune_report *r)
{
	bool any = false;

	printf("structured      ");
	if (r->net && r->units_kept < r->units)
		any = printf("%u of %u hidden units a layer stay", r->units_kept, r->units) > 0;
	if (r->rank_kept < r->rank)
		any = printf("%u of %u components of the subspace stay%s", r->rank_kept, r->rank,
			     r->net ? "" : " (there is no net)") > 0;
	printf("%s\n", any ? "" : "nothing");
	printf("unstructured    %llu of %llu weights of the%s%s%s are zero\n",
	       (unsigned long long)r->zeroed, (unsigned long long)r->weights,
	       r->net && r->parts & PRUNE_DENSE ? " dense part" : "",
	       r->parts & PRUNE_LINEAR ? " linear forecast" : "",
	       r->parts & PRUNE_SUBSPACE ? " subspace" : "");
	if (!r->net)
		printf("tuned           nothing: there is no net\n");
	else if (r->learn.epochs)
		printf("tuned           %u epochs, best %u: loss %.4f before, %.4f after%s\n",
		       r->learn.epochs, r->learn.best_epoch, r->learn.linear_loss,
		       r->learn.net_loss, r->learn.stopped ? " (interrupted)" : "");
	printf("calibrated      %s\n", r->folds ?
	       "on rows that the linear parts were made without" :
	       "on the recording as it is: the model was not fitted on it");
}

static void counts(const char *name, uint64_t a, uint64_t b, bool share)
{
	printf("%-22s %12llu %12llu", name, (unsigned long long)a, (unsigned long long)b);
	if (share && a)
		printf(" %+7.1f %%", 100 * ((double)b / (double)a - 1));
	putchar('\n');
}

static void figures(const char *name, double a, double b, int digits, bool share)
{
	if (isnan(a) || isnan(b))
		return;
	printf("%-22s %12.*f %12.*f", name, digits, a, digits, b);
	if (share)
		printf(" %+7.1f %%", 100 * (b / a - 1));
	else
		printf(" %+9.4f", b - a);
	putchar('\n');
}

int report_prune(const struct model *m, const struct prune_report *r, const struct prune_table *t,
		 bool json)
{
	const struct judge *a = &t->before, *b = &t->after;

	if (json)
		return put_json(m, r, t);
	printf("model           %s (%s, %.1f KB)\n", t->path, model_precision(m),
	       (double)t->file_bytes / 1e3);
	what_was_done(r);
	printf("%-22s %12s %12s\n", "", "before", "after");
	counts("bytes, float32", a->bytes, b->bytes, true);
	counts("bytes, int8", a->int8_bytes, b->int8_bytes, true);
	counts("weights", a->weights, b->weights, true);
	counts("of which zero", a->zeros, b->zeros, false);
	figures("us a step, float32", a->us, b->us, 2, true);
	figures("us a step, int8", a->int8_us, b->int8_us, 2, true);
	figures("held-out loss", a->loss, b->loss, 4, true);
	figures("ROC-AUC, made up", a->made_up, b->made_up, 4, false);
	figures("ROC-AUC, labelled", a->labelled, b->labelled, 4, false);
	if (!isnan(t->agreement))
		printf("scores          correlation %.5f with the model before\n", t->agreement);
	printf("made up         %u departures in %u rows of the recording\n", t->departures, t->rows);
	printf("time            %.1f s\n", t->seconds);
	return 0;
}
