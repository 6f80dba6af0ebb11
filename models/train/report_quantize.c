// SPDX-License-Identifier: MIT
/* report_quantize: what rounding to int8 did to each layer and to the scores. */
#include <math.h>
#include <stdio.h>
#include <systemd/sd-json.h>

#include "models/model.h"
#include "models/train/quantize.h"
#include "models/train/report.h"

#define SNR_MAX 199.0	/* dB; quantize says 200 of an output that lost nothing */

static const char *range_name(const struct quantize_options *how)
{
	static const char *const name[] = { "fixed", "minmax", "percentile" };

	return how->dynamic ? "each row's own" : name[how->range];
}

static int layers_json(sd_json_variant **v, const struct quantize_report *r)
{
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned k = 0; err >= 0 && k < r->layers; k++)
		err = sd_json_variant_append_arraybo(v,
			SD_JSON_BUILD_PAIR_STRING("name", r->layer[k].name),
			SD_JSON_BUILD_PAIR_UNSIGNED("inputs", r->layer[k].in),
			SD_JSON_BUILD_PAIR_UNSIGNED("outputs", r->layer[k].out),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", r->layer[k].bytes),
			SD_JSON_BUILD_PAIR_REAL("snr_db", r->layer[k].snr_db),
			SD_JSON_BUILD_PAIR_REAL("worst_db", r->layer[k].worst_db));
	return err;
}

static int ranks_json(sd_json_variant **v, const struct report_ranks *r)
{
	return sd_json_buildo(v,
		SD_JSON_BUILD_PAIR_STRING("file", r->path),
		SD_JSON_BUILD_PAIR_UNSIGNED("rows", r->rows),
		SD_JSON_BUILD_PAIR_UNSIGNED("anomalous_rows", r->anomalous),
		SD_JSON_BUILD_PAIR_REAL("roc_auc_float", r->roc_auc[0]),
		SD_JSON_BUILD_PAIR_REAL("roc_auc_int8", r->roc_auc[1]),
		SD_JSON_BUILD_PAIR_REAL("ap_float", r->ap[0]),
		SD_JSON_BUILD_PAIR_REAL("ap_int8", r->ap[1]));
}

static int put_quantize(const struct model *m, const struct quantize_options *how,
			const struct quantize_report *r, double same_side,
			const struct report_ranks *ranks, const char *path)
{
	sd_json_variant *v = NULL, *layers = NULL, *labelled = NULL;
	int err = layers_json(&layers, r);

	if (err >= 0 && ranks->path)
		err = ranks_json(&labelled, ranks);
	if (err >= 0)
		err = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("model", m->name),
			SD_JSON_BUILD_PAIR_STRING("file", path),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", report_file_size(path)),
			SD_JSON_BUILD_PAIR_BOOLEAN("dynamic", how->dynamic),
			SD_JSON_BUILD_PAIR_STRING("range", range_name(how)),
			SD_JSON_BUILD_PAIR_REAL("z_clip", (double)r->z_clip),
			SD_JSON_BUILD_PAIR_REAL("code_clip", (double)r->code_clip),
			SD_JSON_BUILD_PAIR_VARIANT("layers", layers),
			SD_JSON_BUILD_PAIR_UNSIGNED("rows_compared", r->rows),
			SD_JSON_BUILD_PAIR_REAL("correlation", r->correlation),
			SD_JSON_BUILD_PAIR_REAL("mean_difference", r->mean_difference),
			SD_JSON_BUILD_PAIR_REAL("max_difference", r->max_difference),
			SD_JSON_BUILD_PAIR_REAL("agreement", same_side),
			SD_JSON_BUILD_PAIR_CONDITION(ranks->path != NULL, "test",
						     SD_JSON_BUILD_VARIANT(labelled)),
			SD_JSON_BUILD_PAIR_REAL("point_limit", (double)m->point_limit),
			SD_JSON_BUILD_PAIR_REAL("limit_per_day", report_day_limit(m)));
	sd_json_variant_unref(layers);
	sd_json_variant_unref(labelled);
	return report_put(v, err);
}

static void decibel(int width, double db)
{
	if (db > SNR_MAX)
		printf(" %*s", width, "exact");
	else
		printf(" %*.1f", width, db);
}

static void layers_text(const struct quantize_report *r)
{
	char bytes[REPORT_BYTES];

	printf("%-17s %8s %8s %10s %9s %13s\n", "layer", "inputs", "outputs", "weights", "SNR dB",
	       "worst row dB");
	for (unsigned k = 0; k < r->layers; k++) {
		printf("%-17s %8u %8u %10s", r->layer[k].name, r->layer[k].in, r->layer[k].out,
		       report_bytes(bytes, r->layer[k].bytes));
		decibel(9, r->layer[k].snr_db);
		decibel(13, r->layer[k].worst_db);
		putchar('\n');
	}
}

static void ranks_text(const struct report_ranks *r)
{
	printf("labelled rows   %s: %u, of them %u anomalous\n", r->path, r->rows, r->anomalous);
	if (isnan(r->roc_auc[0]) || isnan(r->roc_auc[1])) {
		printf("                of one sort only: there is nothing to tell apart\n");
		return;
	}
	printf("ROC-AUC         float %.4f, int8 %.4f (%+.4f)\n", r->roc_auc[0], r->roc_auc[1],
	       r->roc_auc[1] - r->roc_auc[0]);
	printf("AP              float %.4f, int8 %.4f (%+.4f)\n", r->ap[0], r->ap[1],
	       r->ap[1] - r->ap[0]);
}

int report_quantize(const struct model *m, const struct quantize_options *how,
		    const struct quantize_report *r, double same_side,
		    const struct report_ranks *ranks, const char *path, bool json)
{
	char size[REPORT_BYTES];

	if (json)
		return put_quantize(m, how, r, same_side, ranks, path);
	printf("model           %s (%s, %s)\n", path, model_precision(m),
	       report_bytes(size, (double)report_file_size(path)));
	if (how->dynamic)
		printf("inputs          each row at its own step (dynamic)\n");
	else
		printf("inputs          at one step (static, %s): cut at %.3g deviations, "
		       "components at %.3g\n", range_name(how), (double)r->z_clip,
		       (double)r->code_clip);
	layers_text(r);
	printf("scores          correlation %.5f with float32 over %u rows\n", r->correlation,
	       r->rows);
	printf("difference      mean %.4f, largest %.4f medians\n", r->mean_difference,
	       r->max_difference);
	printf("decisions       %.2f %% of the rows on the same side of the limit\n",
	       100 * same_side);
	if (ranks->path)
		ranks_text(ranks);
	printf("limit           score %.2f for one false alarm a day; a row stands out where a "
	       "channel\n                is %.2f times as far off as it usually gets\n",
	       report_day_limit(m), (double)m->point_limit);
	return 0;
}
