// SPDX-License-Identifier: MIT
/* report_bench: how fast a model is here, beside the figures that the project aims at. */
#include <stdio.h>
#include <systemd/sd-json.h>

#include "models/model.h"
#include "models/train/bench.h"
#include "models/train/report.h"

#define STEP_MOST_US 10.0	/* a row of 20 channels and an LSTM of 64, int8 */
#define ROWS_LEAST 50000.0	/* a second, on one core */

static double rows_s(const struct bench *b)
{
	return b->step_us > 0 ? 1e6 / b->step_us : 0;
}

static int batches_json(sd_json_variant **v, const struct bench *b)
{
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned k = 0; err >= 0 && k < b->batches; k++)
		err = sd_json_variant_append_arraybo(v,
			SD_JSON_BUILD_PAIR_UNSIGNED("batch", b->batch[k].size),
			SD_JSON_BUILD_PAIR_REAL("rows_per_s", b->batch[k].rows_s),
			SD_JSON_BUILD_PAIR_REAL("us_per_row", 1e6 / b->batch[k].rows_s),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", b->batch[k].bytes));
	return err;
}

static int put_bench(const struct model *m, const struct bench *b, const char *path, int core,
		     unsigned usual, unsigned picked)
{
	sd_json_variant *v = NULL, *batches = NULL;
	int err = batches_json(&batches, b);

	if (err >= 0)
		err = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("file", path),
			SD_JSON_BUILD_PAIR_STRING("precision", model_precision(m)),
			SD_JSON_BUILD_PAIR_STRING("kernel", report_kernel(m, b->kind)),
			SD_JSON_BUILD_PAIR_UNSIGNED("channels", m->spec.channels),
			SD_JSON_BUILD_PAIR_UNSIGNED("hidden", m->spec.recurrent.hidden),
			SD_JSON_BUILD_PAIR_INTEGER("core", core),
			SD_JSON_BUILD_PAIR_UNSIGNED("rows", b->steps),
			SD_JSON_BUILD_PAIR_REAL("us_per_sample", b->step_us),
			SD_JSON_BUILD_PAIR_REAL("samples_per_s", rows_s(b)),
			SD_JSON_BUILD_PAIR_REAL("p50_us", b->p50_us),
			SD_JSON_BUILD_PAIR_REAL("p99_us", b->p99_us),
			SD_JSON_BUILD_PAIR_REAL("max_us", b->max_us),
			SD_JSON_BUILD_PAIR_REAL("clock_us", b->clock_us),
			SD_JSON_BUILD_PAIR_UNSIGNED("rss_bytes", b->rss_bytes),
			SD_JSON_BUILD_PAIR_UNSIGNED("rss_peak_bytes", b->rss_peak_bytes),
			SD_JSON_BUILD_PAIR_VARIANT("batches", batches),
			SD_JSON_BUILD_PAIR_UNSIGNED("usual_batch", usual),
			SD_JSON_BUILD_PAIR_UNSIGNED("batch", picked));
	sd_json_variant_unref(batches);
	return report_put(v, err);
}

static const char *met(bool is)
{
	return is ? "reached" : "missed";
}

static void batches_text(const struct bench *b, unsigned usual, unsigned picked)
{
	unsigned most = b->batches ? b->batch[b->batches - 1].size : 0;
	char bytes[REPORT_BYTES];

	printf("%-15s %12s %12s %12s\n", "side by side", "rows/s", "us a row", "memory");
	for (unsigned k = 0; k < b->batches; k++)
		printf("%-15u %12.0f %12.3f %12s%s\n", b->batch[k].size, b->batch[k].rows_s,
		       1e6 / b->batch[k].rows_s, report_bytes(bytes, (double)b->batch[k].bytes),
		       b->batch[k].size == picked ? "  <" : "");
	if (picked > usual)
		printf("offline         %u at a time: faster than this device's usual %u\n", picked,
		       usual);
	else if (most < usual)
		printf("offline         %u at a time: %u, usual on this device, not tried\n",
		       picked, usual);
	else if (picked < usual)
		printf("offline         %u at a time: %u, usual on this device, is not faster\n",
		       picked, usual);
	else
		printf("offline         %u at a time, as usual on this device\n", picked);
}

int report_bench(const struct model *m, const struct bench *b, const char *path, int core,
		 unsigned usual, unsigned picked, bool json)
{
	char now[REPORT_BYTES], peak[REPORT_BYTES];

	if (json)
		return put_bench(m, b, path, core, usual, picked);
	printf("model           %s: %s (%s), %u channels", path, model_precision(m),
	       report_kernel(m, b->kind), m->spec.channels);
	if (m->spec.recurrent.kind != RECURRENT_NONE)
		printf(", an LSTM of %u", m->spec.recurrent.hidden);
	printf("\nsingle rows     p50 %.3f us, p99 %.3f us, longest %.1f us, on core %d, %u rows\n",
	       b->p50_us, b->p99_us, b->max_us, core, b->steps);
	printf("                with a look at the clock in each, which is %.3f us\n", b->clock_us);
	printf("back to back    %.3f us a row, %.0f rows/s\n", b->step_us, rows_s(b));
	printf("aims            below %.0f us a row: %s; above %.0f rows/s on one core: %s\n",
	       STEP_MOST_US, met(b->step_us < STEP_MOST_US), ROWS_LEAST,
	       met(rows_s(b) > ROWS_LEAST));
	printf("memory          %s of this process with one detector, %s at most\n",
	       report_bytes(now, (double)b->rss_bytes),
	       report_bytes(peak, (double)b->rss_peak_bytes));
	batches_text(b, usual, picked);
	return 0;
}
