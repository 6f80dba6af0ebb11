// SPDX-License-Identifier: MIT
/*
 * report_torch: see report_torch.h.
 */
#include "models/train/report_torch.h"

#include <math.h>
#include <stdio.h>
#include <systemd/sd-json.h>

#include "models/model.h"
#include "models/safetensors.h"
#include "models/train/import.h"

static const char *const kinds[] = {
	[RECURRENT_NONE] = "none", [RECURRENT_FORECAST] = "forecast",
	[RECURRENT_AUTOENCODER] = "autoencoder",
};
static const char *const linear_names[] = {
	[IMPORT_LINEAR_DICT] = "state dict", [IMPORT_LINEAR_BASE] = "model",
	[IMPORT_LINEAR_NONE] = "none",
};

static int shape_json(sd_json_variant **v, const struct st_tensor *t)
{
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned i = 0; err >= 0 && i < t->dims; i++)
		err = sd_json_variant_append_arrayb(v, SD_JSON_BUILD_UNSIGNED(t->shape[i]));
	return err;
}

/* fate NULL: all were written. */
static int tensors_json(sd_json_variant **v, const struct st_file *f, const struct torch_fate *fate)
{
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned i = 0; err >= 0 && i < f->tensors; i++) {
		const struct st_tensor *t = &f->tensor[i];
		sd_json_variant *shape = NULL;

		err = shape_json(&shape, t);
		if (err >= 0)
			err = sd_json_variant_append_arraybo(v,
				SD_JSON_BUILD_PAIR_STRING("name", t->name),
				SD_JSON_BUILD_PAIR_STRING("dtype", st_dtype_name(t->dtype)),
				SD_JSON_BUILD_PAIR_VARIANT("shape", shape),
				SD_JSON_BUILD_PAIR_CONDITION(fate != NULL, "taken",
					SD_JSON_BUILD_BOOLEAN(fate && fate[i].taken)),
				SD_JSON_BUILD_PAIR_CONDITION(fate != NULL, "note",
					SD_JSON_BUILD_STRING(fate ? fate[i].note : "")));
		sd_json_variant_unref(shape);
	}
	return err;
}

static int put(sd_json_variant *v, int err)
{
	if (err >= 0)
		err = sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	sd_json_variant_unref(v);
	return err < 0 ? err : 0;
}

static void tensors_text(const struct st_file *f, const struct torch_fate *fate)
{
	char shape[96];

	printf("%-32s %-5s %-14s %s\n", "tensor", "dtype", "shape", fate ? "is" : "");
	for (unsigned i = 0; i < f->tensors; i++) {
		const struct st_tensor *t = &f->tensor[i];

		st_shape_text(shape, sizeof shape, t->shape, t->dims);
		printf("%-32s %-5s %-14s %s%s\n", t->name, st_dtype_name(t->dtype), shape,
		       !fate || fate[i].taken ? "" : "passed over: ", fate ? fate[i].note : "");
	}
}

static void net_text(const struct recurrent_spec *r)
{
	printf("net             %s, LSTM of %u hidden", kinds[r->kind], r->hidden);
	if (r->layers > 1)
		printf(", %u layers", r->layers);
	if (r->kind == RECURRENT_AUTOENCODER)
		printf(", window of %u rows", r->window);
	if (r->graph.features)
		printf(", graph of %u features", r->graph.features);
	printf("\n");
}

static void import_text(const struct model *m, const struct st_file *f,
			const struct torch_map *map, const struct import_report *r,
			const struct report_torch *from)
{
	static const char *const linear[] = {
		[IMPORT_LINEAR_DICT] = "the state dict's",
		[IMPORT_LINEAR_BASE] = "the model's, the net adds to it",
		[IMPORT_LINEAR_NONE] = "none, the net forecasts rows by itself",
	};

	tensors_text(f, map->fate);
	net_text(&m->spec.recurrent);
	if (m->spec.recurrent.kind == RECURRENT_FORECAST)
		printf("linear part     %s\n", linear[r->linear]);
	if (r->lost_graph || r->lost_quick)
		printf("left out        %s%s%s of %s, which read another net's state\n",
		       r->lost_graph ? "graph" : "", r->lost_graph && r->lost_quick ? " and " : "",
		       r->lost_quick ? "quick head" : "", from->like ? from->like : "the fit");
	if (r->measured && !isnan(r->loss_net))
		printf("held-out loss   linear %.4f, with the net %.4f%s\n", r->loss_linear,
		       r->loss_net, r->loss_net < r->loss_linear ? "" : ": no gain");
	if (from->recording)
		printf("limits          measured on %s\n", from->recording);
	else
		printf("limits          those of %s: with --train they are measured again\n",
		       from->like);
	printf("model           %s (%s, %.1f KB)\n", from->model, model_precision(m),
	       (double)from->bytes / 1e3);
}

int report_import(const struct model *m, const struct st_file *f, const struct torch_map *map,
		  const struct import_report *r, const struct report_torch *from, bool json)
{
	const struct recurrent_spec *net = &m->spec.recurrent;
	sd_json_variant *v = NULL, *tensors = NULL;
	int err;

	if (!json) {
		import_text(m, f, map, r, from);
		return 0;
	}
	err = tensors_json(&tensors, f, map->fate);
	if (err >= 0)
		err = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("model", m->name),
			SD_JSON_BUILD_PAIR_STRING("file", from->model),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", from->bytes),
			SD_JSON_BUILD_PAIR_STRING("kind", kinds[net->kind]),
			SD_JSON_BUILD_PAIR_UNSIGNED("hidden", net->hidden),
			SD_JSON_BUILD_PAIR_UNSIGNED("layers", net->layers),
			SD_JSON_BUILD_PAIR_STRING("linear", linear_names[r->linear]),
			SD_JSON_BUILD_PAIR_BOOLEAN("calibrated", from->recording != NULL),
			SD_JSON_BUILD_PAIR_CONDITION(r->measured, "loss_linear",
						     SD_JSON_BUILD_REAL(r->loss_linear)),
			SD_JSON_BUILD_PAIR_CONDITION(r->measured && !isnan(r->loss_net), "loss_net",
						     SD_JSON_BUILD_REAL(r->loss_net)),
			SD_JSON_BUILD_PAIR_BOOLEAN("lost_graph", r->lost_graph),
			SD_JSON_BUILD_PAIR_BOOLEAN("lost_quick", r->lost_quick),
			SD_JSON_BUILD_PAIR_VARIANT("tensors", tensors));
	sd_json_variant_unref(tensors);
	return put(v, err);
}

int report_export(const struct model *m, const struct st_file *f, const struct report_torch *from,
		  bool json)
{
	sd_json_variant *v = NULL, *tensors = NULL;
	int err;

	if (!json) {
		tensors_text(f, NULL);
		if (m->spec.recurrent.kind != RECURRENT_NONE)
			net_text(&m->spec.recurrent);
		else
			printf("net             none in this model: only its linear part\n");
		printf("state dict      %s (%.1f KB)\n", from->state, (double)from->bytes / 1e3);
		return 0;
	}
	err = tensors_json(&tensors, f, NULL);
	if (err >= 0)
		err = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("model", m->name),
			SD_JSON_BUILD_PAIR_STRING("file", from->state),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", from->bytes),
			SD_JSON_BUILD_PAIR_STRING("kind", kinds[m->spec.recurrent.kind]),
			SD_JSON_BUILD_PAIR_VARIANT("tensors", tensors));
	sd_json_variant_unref(tensors);
	return put(v, err);
}
