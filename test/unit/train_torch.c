// SPDX-License-Identifier: MIT
/*
 * torch: numbers of every float format, and the names and shapes of a state dict: what is
 * found, what is passed over, and what is refused for its reason.
 */
#include "test/unit/torch_fixture.h"

/* ---- numbers ---- */

static void joins(void)
{
	/* H = 1, N = 2: rows i, f, g, o. */
	const float ih[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, hh[4] = { 10, 20, 30, 40 };
	const float want[12] = { 1, 2, 10, 3, 4, 20, 5, 6, 30, 7, 8, 40 };
	float gates[12], back_ih[8], back_hh[4];

	torch_join(gates, ih, hh, 2, 1);
	CHECK(!memcmp(gates, want, sizeof want));
	torch_split(back_ih, back_hh, gates, 2, 1);
	CHECK(!memcmp(back_ih, ih, sizeof ih));
	CHECK(!memcmp(back_hh, hh, sizeof hh));
}

/* Values by IEEE 754's tables. */
static void converts(void)
{
	static const uint16_t half[] = { 0x3c00, 0xc000, 0x0001, 0x83ff, 0x7bff, 0x3555, 0x8000,
					 0x0400 };
	static const float half_is[] = { 1, -2, 5.9604644775390625e-8f, -6.097555160522461e-5f,
					 65504, 0.333251953125f, -0.0f, 6.103515625e-5f };
	static const uint16_t brain[] = { 0x3f80, 0xc049, 0x0080, 0x7f7f };
	static const float brain_is[] = { 1, -3.140625f, 1.17549435e-38f, 3.3895314e38f };
	static const double wide[] = { 0.1, -1e-300, 16777217 };
	static const float wide_is[] = { 0.1f, -0.0f, 16777216 };
	static const double far[] = { 1, 1e300 };
	static const uint16_t endless[] = { 0x7c00 }, none[] = { 0x7fc0 };
	static const int32_t whole[] = { 1 };
	static const struct {
		enum st_dtype dtype;
		const void *data;
		unsigned n;
		const float *is;
		const char *reason;
	} all[] = {
		{ ST_F16, half, 8, half_is, NULL }, { ST_BF16, brain, 4, brain_is, NULL },
		{ ST_F64, wide, 3, wide_is, NULL }, { ST_F32, half_is, 8, half_is, NULL },
		{ ST_F64, far, 2, NULL, "tensor x: element 1 is inf" },
		{ ST_F16, endless, 1, NULL, "element 0 is inf" },
		{ ST_BF16, none, 1, NULL, "element 0 is nan" },
		{ ST_I32, whole, 1, NULL, "tensor x is I32, expected F32" },
	};

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		struct st_tensor t = { .name = "x", .dtype = all[i].dtype, .dims = 1,
			.shape = { all[i].n }, .end = all[i].n * st_dtype_size(all[i].dtype),
			.data = all[i].data };
		struct why why = { "" };
		float v[8];
		int err = torch_floats(v, &t, &why);

		CHECK_EQ(err, all[i].reason ? -EINVAL : 0);
		if (all[i].reason && !strstr(why.text, all[i].reason))
			fprintf(stderr, "%s\n", why.text);
		CHECK(!all[i].reason || strstr(why.text, all[i].reason));
		CHECK(err || !memcmp(v, all[i].is, all[i].n * sizeof *v));
	}
}

/* ---- names ---- */

#define NET "weight_ih_l0 8 3,weight_hh_l0 8 2"
#define IN(p) p "weight_ih_l0 8 3," p "weight_hh_l0 8 2"

static void refuses(void)
{
	static const struct {
		const char *dict, *reason;
		struct torch_names names;
	} all[] = {
		{ "head.weight 3 2", "no LSTM", { 0 } },
		{ "weight_ih_l0 8 3", "tensor weight_hh_l0 is missing", { 0 } },
		{ "a.b.weight_ih_l0 8 3", "tensor a.b.weight_hh_l0 is missing", { 0 } },
		{ IN("x."), "tensor y.weight_ih_l0 is missing", { .lstm = "y" } },
		{ IN("a.") "," IN("b."), "2 LSTMs: a, b: say with --lstm", { 0 } },
		{ IN("decode.") "," IN("dec.") ",head.weight 3 2", "2 LSTMs: decode, dec", { 0 } },
		{ "g.weight_ih_l0 6 3,g.weight_hh_l0 6 2", "a GRU", { 0 } },
		{ "g.weight_ih_l0 8 3,g.weight_hh_l0 9 2",
		  "tensor g.weight_hh_l0 has shape [9, 2], expected [8, 2]", { 0 } },
		{ "g.weight_ih_l0 9 3,g.weight_hh_l0 8 2",
		  "tensor g.weight_ih_l0 has shape [9, 3], expected [8, 3]", { 0 } },
		{ "g.weight_ih_l0 8 0,g.weight_hh_l0 8 2", "expected [8, N]", { 0 } },
		{ "g.weight_ih_l0 8 3,g.weight_hh_l0 8 0", "expected [4 H, H]", { 0 } },
		{ IN("g.") ",g.bias_ih_l0 7 0", "bias_ih_l0 has shape [7], expected [8]", { 0 } },
		{ IN("g.") ",g.bias_hh_l0 8 1", "bias_hh_l0 has shape [8, 1], expected [8]", { 0 } },
		{ IN("g.") ",g.weight_ih_l0_reverse 8 3", "a second direction", { 0 } },
		{ IN("g.") ",g.weight_hr_l0 1 2", "proj_size", { 0 } },
		{ IN("g.") ",g.weight_ih_l2 8 2", "weight_ih_l2: expected at most 2 layers", { 0 } },
		{ IN("g.") ",g.weight_ih_l1 8 2", "weight_hh_l1 is missing", { 0 } },
		{ IN("g.") ",g.weight_ih_l1 8 3,g.weight_hh_l1 8 2",
		  "weight_ih_l1 has shape [8, 3], expected [8, 2]", { 0 } },
		{ IN("g.") ",g.weight_ih_l1 12 2,g.weight_hh_l1 12 3",
		  "weight_ih_l1 has shape [12, 2], expected [8, 2]", { 0 } },
		{ IN("enc.") ",dec.weight_ih_l0 8 3,dec.weight_hh_l0 8 2",
		  "dec.weight_ih_l0 has shape [8, 3], expected [8, 2]", { 0 } },
		{ IN("enc.") ",dec.weight_ih_l0 8 2,dec.weight_hh_l0 8 2,enc.weight_ih_l1 8 2",
		  "weight_ih_l1: expected at most 1 layer", { 0 } },
		{ IN("g."), "no head of shape [3, 2] (channels, hidden) among no dense layers", { 0 } },
		{ IN("g.") ",fc.weight 4 2,fc.bias 4 0",
		  "no head of shape [3, 2] (channels, hidden) among fc [4, 2]", { 0 } },
		{ IN("g.") ",a.weight 3 2,b.weight 3 2",
		  "more than one possible head of shape [3, 2] (channels, hidden) among a [3, 2], "
		  "b [3, 2]: say which with --head", { 0 } },
		{ IN("g.") ",head.weight 3 3",
		  "head.weight has shape [3, 3], expected [3, 2]", { 0 } },
		{ IN("g.") ",a.weight 3 2", "tensor b.weight is missing", { .head = "b" } },
		{ IN("g.") ",a.weight 3 2,a.bias 2 0", "a.bias has shape [2], expected [3]", { 0 } },
		{ IN("g.") ",a.weight 3 2,linear.weight 3 7",
		  "linear.weight has shape [3, 7], expected [3, L * 3]", { 0 } },
		{ IN("g.") ",a.weight 3 2", "tensor skip.weight is missing", { .linear = "skip" } },
		{ IN("g.") ",a.weight 3 2,norm.mean 3 0", "tensor norm.std is missing", { 0 } },
		{ IN("g.") ",a.weight 3 2,norm.std 3 0", "tensor norm.mean is missing", { 0 } },
		{ IN("g.") ",a.weight 3 2,norm.mean 3 0,norm.std 2 0",
		  "norm.std has shape [2], expected [3]", { 0 } },
		{ IN("g.") ",a.weight 3 2,graph.neighbour 3 2", "node.weight is missing", { 0 } },
	};
	char names[512];

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		struct why why = { "" };
		struct torch_map map;
		struct dict d;
		int err;

		put_all(&d, all[i].dict, names);
		err = torch_match(&map, &d.f, &all[i].names, &why);
		if (err != -EINVAL || !strstr(why.text, all[i].reason)) {
			fprintf(stderr, "%s\ngave %d \"%s\", expected \"%s\"\n", all[i].dict, err,
				why.text, all[i].reason);
			exit(1);
		}
		drop(&d);
	}
}

static const char *taken(const struct torch_map *map, const struct dict *d, const char *name)
{
	for (unsigned i = 0; i < map->tensors; i++)
		if (!strcmp(d->tensor[i].name, name))
			return map->fate[i].taken ? map->fate[i].note : "";
	return "?";
}

static void finds(void)
{
	const struct torch_names other = { .lstm = "b", .head = "two" };
	struct torch_map map;
	char names[512];
	struct dict d;

	/* Bare nn.LSTM; the head by its shape; what is left is told. */
	put_all(&d, NET ",bias_hh_l0 8 0,out.weight 3 2,out.bias 3 0,other 5 0,pad.0 4 0", names);
	match(&map, &d, &no_names);
	CHECK_EQ(map.kind, RECURRENT_FORECAST);
	CHECK(map.channels == 3 && map.hidden == 2 && map.layers == 1 && !map.linear_lags);
	CHECK_STR(taken(&map, &d, "weight_hh_l0"), "gates, weight_hh");
	CHECK_STR(taken(&map, &d, "bias_hh_l0"), "gates, bias_hh");
	CHECK_STR(taken(&map, &d, "out.weight"), "head, weight");
	CHECK_STR(taken(&map, &d, "out.bias"), "head, bias");
	CHECK_STR(taken(&map, &d, "other"), "");
	CHECK_STR(map.fate[5].note, "no part of a model");
	CHECK_STR(map.fate[6].note, "padding");
	torch_unmatch(&map);
	drop(&d);

	/* Prefixes: ours stand beside the LSTM, not anywhere. */
	put_all(&d, IN("m.net.lstm.") ",m.net.lstm.weight_ih_l1 8 2,m.net.lstm.weight_hh_l1 8 2,"
		"m.net.head.weight 3 2,head.weight 3 2,m.net.linear.weight 3 9,linear.weight 3 6,"
		"m.net.norm.mean 3 0,m.net.norm.std 3 0,norm.mean 3 0", names);
	match(&map, &d, &no_names);
	CHECK_EQ(map.layers, 2);
	CHECK_EQ(map.linear_lags, 3);
	CHECK_STR(taken(&map, &d, "m.net.lstm.weight_ih_l1"), "gates2, weight_ih");
	CHECK_STR(taken(&map, &d, "m.net.head.weight"), "head, weight");
	CHECK_STR(taken(&map, &d, "head.weight"), "");
	CHECK_STR(taken(&map, &d, "m.net.norm.std"), "norm.std");
	CHECK_STR(taken(&map, &d, "norm.mean"), "");
	torch_unmatch(&map);
	drop(&d);

	/* An autoencoder by its decoder's name, wherever it stands in the file. */
	put_all(&d, "ae.decoder.weight_ih_l0 8 2,ae.decoder.weight_hh_l0 8 2," IN("ae.encoder.")
		",ae.linear.weight 3 2", names);
	match(&map, &d, &no_names);
	CHECK_EQ(map.kind, RECURRENT_AUTOENCODER);
	CHECK_STR(taken(&map, &d, "ae.encoder.weight_ih_l0"), "gates, weight_ih");
	CHECK_STR(taken(&map, &d, "ae.decoder.weight_ih_l0"), "gates2, weight_ih");
	CHECK_STR(taken(&map, &d, "ae.linear.weight"), "head, weight");
	torch_unmatch(&map);
	drop(&d);

	/* The user says which. */
	put_all(&d, IN("a.") "," IN("b.") ",one.weight 3 2,two.weight 3 2,bb.weight_hr_l0 1 2", names);
	match(&map, &d, &other);
	CHECK_EQ(map.kind, RECURRENT_FORECAST);
	CHECK_STR(taken(&map, &d, "a.weight_ih_l0"), "");
	CHECK_STR(taken(&map, &d, "b.weight_ih_l0"), "gates, weight_ih");
	CHECK_STR(taken(&map, &d, "two.weight"), "head, weight");
	torch_unmatch(&map);
	drop(&d);

	/* Both of one shape: the name tells. */
	put_all(&d, "weight_ih_l0 12 3,weight_hh_l0 12 3,linear.weight 3 3,fc.weight 3 3", names);
	match(&map, &d, &no_names);
	CHECK_EQ(map.linear_lags, 1);
	CHECK_STR(taken(&map, &d, "fc.weight"), "head, weight");
	torch_unmatch(&map);
	drop(&d);
}

int main(void)
{
	joins();
	converts();
	refuses();
	finds();
	return 0;
}
