// SPDX-License-Identifier: MIT
/*
 * torch: state dicts made by hand become nets whose outputs are those of PyTorch's own
 * formulas, computed here in double from the separate matrices, in whatever deviations; what is
 * written is what PyTorch expects, byte for byte.
 */
#include "models/train/draft.h"
#include "test/unit/model_fixture.h"
#include "test/unit/torch_fixture.h"

#define N 3
#define H 4
#define L 2
#define D 2
#define F 2
#define T 20

/* One LSTM layer by PyTorch's documentation. x[inputs]; h and c [H] are replaced. */
static void layer(const float *ih, const float *hh, const float *b1, const float *b2,
		  unsigned inputs, const double *x, double *h, double *c)
{
	double pre[4 * H];

	for (unsigned r = 0; r < 4 * H; r++) {
		pre[r] = (b1 ? b1[r] : 0) + (b2 ? b2[r] : 0);
		for (unsigned i = 0; i < inputs; i++)
			pre[r] += ih[r * inputs + i] * x[i];
		for (unsigned i = 0; i < H; i++)
			pre[r] += hh[r * H + i] * h[i];
	}
	for (unsigned u = 0; u < H; u++) {
		c[u] = c[u] / (1 + exp(-pre[H + u])) +
		       tanh(pre[2 * H + u]) / (1 + exp(-pre[u]));
		h[u] = tanh(c[u]) / (1 + exp(-pre[3 * H + u]));
	}
}

/* The same of an operator of ours, [ih | hh] and one bias. */
static void layer_spec(const struct fc_spec *fc, const double *x, double *h, double *c)
{
	float ih[4 * H * H], hh[4 * H * H];

	CHECK_EQ(fc->out, 4 * H);
	torch_split(ih, hh, fc->weight_f32, fc->in - H, H);
	layer(ih, hh, fc->bias, NULL, fc->in - H, x, h, c);
}

static double dense(const float *w, const float *b, unsigned o, unsigned in, const double *x)
{
	double y = b ? b[o] : 0;

	for (unsigned i = 0; i < in; i++)
		y += w[o * in + i] * x[i];
	return y;
}

static double relu(double v)
{
	return v > 0 ? v : 0;
}

/* kernels/recurrent.h's formula, of the graph alone. */
static void graph_part(const struct graph_spec *g, const double *h, const double *z, double out[N])
{
	double node[N * F];

	for (unsigned k = 0; k < N * F; k++)
		node[k] = relu(dense(g->node.weight_f32, g->node.bias, k, H, h) +
			       g->own[k] * z[k / F]);
	for (unsigned i = 0; i < N; i++) {
		out[i] = 0;
		for (unsigned f = 0; f < F; f++) {
			double near = g->mix_bias[f];

			for (unsigned j = 0; j < D; j++)
				for (unsigned m = 0; g->neighbour[i * D + j] >= 0 && m < F; m++)
					near += g->edge[i * D + j] * g->mix[f * F + m] *
						node[g->neighbour[i * D + j] * F + (int)m];
			out[i] += g->fuse[i * F + f] * relu(near);
		}
	}
}

/* What a forecast net says after each row of z, [T][N]. */
static void run_net(const struct torch_net *net, double (*z)[N], double (*out)[N])
{
	const struct recurrent_spec *r = &net->recurrent;
	double h[2][H] = { 0 }, c[2][H] = { 0 }, lags[L * N] = { 0 };

	for (unsigned t = 0; t < T; t++) {
		double part[N] = { 0 };

		memmove(lags + N, lags, (L - 1) * N * sizeof *lags);
		memcpy(lags, z[t], sizeof z[t]);
		layer_spec(&r->gates[0], z[t], h[0], c[0]);
		if (r->layers == 2)
			layer_spec(&r->gates[1], h[0], h[1], c[1]);
		if (r->graph.features)
			graph_part(&r->graph, h[r->layers - 1], z[t], part);
		for (unsigned i = 0; i < N; i++) {
			out[t][i] = part[i] + dense(r->head.weight_f32, r->head.bias, i, H,
						    h[r->layers - 1]);
			if (net->linear.weight_f32)
				out[t][i] += dense(net->linear.weight_f32, net->linear.bias, i,
						   L * N, lags);
		}
	}
}

static struct {
	float *ih[2], *hh[2], *b1[2], *b2[2], *head, *head_bias, *linear, *linear_bias, *mean, *std,
	      *wanders;
} made;

static void make_dict(struct dict *d, unsigned layers, bool graph)
{
	*d = (struct dict){ .seed = 17 };
	made.ih[0] = put(d, "net.lstm.weight_ih_l0", 2, 4 * H, N);
	made.hh[0] = put(d, "net.lstm.weight_hh_l0", 2, 4 * H, H);
	made.b1[0] = put(d, "net.lstm.bias_ih_l0", 1, 4 * H, 0);
	made.b2[0] = put(d, "net.lstm.bias_hh_l0", 1, 4 * H, 0);
	if (layers == 2) {
		made.ih[1] = put(d, "net.lstm.weight_ih_l1", 2, 4 * H, H);
		made.hh[1] = put(d, "net.lstm.weight_hh_l1", 2, 4 * H, H);
		made.b1[1] = put(d, "net.lstm.bias_ih_l1", 1, 4 * H, 0);
		made.b2[1] = put(d, "net.lstm.bias_hh_l1", 1, 4 * H, 0);
	}
	made.head = put(d, "net.head.weight", 2, N, H);
	made.head_bias = put(d, "net.head.bias", 1, N, 0);
	made.linear = put(d, "net.linear.weight", 2, N, L * N);
	made.linear_bias = put(d, "net.linear.bias", 1, N, 0);
	made.mean = put(d, "net.norm.mean", 1, N, 0);
	made.std = put(d, "net.norm.std", 1, N, 0);
	made.wanders = put(d, "net.norm.wanders", 1, N, 0);
	for (unsigned i = 0; i < N; i++) {
		made.std[i] = 0.5f + fabsf(made.std[i]);
		made.wanders[i] = i == 1;
	}
	if (graph) {
		static const int32_t neighbour[N * D] = { 0, 2, 1, -1, 2, 0 };

		put(d, "net.node.weight", 2, N * F, H);
		put(d, "net.node.bias", 1, N * F, 0);
		memcpy(put(d, "net.graph.neighbour", 2, N, D), neighbour, sizeof neighbour);
		d->tensor[d->f.tensors - 1].dtype = ST_I32;
		put(d, "net.graph.edge", 2, N, D);
		put(d, "net.graph.own", 2, N, F);
		put(d, "net.graph.mix", 2, F, F);
		put(d, "net.graph.mix_bias", 1, F, 0);
		put(d, "net.graph.fuse", 2, N, F);
	}
}

static void rows_of(double (*z)[N])
{
	for (unsigned t = 0; t < T; t++)
		for (unsigned i = 0; i < N; i++)
			z[t][i] = 1.5 * sin(0.4 * t + i) + 0.3 * i;
}

static void take(struct torch_net *net, struct draft *kept, struct dict *d, unsigned window)
{
	struct why why = { "" };
	struct torch_map map;
	int err;

	match(&map, d, &no_names);
	err = torch_take(net, kept, &map, window, &why);
	if (err)
		fprintf(stderr, "%s\n", why.text);
	CHECK_EQ(err, 0);
	torch_unmatch(&map);
}

/* The joined operators do what nn.LSTM and nn.Linear do. */
static void same_outputs(unsigned layers)
{
	double z[T][N], got[T][N], h[2][H] = { 0 }, c[2][H] = { 0 }, lags[L * N] = { 0 };
	struct draft kept = { 0 };
	struct torch_net net;
	struct dict d;

	make_dict(&d, layers, false);
	rows_of(z);
	take(&net, &kept, &d, 0);
	CHECK_EQ(net.recurrent.layers, layers);
	run_net(&net, z, got);
	for (unsigned t = 0; t < T; t++) {
		memmove(lags + N, lags, (L - 1) * N * sizeof *lags);
		memcpy(lags, z[t], sizeof z[t]);
		for (unsigned k = 0; k < layers; k++)
			layer(made.ih[k], made.hh[k], made.b1[k], made.b2[k], k ? H : N,
			      k ? h[0] : z[t], h[k], c[k]);
		for (unsigned i = 0; i < N; i++)
			CHECK_NEAR(got[t][i], dense(made.head, made.head_bias, i, H, h[layers - 1]) +
				   dense(made.linear, made.linear_bias, i, L * N, lags), 1e-6);
	}
	CHECK(fabs(got[T - 1][0]) > 0.01);
	draft_close(&kept);
	drop(&d);
}

/* In other deviations: the net reads them and forecasts in them. */
static void rescales(unsigned layers, bool graph)
{
	static const float mean[N] = { 0.5f, -0.25f, 2 }, inv_std[N] = { 0.8f, 3, 1.7f };
	static const float wanders[N] = { 0, 1, 0 }, none[N];
	double z[T][N], u[T][N], in_z[T][N], in_u[T][N];
	struct draft kept = { 0 };
	struct torch_net net;
	struct why why = { "" };
	float head[N * H];
	struct dict d;

	make_dict(&d, layers, graph);
	rows_of(z);
	take(&net, &kept, &d, 0);
	memcpy(head, net.recurrent.head.weight_f32, sizeof head);
	for (unsigned t = 0; t < T; t++)
		for (unsigned i = 0; i < N; i++)
			u[t][i] = (z[t][i] * made.std[i] + made.mean[i] - mean[i]) * inv_std[i];
	run_net(&net, z, in_z);
	CHECK_EQ(torch_rescale(&net, &kept, mean, inv_std, none, &why), -EINVAL);
	CHECK(strstr(why.text, "channel 1: the net reads its change, the model its value"));
	CHECK_EQ(torch_rescale(&net, &kept, mean, inv_std, wanders, &why), 0);
	CHECK(memcmp(head, net.recurrent.head.weight_f32, sizeof head));
	/* Before the first rows our lag line is at rest at u = 0, which is not z = 0. */
	run_net(&net, u, in_u);
	for (unsigned t = L; t < T; t++)
		for (unsigned i = 0; i < N; i++)
			CHECK_NEAR((in_z[t][i] * made.std[i] + made.mean[i] - mean[i]) * inv_std[i],
				   in_u[t][i], 1e-5);
	draft_close(&kept);
	drop(&d);
}

/* Its own deviations change no bit; a dict that says nothing of them neither. */
static void keeps(void)
{
	float inv_std[N], mean[N], head[N * H];
	struct draft kept = { 0 };
	struct torch_net net;
	struct why why;
	struct dict d;

	make_dict(&d, 1, false);
	for (unsigned i = 0; i < N; i++) {
		inv_std[i] = 0.3f + 0.77f * (float)i;
		made.std[i] = 1 / inv_std[i];
	}
	take(&net, &kept, &d, 0);
	memcpy(head, net.recurrent.head.weight_f32, sizeof head);
	CHECK_EQ(torch_rescale(&net, &kept, made.mean, inv_std, made.wanders, &why), 0);
	CHECK(!memcmp(head, net.recurrent.head.weight_f32, sizeof head));
	memset(mean, 0, sizeof mean);
	net.mean = net.std = net.wanders = NULL;
	CHECK_EQ(torch_rescale(&net, &kept, mean, inv_std, made.wanders, &why), 0);
	CHECK(!memcmp(head, net.recurrent.head.weight_f32, sizeof head));
	draft_close(&kept);
	drop(&d);
}

static void refuses_numbers(void)
{
	static const struct {
		const char *name;
		float value;
		const char *reason;
	} all[] = {
		{ "net.lstm.weight_hh_l0", NAN, "weight_hh_l0: element 1 is nan" },
		{ "net.lstm.bias_hh_l1", INFINITY, "bias_hh_l1: element 1 is inf" },
		{ "net.norm.std", 0, "norm.std: element 1 is 0, must be above 0" },
		{ "net.norm.std", -1, "norm.std: element 1 is -1, must be above 0" },
		{ "net.norm.wanders", 0.5f, "norm.wanders: element 1 is 0.5, must be 0 or 1" },
	};
	struct draft kept = { 0 };
	struct torch_net net;
	struct torch_map map;
	struct dict d;
	struct why why;

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		make_dict(&d, 2, true);
		match(&map, &d, &no_names);
		for (unsigned k = 0; k < d.f.tensors; k++)
			if (!strcmp(d.tensor[k].name, all[i].name))
				((float *)d.kept[k])[1] = all[i].value;
		CHECK_EQ(torch_take(&net, &kept, &map, 0, &why), -EINVAL);
		if (!strstr(why.text, all[i].reason))
			fprintf(stderr, "%s\n", why.text);
		CHECK(strstr(why.text, all[i].reason));
		torch_unmatch(&map);
		drop(&d);
	}
	make_dict(&d, 1, true);
	match(&map, &d, &no_names);
	for (int bad = -2; bad <= N; bad += N + 2) {
		((int32_t *)(uintptr_t)map.graph[TORCH_NEIGHBOUR]->data)[2] = bad;
		CHECK_EQ(torch_take(&net, &kept, &map, 0, &why), -EINVAL);
		CHECK(strstr(why.text, "element 2 is"));
	}
	((int32_t *)(uintptr_t)map.graph[TORCH_NEIGHBOUR]->data)[2] = -1;
	((int32_t *)(uintptr_t)map.graph[TORCH_NEIGHBOUR]->data)[3] = 1;
	CHECK_EQ(torch_take(&net, &kept, &map, 0, &why), -EINVAL);
	CHECK(strstr(why.text, "element 3 is 1 behind a -1"));
	torch_unmatch(&map);
	drop(&d);
	draft_close(&kept);
}

static void takes_autoencoder(void)
{
	struct draft kept = { 0 };
	struct torch_net net;
	struct torch_map map;
	char names[512];
	struct dict d;
	struct why why;

	put_all(&d, "encoder.weight_ih_l0 16 3,encoder.weight_hh_l0 16 4,decoder.weight_ih_l0 16 4,"
		"decoder.weight_hh_l0 16 4,decoder.bias_ih_l0 16 0,head.weight 3 4", names);
	match(&map, &d, &no_names);
	CHECK_EQ(torch_take(&net, &kept, &map, 0, &why), -EINVAL);
	CHECK(strstr(why.text, "--window"));
	CHECK_EQ(torch_take(&net, &kept, &map, RECURRENT_WINDOW_MAX + 1, &why), -EINVAL);
	torch_unmatch(&map);
	take(&net, &kept, &d, 32);
	CHECK_EQ(net.recurrent.kind, RECURRENT_AUTOENCODER);
	CHECK_EQ(net.recurrent.window, 32);
	CHECK_EQ(net.recurrent.gates[0].in, N + H);
	CHECK_EQ(net.recurrent.gates[1].in, 2 * H);
	CHECK(net.recurrent.gates[0].bias[3] == 0 && net.recurrent.gates[1].bias[3] != 0);
	CHECK(net.recurrent.head.bias[2] == 0);
	CHECK(!net.mean && !net.linear.weight_f32);
	draft_close(&kept);
	drop(&d);
}

/* ---- files ---- */

static void same_spec(const struct fc_spec *a, const struct fc_spec *b)
{
	CHECK(a->in == b->in && a->out == b->out);
	CHECK(!memcmp(a->weight_f32, b->weight_f32, (size_t)a->out * a->in * sizeof(float)));
	CHECK(!memcmp(a->bias, b->bias, a->out * sizeof(float)));
}

static void writes(void)
{
	const char *path = in_dir("state");
	struct draft kept = { 0 };
	struct torch_net net, back;
	struct dict d, from_file = { 0 };
	struct bytes b;
	char *header;
	struct why why;

	make_dict(&d, 2, true);
	take(&net, &kept, &d, 0);
	CHECK_EQ(torch_write(path, &net, &why), 0);
	b = bytes_read(path);
	header = header_copy(&b);
	CHECK(strstr(header, "{\"__metadata__\":{\"format\":\"pt\"},") == header);
	CHECK(strstr(header, "\"lstm.weight_ih_l0\":{\"dtype\":\"F32\",\"shape\":[16,3],"
		     "\"data_offsets\":[0,192]}"));
	CHECK(strstr(header, "\"lstm.bias_hh_l1\":{\"dtype\":\"F32\",\"shape\":[16],"));
	CHECK(strstr(header, "\"linear.weight\":{\"dtype\":\"F32\",\"shape\":[3,6],"));
	CHECK(strstr(header, "\"graph.neighbour\":{\"dtype\":\"I32\",\"shape\":[3,2],"));
	CHECK(!strstr(header, "pad."));
	free(header);
	CHECK(!memcmp(b.p + tensor_offset(&b, "lstm.weight_hh_l1", NULL), made.hh[1], 256));
	for (unsigned i = 0; i < 64; i++)
		CHECK_EQ(b.p[tensor_offset(&b, "lstm.bias_hh_l0", NULL) + i], 0);

	CHECK_EQ(st_open(&from_file.f, b.p, b.len, &why), 0);
	memcpy(from_file.tensor, from_file.f.tensor, from_file.f.tensors * sizeof *from_file.tensor);
	take(&back, &kept, &from_file, 0);
	same_spec(&back.recurrent.gates[0], &net.recurrent.gates[0]);
	same_spec(&back.recurrent.gates[1], &net.recurrent.gates[1]);
	same_spec(&back.recurrent.head, &net.recurrent.head);
	same_spec(&back.linear, &net.linear);
	same_spec(&back.recurrent.graph.node, &net.recurrent.graph.node);
	CHECK(!memcmp(back.recurrent.graph.neighbour, net.recurrent.graph.neighbour, N * D * 4));
	CHECK(!memcmp(back.recurrent.graph.fuse, net.recurrent.graph.fuse, N * F * 4));
	CHECK(!memcmp(back.wanders, net.wanders, N * 4));
	st_close(&from_file.f);
	free(b.p);
	unlink(path);
	draft_close(&kept);
	drop(&d);
}

static void writes_autoencoder(void)
{
	const char *path = in_dir("ae");
	struct draft kept = { 0 };
	struct torch_net net;
	char names[512], *header;
	struct dict d;
	struct bytes b;
	struct why why;

	put_all(&d, "enc.weight_ih_l0 16 3,enc.weight_hh_l0 16 4,dec.weight_ih_l0 16 4,"
		"dec.weight_hh_l0 16 4,head.weight 3 4", names);
	take(&net, &kept, &d, 8);
	CHECK_EQ(torch_write(path, &net, &why), 0);
	b = bytes_read(path);
	header = header_copy(&b);
	CHECK(strstr(header, "\"encoder.weight_ih_l0\":{\"dtype\":\"F32\",\"shape\":[16,3],"));
	CHECK(strstr(header, "\"decoder.weight_ih_l0\":{\"dtype\":\"F32\",\"shape\":[16,4],"));
	CHECK(!strstr(header, "linear") && !strstr(header, "norm") && !strstr(header, "_l1"));
	free(header);
	free(b.p);
	unlink(path);
	draft_close(&kept);
	drop(&d);
}

int main(void)
{
	CHECK(mkdtemp(dir));
	same_outputs(1);
	same_outputs(2);
	rescales(1, false);
	rescales(2, true);
	keeps();
	refuses_numbers();
	takes_autoencoder();
	writes();
	writes_autoencoder();
	CHECK_EQ(rmdir(dir), 0);
	return 0;
}
