// SPDX-License-Identifier: MIT
/*
 * onnxruntime: ONNX Runtime on the shapes (onnx_shapes.h) through its C API, f32 and int8, one
 * thread, all optimisations, inputs and outputs preallocated; the state of a step is fed back by
 * turning the tensors round.
 *
 * Its standard error also has two thousand lines from Debian's build of the library, which
 * registers every operator twice.
 */
#include "test/bench/contestant.h"

#if __has_include(<onnxruntime/onnxruntime_c_api.h>)
#include <dlfcn.h>
#include <onnxruntime/onnxruntime_c_api.h>

#include "test/bench/onnx_shapes.h"

static const OrtApi *ort;
static OrtEnv *env;
static OrtMemoryInfo *memory;
static float rows[ROWS][CHANNELS];
static float inputs[DENSE_INPUTS][DENSE_WIDEST];

static void check(OrtStatus *status)
{
	if (!status)
		return;
	fprintf(stderr, "onnxruntime: %s\n", ort->GetErrorMessage(status));
	exit(1);
}

static OrtSession *session_open(struct buffer model)
{
	OrtSessionOptions *options;
	OrtSession *session;

	check(ort->CreateSessionOptions(&options));
	check(ort->SetIntraOpNumThreads(options, 1));
	check(ort->SetInterOpNumThreads(options, 1));
	check(ort->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL));
	check(ort->CreateSessionFromArray(env, model.p, model.n, options, &session));
	ort->ReleaseSessionOptions(options);
	free(model.p);
	return session;
}

static OrtValue *tensor(float *p, struct onnx_shape of)
{
	int64_t shape[4];
	size_t n = 1, dims = 0;
	OrtValue *v;

	for (; of.dim[dims]; dims++) {
		shape[dims] = of.dim[dims];
		n *= of.dim[dims];
	}
	check(ort->CreateTensorWithDataAsOrtValue(memory, p, n * sizeof *p, shape, dims,
						  ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
	return v;
}

/* ---- the step ---- */
struct step {
	OrtSession *session;
	unsigned hidden, turn;
	float x[CHANNELS], *state;	/* h, c, h', c' */
	OrtValue *input[2][3], *output[2][2];
};

static struct step *step_open(unsigned hidden, bool int8)
{
	struct lstm_shape s = lstm_make(CHANNELS, hidden, hidden);
	struct step *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->hidden = hidden;
	p->state = shape_block(4 * hidden);
	p->session = session_open(onnx_step(&s, int8));
	for (unsigned i = 0; i < 2; i++) {
		float *from = p->state + 2 * hidden * i, *to = p->state + 2 * hidden * !i;

		p->input[i][0] = tensor(p->x, SHAPE(1, 1, CHANNELS));
		p->input[i][1] = tensor(from, SHAPE(1, 1, hidden));
		p->input[i][2] = tensor(from + hidden, SHAPE(1, 1, hidden));
		p->output[i][0] = tensor(to, SHAPE(1, 1, hidden));
		p->output[i][1] = tensor(to + hidden, SHAPE(1, 1, hidden));
	}
	layer_free(&s.gates);
	return p;
}

static const float *run_step(void *self, unsigned i)
{
	static const char *const in[] = { "X", "h", "c" }, *const out[] = { "h1", "c1" };
	struct step *p = self;
	unsigned turn = p->turn;

	memcpy(p->x, rows[i % ROWS], sizeof p->x);
	check(ort->Run(p->session, NULL, in, (const OrtValue *const *)p->input[turn], 3, out, 2,
		       p->output[turn]));
	p->turn = !turn;
	return p->state + 2 * p->hidden * p->turn;
}

/* ---- X to Y ---- */
struct map {
	OrtSession *session;
	float *x, *y;
	OrtValue *input, *output;
};

static struct map *map_open(struct buffer model, struct onnx_shape in, struct onnx_shape out)
{
	struct map *m = calloc(1, sizeof *m);

	if (!m)
		abort();
	m->session = session_open(model);
	m->x = shape_block(WINDOW * CHANNELS + DENSE_WIDEST);
	m->y = shape_block(WINDOW * CHANNELS + DENSE_WIDEST);
	m->input = tensor(m->x, in);
	m->output = tensor(m->y, out);
	return m;
}

static const float *map_run(struct map *m, const float *x, size_t n)
{
	static const char *const in[] = { "X" }, *const out[] = { "Y" };

	memcpy(m->x, x, n * sizeof *x);
	check(ort->Run(m->session, NULL, in, (const OrtValue *const *)&m->input, 1, out, 1,
		       &m->output));
	return m->y;
}

static const float *run_window(void *self, unsigned i)
{
	return map_run(self, rows[i % (ROWS / WINDOW) * WINDOW], WINDOW * CHANNELS);
}

static const float *run_dense(void *self, unsigned i)
{
	return map_run(self, inputs[i % DENSE_INPUTS], DENSE_WIDEST);
}

static void add(struct contestant *t, const char *variant, bool int8)
{
	for (unsigned i = 0; i < HIDDEN_SIZES; i++) {
		const char *shape = lstm_name(hidden_sizes[i]);

		if (contestant_wants(t, shape, variant))
			contestant_add(t, shape, variant, run_step,
				       step_open(hidden_sizes[i], int8), STEPS_BEFORE,
				       hidden_sizes[i]);
	}
	if (contestant_wants(t, "window", variant)) {
		struct window_shape s = window_make();

		contestant_add(t, "window", variant, run_window,
			       map_open(onnx_window(&s, int8), SHAPE(WINDOW, 1, CHANNELS),
					SHAPE(WINDOW, 1, 1, CHANNELS)), 0, WINDOW * CHANNELS);
	}
	if (contestant_wants(t, "dense", variant)) {
		struct dense_shape s = dense_make();

		contestant_add(t, "dense", variant, run_dense,
			       map_open(onnx_dense(&s, int8), SHAPE(1, DENSE_WIDEST),
					SHAPE(1, DENSE_WIDEST)), 0, DENSE_WIDEST);
	}
}

int main(int argc, char **argv)
{
	void *library = dlopen("libonnxruntime.so", RTLD_NOW);
	const OrtApiBase *(*base)(void);
	struct contestant t;

	contestant_open(&t, argc, argv);
	if (!library)
		return contestant_skip(dlerror());
	*(void **)&base = dlsym(library, "OrtGetApiBase");
	ort = base ? base()->GetApi(ORT_API_VERSION) : NULL;
	if (!ort)
		return contestant_skip("libonnxruntime is older than its header");
	snprintf(t.version, sizeof t.version, "%s", base()->GetVersionString());
	check(ort->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "bench", &env));
	check(ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
	shape_rows(rows);
	dense_inputs(inputs);
	add(&t, "f32", false);
	add(&t, "int8", true);
	return contestant_serve(&t);
}

#else

int main(void)
{
	return contestant_skip("built without onnxruntime/onnxruntime_c_api.h");
}

#endif
