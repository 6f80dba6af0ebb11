// SPDX-License-Identifier: MIT
/*
 * lstm_step: nanoseconds of one streaming LSTM step (8 inputs; hidden 32, 64, 128), as JSON:
 * ours on XNNPACK, ours in plain C, and the f32 loop that anybody would write first, with
 * libm's expf and tanhf. Also the whole step of a detector around it (5 lags).
 *
 * All take turns within one run, so that a busy neighbour slows them alike; the median of the
 * turns is printed.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kernels/lstm.h"
#include "kernels/why.h"
#include "test/golden/made.h"

#define INPUTS 8
#define LAGS 5
#define HIDDEN_MAX 128
#define ROUNDS 201
#define ROUND_NS 1e6

static const unsigned sizes[] = { 32, 64, 128 };
#define SIZES (sizeof sizes / sizeof *sizes)

enum what { XNN, REF, NAIVE, DETECTOR, WHATS };

static const char *const names[WHATS] = {
	"lstm_step_ns", "lstm_ref_ns", "naive_f32_ns", "detector_step_ns",
};

struct naive {
	unsigned hidden;
	float *weight, *bias;		/* [4 hidden][inputs + hidden], [4 hidden] */
	float c[HIDDEN_MAX], h[HIDDEN_MAX];
};

struct subject {
	struct made made;
	struct lstm *lstm[2];
	struct naive naive;
	struct detector *detector;
	unsigned steps[WHATS];		/* of one turn */
	double ns[WHATS][ROUNDS];
};

static float rows[256][INPUTS];
static uint8_t valid[INPUTS];
static volatile float sink;

static void naive_step(struct naive *n, const float *x)
{
	unsigned hidden = n->hidden, in = INPUTS + hidden;
	float pre[4 * HIDDEN_MAX];

	for (unsigned o = 0; o < 4 * hidden; o++) {
		float sum = n->bias[o];

		for (unsigned i = 0; i < INPUTS; i++)
			sum += n->weight[o * in + i] * x[i];
		for (unsigned i = 0; i < hidden; i++)
			sum += n->weight[o * in + INPUTS + i] * n->h[i];
		pre[o] = sum;
	}
	for (unsigned u = 0; u < hidden; u++) {
		float i = 1 / (1 + expf(-pre[u]));
		float f = 1 / (1 + expf(-pre[hidden + u]));
		float g = tanhf(pre[2 * hidden + u]);
		float o = 1 / (1 + expf(-pre[3 * hidden + u]));

		n->c[u] = f * n->c[u] + i * g;
		n->h[u] = o * tanhf(n->c[u]);
	}
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static double turn(struct subject *s, enum what what, unsigned steps)
{
	struct detector_result r;
	double begin = now_ns();

	for (unsigned i = 0; i < steps; i++) {
		const float *x = rows[i % 256];

		switch (what) {
		case XNN:
		case REF:
			sink = *lstm_step(s->lstm[what], x);
			break;
		case NAIVE:
			naive_step(&s->naive, x);
			sink = s->naive.h[0];
			break;
		default:
			detector_step(s->detector, x, valid, &r);
			sink = r.score;
		}
	}
	return (now_ns() - begin) / steps;
}

static int subject_open(struct subject *s, unsigned hidden)
{
	static const enum fc_kind kinds[] = { [XNN] = FC_XNN, [REF] = FC_REF };
	const struct fc_spec *gates = &s->made.spec.gates;
	struct why why = { "" };
	size_t n;

	made_open(&s->made, INPUTS, hidden, LAGS, 1);
	for (unsigned k = 0; k < 2; k++)
		if (lstm_open(&s->lstm[k], INPUTS, hidden, gates, kinds[k], &why))
			goto fail;
	if (detector_open(&s->detector, &s->made.spec, FC_XNN, &why))
		goto fail;

	s->naive.hidden = hidden;
	n = (size_t)gates->in * gates->out;
	s->naive.weight = made_block(&s->made, n * sizeof(float));
	s->naive.bias = made_block(&s->made, gates->out * sizeof(float));
	for (size_t i = 0; i < n; i++)
		s->naive.weight[i] = (float)gates->weight[i] * gates->scale[i / gates->in] * 100;
	memcpy(s->naive.bias, gates->bias, gates->out * sizeof(float));

	for (enum what w = 0; w < WHATS; w++) {
		double ns = turn(s, w, 200);

		s->steps[w] = ns > 0 && ns < ROUND_NS ? (unsigned)(ROUND_NS / ns) : 1;
	}
	return 0;
fail:
	fprintf(stderr, "lstm_step: hidden %u: %s\n", hidden, why.text);
	return -1;
}

static void subject_close(struct subject *s)
{
	lstm_close(s->lstm[XNN]);
	lstm_close(s->lstm[REF]);
	detector_close(s->detector);
	made_close(&s->made);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(struct subject *subjects)
{
	for (enum what w = 0; w < WHATS; w++) {
		printf("%s\"%s\":{", w ? "," : "{", names[w]);
		for (unsigned i = 0; i < SIZES; i++) {
			double *ns = subjects[i].ns[w];

			qsort(ns, ROUNDS, sizeof *ns, ascending);
			printf("%s\"%u\":%.1f", i ? "," : "", sizes[i], ns[ROUNDS / 2]);
		}
		printf("}");
	}
	printf("}\n");
}

int main(void)
{
	static struct subject subjects[SIZES];
	uint64_t s = 1;
	int status = 0;

	memset(valid, 1, sizeof valid);
	for (unsigned i = 0; i < 256; i++)
		for (unsigned k = 0; k < INPUTS; k++)
			rows[i][k] = 3 * made_float(&s);
	for (unsigned i = 0; i < SIZES && !status; i++)
		status = subject_open(&subjects[i], sizes[i]);
	for (unsigned r = 0; r < ROUNDS && !status; r++)
		for (unsigned i = 0; i < SIZES; i++)
			for (enum what w = 0; w < WHATS; w++)
				subjects[i].ns[w][r] = turn(&subjects[i], w, subjects[i].steps[w]);
	if (!status)
		print(subjects);
	for (unsigned i = 0; i < SIZES; i++)
		subject_close(&subjects[i]);
	return status ? 1 : 0;
}
