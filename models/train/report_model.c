// SPDX-License-Identifier: MIT
/* report_model: what a model file says of itself: `show`, and a part of what others print. */
#include <stdio.h>
#include <systemd/sd-json.h>

#include "models/model.h"
#include "models/train/report.h"

static int channels_json(sd_json_variant **v, const struct model *m)
{
	const struct detector_spec *s = &m->spec;
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned i = 0; err >= 0 && i < s->channels; i++)
		err = sd_json_variant_append_arraybo(v,
			SD_JSON_BUILD_PAIR_STRING("name", m->channel[i].name),
			SD_JSON_BUILD_PAIR_STRING("unit", m->channel[i].unit),
			SD_JSON_BUILD_PAIR_REAL("mean", (double)s->mean[i]),
			SD_JSON_BUILD_PAIR_REAL("deviation", 1 / (double)s->inv_std[i]),
			SD_JSON_BUILD_PAIR_REAL("residual", 1 / (double)s->inv_sigma[i]),
			SD_JSON_BUILD_PAIR_BOOLEAN("wanders", s->wanders[i] != 0),
			SD_JSON_BUILD_PAIR_REAL("departure", (double)m->departure[i]));
	return err;
}

int report_model_build(sd_json_variant **out, const struct model *m, const char *path,
		       uint64_t bytes)
{
	const struct detector_spec *s = &m->spec;
	sd_json_variant *channels = NULL;
	int err = channels_json(&channels, m);

	if (err >= 0)
		err = sd_json_buildo(out,
			SD_JSON_BUILD_PAIR_STRING("name", m->name),
			SD_JSON_BUILD_PAIR_STRING("file", path),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", bytes),
			SD_JSON_BUILD_PAIR_STRING("precision", model_precision(m)),
			SD_JSON_BUILD_PAIR_REAL("rate_hz", m->rate_hz),
			SD_JSON_BUILD_PAIR_UNSIGNED("lags", s->lags),
			SD_JSON_BUILD_PAIR_UNSIGNED("hidden", s->recurrent.hidden),
			SD_JSON_BUILD_PAIR_REAL("limit_per_day", report_day_limit(m)),
			SD_JSON_BUILD_PAIR_STRING("created", m->created),
			SD_JSON_BUILD_PAIR_STRING("data_sha256", m->data_sha256),
			SD_JSON_BUILD_PAIR_UNSIGNED("rows", m->rows),
			SD_JSON_BUILD_PAIR_UNSIGNED("seed", m->seed),
			SD_JSON_BUILD_PAIR_REAL("loss_linear", (double)m->loss_linear),
			SD_JSON_BUILD_PAIR_REAL("loss_net", (double)m->loss_net),
			SD_JSON_BUILD_PAIR_UNSIGNED("test_rows", m->test_rows),
			SD_JSON_BUILD_PAIR_VARIANT("channels", channels));
	sd_json_variant_unref(channels);
	return err;
}

static void model_text(const struct model *m, const char *path, uint64_t bytes)
{
	const struct detector_spec *s = &m->spec;

	printf("%s: model %s, %s, %.1f KB\n", path, m->name, model_precision(m), (double)bytes / 1e3);
	printf("views          ");
	for (unsigned v = 0; v < VIEWS; v++)
		if (s->view[v].weight > 0)
			printf(" %s", detector_view_name((enum detector_view)v));
	printf("; %u lags", s->lags);
	if (s->recurrent.hidden)
		printf(", an LSTM of %u hidden", s->recurrent.hidden);
	putchar('\n');
	printf("losses          linear %.4f, with LSTM %.4f (held out)\n", (double)m->loss_linear,
	       (double)m->loss_net);
	printf("limit           score %.2f for one false alarm a day at %g Hz\n", report_day_limit(m),
	       m->rate_hz);
	printf("made            %s, seed %llu, from %llu rows\n", m->created,
	       (unsigned long long)m->seed, (unsigned long long)m->rows);
	printf("data            sha256 %s\n", m->data_sha256);
	printf("self-test       %u rows\n", m->test_rows);
	printf("%-24s %12s %12s %9s %8s %9s\n", "channel", "mean", "deviation", "residual", "wanders",
	       "departure");
	for (unsigned i = 0; i < s->channels; i++)
		printf("%-24s %12.6g %12.6g %9.3g %8s %9.3g\n", m->channel[i].name,
		       (double)s->mean[i], 1 / (double)s->inv_std[i], 1 / (double)s->inv_sigma[i],
		       s->wanders[i] != 0 ? "yes" : "no", (double)m->departure[i]);
}

int report_model(const struct model *m, const char *path, uint64_t bytes, bool json)
{
	sd_json_variant *v = NULL;
	int err;

	if (json) {
		err = report_model_build(&v, m, path, bytes);
		return report_put(v, err);
	}
	model_text(m, path, bytes);
	return 0;
}
