// SPDX-License-Identifier: MIT
/* json: all summaries as one object, a member for each set and in it one for each method. */
#include <errno.h>
#include <stdio.h>
#include <systemd/sd-json.h>

#include "kernels/why.h"
#include "test/eval/summary.h"

static bool alone(unsigned m)
{
	return m >= METHOD_VIEW && m < METHOD_RIVAL;
}

static int method_json(sd_json_variant **out, const struct summary *s, unsigned m)
{
	const struct eval_figures *f = &s->figures[m];
	const double *nab = s->nab[m].score, *change = s->change[m];
	/* A view alone has no limit, and so no decisions. */
	bool decides = !alone(m);

	return sd_json_buildo(out,
		SD_JSON_BUILD_PAIR_CONDITION(s->has_nab, "standard", SD_JSON_BUILD_REAL(nab[NAB_STANDARD])),
		SD_JSON_BUILD_PAIR_CONDITION(s->has_nab, "low_fp", SD_JSON_BUILD_REAL(nab[NAB_LOW_FP])),
		SD_JSON_BUILD_PAIR_CONDITION(s->has_nab, "low_fn", SD_JSON_BUILD_REAL(nab[NAB_LOW_FN])),
		SD_JSON_BUILD_PAIR_UNSIGNED("files", s->files[m]),
		SD_JSON_BUILD_PAIR_REAL("roc_auc", f->roc_auc),
		SD_JSON_BUILD_PAIR_REAL("ap", f->ap),
		SD_JSON_BUILD_PAIR_REAL("vus_roc", f->vus_roc),
		SD_JSON_BUILD_PAIR_REAL("vus_pr", f->vus_pr),
		SD_JSON_BUILD_PAIR_CONDITION(decides, "f1", SD_JSON_BUILD_REAL(f->f1)),
		SD_JSON_BUILD_PAIR_CONDITION(decides, "far", SD_JSON_BUILD_REAL(f->far)),
		SD_JSON_BUILD_PAIR_CONDITION(decides, "mar", SD_JSON_BUILD_REAL(f->mar)),
		SD_JSON_BUILD_PAIR_CONDITION(decides, "event_precision", SD_JSON_BUILD_REAL(f->event_precision)),
		SD_JSON_BUILD_PAIR_CONDITION(decides, "event_recall", SD_JSON_BUILD_REAL(f->event_recall)),
		SD_JSON_BUILD_PAIR_CONDITION(decides, "delay", SD_JSON_BUILD_REAL(f->delay_rows)),
		SD_JSON_BUILD_PAIR_CONDITION(decides, "false_alarms_day", SD_JSON_BUILD_REAL(f->false_alarms_day)),
		SD_JSON_BUILD_PAIR_CONDITION(decides && s->has_change, "change_standard",
					     SD_JSON_BUILD_REAL(change[METRIC_STANDARD])),
		SD_JSON_BUILD_PAIR_CONDITION(decides && s->has_change, "change_low_fp",
					     SD_JSON_BUILD_REAL(change[METRIC_LOW_FP])),
		SD_JSON_BUILD_PAIR_CONDITION(decides && s->has_change, "change_low_fn",
					     SD_JSON_BUILD_REAL(change[METRIC_LOW_FN])));
}

static int set_json(sd_json_variant **out, const struct summary *s)
{
	int err = sd_json_variant_new_object(out, NULL, 0);

	for (unsigned m = 0; err >= 0 && m < METHODS; m++) {
		sd_json_variant *v = NULL;

		if (!s->files[m])
			continue;
		err = method_json(&v, s, m);
		if (err >= 0)
			err = sd_json_variant_set_field(out, method_name(m), v);
		sd_json_variant_unref(v);
	}
	return err;
}

static int quoted_json(sd_json_variant **out)
{
	int err = sd_json_variant_new_array(out, NULL, 0);

	for (unsigned k = 0; err >= 0 && k < quoted_count; k++) {
		const struct quoted *q = &quoted[k];
		bool nab = q->nab[NAB_STANDARD] > 0;

		err = sd_json_variant_append_arraybo(out,
			SD_JSON_BUILD_PAIR_STRING("set", q->set),
			SD_JSON_BUILD_PAIR_STRING("name", q->name),
			SD_JSON_BUILD_PAIR_BOOLEAN("published", q->published),
			SD_JSON_BUILD_PAIR_REAL("roc_auc", q->roc_auc),
			SD_JSON_BUILD_PAIR_REAL("ap", q->ap),
			SD_JSON_BUILD_PAIR_REAL("vus_pr", q->vus_pr),
			SD_JSON_BUILD_PAIR_REAL("f1", q->f1),
			SD_JSON_BUILD_PAIR_REAL("far", q->far),
			SD_JSON_BUILD_PAIR_REAL("mar", q->mar),
			SD_JSON_BUILD_PAIR_CONDITION(nab, "standard", SD_JSON_BUILD_REAL(q->nab[NAB_STANDARD])),
			SD_JSON_BUILD_PAIR_CONDITION(nab, "low_fp", SD_JSON_BUILD_REAL(q->nab[NAB_LOW_FP])),
			SD_JSON_BUILD_PAIR_CONDITION(nab, "low_fn", SD_JSON_BUILD_REAL(q->nab[NAB_LOW_FN])));
	}
	return err;
}

static int dump(const char *path, sd_json_variant *v)
{
	FILE *f = fopen(path, "we");
	int err;

	if (!f)
		return -errno;
	err = sd_json_variant_dump(v, SD_JSON_FORMAT_PRETTY | SD_JSON_FORMAT_NEWLINE, f, NULL);
	if (fclose(f) && err >= 0)
		err = -EIO;
	return err;
}

int json_write(const char *path, const struct summary *s, unsigned count, struct why *why)
{
	sd_json_variant *v = NULL, *member = NULL;
	int err = sd_json_variant_new_object(&v, NULL, 0);

	for (unsigned k = 0; err >= 0 && k < count; k++) {
		err = set_json(&member, &s[k]);
		if (err >= 0)
			err = sd_json_variant_set_field(&v, s[k].set->name, member);
		member = sd_json_variant_unref(member);
	}
	if (err >= 0)
		err = quoted_json(&member);
	if (err >= 0)
		err = sd_json_variant_set_field(&v, "quoted", member);
	if (err >= 0)
		err = dump(path, v);
	sd_json_variant_unref(member);
	sd_json_variant_unref(v);
	return err < 0 ? why_set(why, err, "%s: cannot be written", path) : 0;
}
