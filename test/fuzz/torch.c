// SPDX-License-Identifier: MIT
/*
 * fuzz: any bytes as a state dict, with and without names given by the user. What is accepted
 * has every number read, is told other deviations, and must then have consistent sizes.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "kernels/why.h"
#include "models/train/draft.h"
#include "models/train/torch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct fc_spec *fc, unsigned out, unsigned in)
{
	float sum = 0;

	if (fc->out != out || fc->in != in)
		abort();
	for (size_t i = 0; i < (size_t)out * in; i++)
		sum += fc->weight_f32[i];
	for (unsigned o = 0; o < out; o++)
		sum += fc->bias[o];
	if (sum == 0.123456f)
		abort();
}

static void use(struct draft *d, const struct torch_map *map, const uint8_t *data)
{
	struct torch_net net;
	struct recurrent_spec *r = &net.recurrent;
	unsigned n = map->channels, h = map->hidden;
	float *mean = draft_keep(d, n * sizeof *mean), *inv_std = draft_keep(d, n * sizeof *mean);
	struct why why;

	if (!mean || !inv_std || torch_take(&net, d, map, data[0], &why))
		return;
	for (unsigned i = 0; i < n; i++) {
		mean[i] = (float)i;
		inv_std[i] = 0.5f;
	}
	if (net.mean && torch_rescale(&net, d, mean, inv_std, net.wanders, &why))
		return;
	look(&r->gates[0], 4 * h, n + h);
	if (r->layers == 2 || r->kind == RECURRENT_AUTOENCODER)
		look(&r->gates[1], 4 * h, 2 * h);
	look(&r->head, n, h);
	if (map->linear_lags)
		look(&net.linear, n, map->linear_lags * n);
	if (r->graph.features)
		look(&r->graph.node, n * r->graph.features, h);
	for (size_t i = 0; r->graph.features && i < (size_t)n * r->graph.degree; i++)
		if (r->graph.neighbour[i] < -1 || r->graph.neighbour[i] >= (int32_t)n)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct torch_names names[] = {
		{ 0 }, { .lstm = "a", .head = "b" }, { .lstm = "", .decoder = "a", .linear = "b" },
	};
	struct st_file f;
	struct why why;

	if (st_open(&f, data, size, &why))
		return 0;
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		struct draft d = { 0 };
		struct torch_map map;

		if (!torch_match(&map, &f, &names[i], &why)) {
			use(&d, &map, data);
			for (unsigned k = 0; k < map.tensors; k++)
				if (!map.fate[k].note[0])
					abort();
			torch_unmatch(&map);
		}
		draft_close(&d);
	}
	st_close(&f);
	return 0;
}
