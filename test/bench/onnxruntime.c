// SPDX-License-Identifier: MIT
/*
 * onnxruntime: the peer of the LSTM step. One streaming step (sequence 1, batch 1, state fed
 * back) of 8 inputs and hidden 32, 64, 128 through ONNX Runtime's C API, once with the f32
 * LSTM and once with its int8 one (com.microsoft DynamicQuantizeLSTM), one thread, outputs
 * preallocated, taking turns. What they compute is compared with a plain loop
 * before it is timed.
 *
 * Prints JSON; exit 77 with a reason where the library is not there. Standard error also has
 * two thousand lines from Debian's build of the library, which registers every operator twice.
 */
#include <stdio.h>

#if __has_include(<onnxruntime/onnxruntime_c_api.h>)
#include <dlfcn.h>
#include <onnxruntime/onnxruntime_c_api.h>
#include <stdbool.h>
#include <time.h>

#include "test/bench/onnx.h"

/* As lstm_step.c: turns shorter than the scheduler's. */
#define ROUNDS 201
#define ROUND_NS 1e6

static const OrtApiBase *(*base)(void);
static const OrtApi *ort;
static OrtEnv *env;
static OrtMemoryInfo *memory;

static void check(OrtStatus *status)
{
	if (!status)
		return;
	fprintf(stderr, "onnxruntime: %s\n", ort->GetErrorMessage(status));
	exit(1);
}

/* ---- one model, ready to step ---- */
struct peer {
	OrtSession *session;
	unsigned hidden, turn;
	float x[INPUTS], *state;	/* h, c, h', c' */
	OrtValue *input[2][3], *output[2][2];
};

static OrtValue *wrap(float *p, unsigned n)
{
	const int64_t shape[3] = { 1, 1, n };
	OrtValue *v;

	check(ort->CreateTensorWithDataAsOrtValue(memory, p, n * 4, shape, 3,
						  ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
	return v;
}

static struct peer *peer_open(const struct weights *m, int int8)
{
	struct peer *p = calloc(1, sizeof *p);
	struct buffer model = make_model(m, int8);
	OrtSessionOptions *options;
	unsigned h = m->hidden;

	if (!p || !(p->state = calloc(4 * h, 4)))
		exit(1);
	p->hidden = h;
	check(ort->CreateSessionOptions(&options));
	check(ort->SetIntraOpNumThreads(options, 1));
	check(ort->SetInterOpNumThreads(options, 1));
	check(ort->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL));
	check(ort->CreateSessionFromArray(env, model.p, model.n, options, &p->session));
	ort->ReleaseSessionOptions(options);
	free(model.p);
	/* The state is fed back by turning: what one step wrote, the next one reads. */
	for (unsigned i = 0; i < 2; i++) {
		float *from = p->state + 2 * h * i, *to = p->state + 2 * h * !i;

		p->input[i][0] = wrap(p->x, INPUTS);
		p->input[i][1] = wrap(from, h);
		p->input[i][2] = wrap(from + h, h);
		p->output[i][0] = wrap(to, h);
		p->output[i][1] = wrap(to + h, h);
	}
	return p;
}

static void peer_close(struct peer *p)
{
	for (unsigned i = 0; i < 10; i++)
		ort->ReleaseValue(i < 6 ? p->input[i / 3][i % 3] : p->output[(i - 6) / 2][i % 2]);
	ort->ReleaseSession(p->session);
	free(p->state);
	free(p);
}

static const float *peer_step(struct peer *p, const float *x)
{
	static const char *const in[] = { "X", "h", "c" }, *const out[] = { "h1", "c1" };
	unsigned turn = p->turn;

	memcpy(p->x, x, sizeof p->x);
	check(ort->Run(p->session, NULL, in, (const OrtValue *const *)p->input[turn], 3, out, 2,
		       p->output[turn]));
	p->turn = !turn;
	return p->state + 2 * p->hidden * p->turn;
}

/* ---- is it an LSTM, and the same one? ---- */
static void plain_step(const struct weights *m, const float *x, float *h, float *c)
{
	unsigned n = m->hidden;
	float pre[4 * 128];

	for (unsigned o = 0; o < 4 * n; o++) {
		float sum = m->b[o] + m->b[4 * n + o];

		for (unsigned i = 0; i < INPUTS; i++)
			sum += m->w[o * INPUTS + i] * x[i];
		for (unsigned i = 0; i < n; i++)
			sum += m->r[o * n + i] * h[i];
		pre[o] = sum;
	}
	for (unsigned i = 0; i < n; i++) {
		c[i] = c[i] / (1 + expf(-pre[2 * n + i])) +
		       tanhf(pre[3 * n + i]) / (1 + expf(-pre[i]));
		h[i] = tanhf(c[i]) / (1 + expf(-pre[n + i]));
	}
}

static void compare(const struct weights *m, struct peer *p, float allowed)
{
	float h[128] = { 0 }, c[128] = { 0 }, x[INPUTS], worst = 0;

	for (unsigned t = 0; t < 50; t++) {
		const float *got;

		for (unsigned i = 0; i < INPUTS; i++)
			x[i] = noise();
		plain_step(m, x, h, c);
		got = peer_step(p, x);
		for (unsigned i = 0; i < m->hidden; i++)
			worst = fmaxf(worst, fabsf(got[i] - h[i]));
	}
	if (worst <= allowed)
		return;
	fprintf(stderr, "onnxruntime: hidden %u: differs by %g from a plain loop\n", m->hidden,
		(double)worst);
	exit(1);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_steps(struct peer *p, unsigned steps)
{
	float x[64][INPUTS];
	double begin;

	for (unsigned i = 0; i < 64 * INPUTS; i++)
		x[i / INPUTS][i % INPUTS] = noise();
	begin = now_ns();
	for (unsigned i = 0; i < steps; i++)
		peer_step(p, x[i % 64]);
	return (now_ns() - begin) / steps;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static bool load_library(void)
{
	void *library = dlopen("libonnxruntime.so", RTLD_NOW);

	if (!library) {
		printf("%s\n", dlerror());
		return false;
	}
	*(void **)&base = dlsym(library, "OrtGetApiBase");
	ort = base ? base()->GetApi(ORT_API_VERSION) : NULL;
	if (!ort)
		printf("libonnxruntime is older than its header\n");
	return ort;
}

#define SIZES 3
#define PEERS (2 * SIZES)	/* f32 and int8 of each size */

int main(void)
{
	static const unsigned hidden[SIZES] = { 32, 64, 128 };
	struct weights weights[SIZES];
	struct peer *peer[PEERS];
	static double ns[PEERS][ROUNDS];
	unsigned steps[PEERS];

	if (!load_library())
		return 77;
	check(ort->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "bench", &env));
	check(ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
	for (unsigned i = 0; i < PEERS; i++) {
		if (i < SIZES)
			weights[i] = make_weights(hidden[i]);
		peer[i] = peer_open(&weights[i % SIZES], i >= SIZES);
		compare(&weights[i % SIZES], peer[i], i >= SIZES ? 0.05f : 1e-5f);
		steps[i] = (unsigned)(ROUND_NS / time_steps(peer[i], 500)) + 1;
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < PEERS; i++)
			ns[i][round] = time_steps(peer[i], steps[i]);
	for (unsigned i = 0; i < PEERS; i++)
		qsort(ns[i], ROUNDS, sizeof *ns[i], ascending);
	printf("{\"version\":\"%s\"", base()->GetVersionString());
	for (unsigned i = 0; i < PEERS; i += SIZES)
		printf(",\"%s\":{\"32\":%.0f,\"64\":%.0f,\"128\":%.0f}",
		       i ? "onnxruntime_int8_ns" : "onnxruntime_f32_ns", ns[i][ROUNDS / 2],
		       ns[i + 1][ROUNDS / 2], ns[i + 2][ROUNDS / 2]);
	printf("}\n");
	for (unsigned i = 0; i < PEERS; i++)
		peer_close(peer[i]);
	for (unsigned i = 0; i < SIZES; i++)
		weights_free(&weights[i]);
	ort->ReleaseMemoryInfo(memory);
	ort->ReleaseEnv(env);
	return 0;
}

#else

int main(void)
{
	printf("built without onnxruntime/onnxruntime_c_api.h\n");
	return 77;
}

#endif
