// SPDX-License-Identifier: MIT
/*
 * report: see report.h.
 */
#include "models/train/report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <systemd/sd-json.h>

#include "models/model.h"
#include "models/train/fit.h"
#include "models/train/quantize.h"

uint64_t report_file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

/* Score that false alarms reach once a day, by the tail alone. */
static double day_limit(const struct model *m)
{
	return (double)tail_score(&m->tail, logf((float)(m->rate_hz * 86400)));
}

/* Prints v and lets go of it; err is from building it. */
static int put_json(sd_json_variant *v, int err)
{
	if (err >= 0)
		err = sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	sd_json_variant_unref(v);
	return err < 0 ? err : 0;
}

static int curve_json(sd_json_variant **v, const struct learn_report *r)
{
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned e = 0; err >= 0 && e < r->epochs; e++)
		err = sd_json_variant_append_arrayb(v, SD_JSON_BUILD_REAL(r->curve[e]));
	return err;
}

static int fit_json(const struct model *m, const struct fit_report *r, const char *path,
		    uint64_t bytes, double seconds)
{
	sd_json_variant *v = NULL, *curve = NULL;
	int err = curve_json(&curve, &r->learn);

	if (err >= 0)
		err = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("model", m->name),
			SD_JSON_BUILD_PAIR_STRING("file", path),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", bytes),
			SD_JSON_BUILD_PAIR_UNSIGNED("rows", r->rows),
			SD_JSON_BUILD_PAIR_UNSIGNED("held_out_rows", r->held_rows),
			SD_JSON_BUILD_PAIR_UNSIGNED("channels", r->channels),
			SD_JSON_BUILD_PAIR_UNSIGNED("wandering", r->wandering),
			SD_JSON_BUILD_PAIR_REAL("rate_hz", m->rate_hz),
			SD_JSON_BUILD_PAIR_UNSIGNED("lags", r->lags),
			SD_JSON_BUILD_PAIR_UNSIGNED("hidden", r->hidden),
			SD_JSON_BUILD_PAIR_UNSIGNED("hidden_asked", r->asked_hidden),
			SD_JSON_BUILD_PAIR_BOOLEAN("lstm_kept", r->hidden > 0),
			SD_JSON_BUILD_PAIR_UNSIGNED("epochs", r->learn.epochs),
			SD_JSON_BUILD_PAIR_UNSIGNED("best_epoch", r->learn.best_epoch),
			SD_JSON_BUILD_PAIR_BOOLEAN("interrupted", r->learn.stopped),
			SD_JSON_BUILD_PAIR_REAL("loss_linear", r->linear_loss),
			SD_JSON_BUILD_PAIR_REAL("loss_net", r->net_loss),
			SD_JSON_BUILD_PAIR_VARIANT("loss_curve", curve),
			SD_JSON_BUILD_PAIR_REAL("limit_per_day", day_limit(m)),
			SD_JSON_BUILD_PAIR_REAL("seconds", seconds));
	sd_json_variant_unref(curve);
	return put_json(v, err);
}

static void fit_text(const struct model *m, const struct fit_report *r, const char *path,
		     uint64_t bytes, double seconds)
{
	double gain = r->linear_loss > 0 ? 100 * (1 - r->net_loss / r->linear_loss) : 0;

	printf("model           %s (%s, %.1f KB)\n", path, model_precision(m), (double)bytes / 1e3);
	printf("rows            %u at %g Hz, the last %u held out\n", r->rows, m->rate_hz, r->held_rows);
	printf("channels        %u, of which %u wander\n", r->channels, r->wandering);
	printf("linear          %u lags, held-out loss %.4f\n", r->lags, r->linear_loss);
	if (r->hidden)
		printf("LSTM            %u hidden, held-out loss %.4f (%.1f %% less, epoch %u of %u)\n",
		       r->hidden, r->net_loss, gain, r->learn.best_epoch, r->learn.epochs);
	else if (r->asked_hidden)
		printf("LSTM            left out: in %u epochs it did not lower the held-out loss by %.1f %%\n",
		       r->learn.epochs, 100 * FIT_GAIN_MIN);
	if (r->learn.stopped)
		printf("interrupted     the best state until then was kept\n");
	printf("limit           score %.2f for one false alarm a day\n", day_limit(m));
	printf("time            %.1f s\n", seconds);
}

int report_fit(const struct model *m, const struct fit_report *r, const char *path,
	       uint64_t bytes, double seconds, bool json)
{
	if (json)
		return fit_json(m, r, path, bytes, seconds);
	fit_text(m, r, path, bytes, seconds);
	return 0;
}

static int quantize_json(const struct model *m, const struct quantize_report *r, const char *path,
			 uint64_t bytes)
{
	sd_json_variant *v = NULL, *layers = NULL;
	int err = sd_json_variant_new_array(&layers, NULL, 0);

	for (unsigned k = 0; err >= 0 && k < r->layers; k++)
		err = sd_json_variant_append_arraybo(&layers,
			SD_JSON_BUILD_PAIR_STRING("name", r->layer[k].name),
			SD_JSON_BUILD_PAIR_UNSIGNED("inputs", r->layer[k].in),
			SD_JSON_BUILD_PAIR_UNSIGNED("outputs", r->layer[k].out),
			SD_JSON_BUILD_PAIR_REAL("snr_db", r->layer[k].snr_db),
			SD_JSON_BUILD_PAIR_REAL("worst_db", r->layer[k].worst_db));
	if (err >= 0)
		err = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("model", m->name),
			SD_JSON_BUILD_PAIR_STRING("file", path),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", bytes),
			SD_JSON_BUILD_PAIR_VARIANT("layers", layers),
			SD_JSON_BUILD_PAIR_UNSIGNED("rows_compared", r->rows),
			SD_JSON_BUILD_PAIR_REAL("correlation", r->correlation),
			SD_JSON_BUILD_PAIR_REAL("mean_difference", r->mean_difference),
			SD_JSON_BUILD_PAIR_REAL("max_difference", r->max_difference),
			SD_JSON_BUILD_PAIR_REAL("limit_per_day", day_limit(m)));
	sd_json_variant_unref(layers);
	return put_json(v, err);
}

int report_quantize(const struct model *m, const struct quantize_report *r, const char *path,
		    uint64_t bytes, bool json)
{
	if (json)
		return quantize_json(m, r, path, bytes);
	printf("model           %s (%s, %.1f KB)\n", path, model_precision(m), (double)bytes / 1e3);
	printf("%-15s %8s %8s %9s %12s\n", "layer", "inputs", "outputs", "SNR dB", "worst row dB");
	for (unsigned k = 0; k < r->layers; k++)
		printf("%-15s %8u %8u %9.1f %12.1f\n", r->layer[k].name, r->layer[k].in,
		       r->layer[k].out, r->layer[k].snr_db, r->layer[k].worst_db);
	printf("scores          correlation %.5f with float32 over %u rows\n", r->correlation, r->rows);
	printf("difference      mean %.4f, largest %.4f nats\n", r->mean_difference, r->max_difference);
	printf("limit           score %.2f for one false alarm a day\n", day_limit(m));
	return 0;
}

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
			SD_JSON_BUILD_PAIR_BOOLEAN("wanders", s->skip[i] != 0),
			SD_JSON_BUILD_PAIR_REAL("departure", (double)m->departure[i]));
	return err;
}

static int model_json(const struct model *m, const char *path, uint64_t bytes)
{
	const struct detector_spec *s = &m->spec;
	sd_json_variant *v = NULL, *channels = NULL;
	int err = channels_json(&channels, m);

	if (err >= 0)
		err = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("name", m->name),
			SD_JSON_BUILD_PAIR_STRING("file", path),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", bytes),
			SD_JSON_BUILD_PAIR_STRING("precision", model_precision(m)),
			SD_JSON_BUILD_PAIR_REAL("rate_hz", m->rate_hz),
			SD_JSON_BUILD_PAIR_UNSIGNED("lags", s->lags),
			SD_JSON_BUILD_PAIR_UNSIGNED("hidden", s->hidden),
			SD_JSON_BUILD_PAIR_REAL("forecast_smooth", (double)s->forecast_smooth),
			SD_JSON_BUILD_PAIR_REAL("level_smooth", (double)s->level_smooth),
			SD_JSON_BUILD_PAIR_REAL("limit_per_day", day_limit(m)),
			SD_JSON_BUILD_PAIR_STRING("created", m->created),
			SD_JSON_BUILD_PAIR_STRING("data_sha256", m->data_sha256),
			SD_JSON_BUILD_PAIR_UNSIGNED("rows", m->rows),
			SD_JSON_BUILD_PAIR_UNSIGNED("seed", m->seed),
			SD_JSON_BUILD_PAIR_REAL("loss_linear", (double)m->loss_linear),
			SD_JSON_BUILD_PAIR_REAL("loss_net", (double)m->loss_net),
			SD_JSON_BUILD_PAIR_UNSIGNED("test_rows", m->test_rows),
			SD_JSON_BUILD_PAIR_VARIANT("channels", channels));
	sd_json_variant_unref(channels);
	return put_json(v, err);
}

static void model_text(const struct model *m, const char *path, uint64_t bytes)
{
	const struct detector_spec *s = &m->spec;

	printf("%s: model %s, %s, %.1f KB\n", path, m->name, model_precision(m), (double)bytes / 1e3);
	printf("views           forecast from %u lags", s->lags);
	if (s->hidden)
		printf(" and an LSTM of %u hidden", s->hidden);
	printf("; level\n");
	printf("losses          linear %.4f, with LSTM %.4f (held out)\n", (double)m->loss_linear,
	       (double)m->loss_net);
	printf("limit           score %.2f for one false alarm a day at %g Hz\n", day_limit(m),
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
		       s->skip[i] != 0 ? "yes" : "no", (double)m->departure[i]);
}

int report_model(const struct model *m, const char *path, uint64_t bytes, bool json)
{
	if (json)
		return model_json(m, path, bytes);
	model_text(m, path, bytes);
	return 0;
}
