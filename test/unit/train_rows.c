// SPDX-License-Identifier: MIT
/*
 * Which rows stand where: every row that may be learnt from counts once in an epoch, in order;
 * none that is held out does; what comes before is seen, not counted; an autoencoder's windows
 * are told newest row first and lie elsewhere in the next epoch.
 */
#include "models/train/learn_rows.h"

#include <stdbool.h>

#include "models/train/learn.h"
#include "models/train/net.h"
#include "test/test.h"

#define MOST 20000u
#define N 2

/* Row r: input r, -r; target r + 0.25, teacher r + 0.75; weight 1, but 0 of channel 1 in row 5. */
static float input[MOST * N], target[MOST * N], teacher[MOST * N], weight[MOST * N];
static unsigned counted[MOST];
static float x[64 * 64 * N], y[64 * 64 * N], w[64 * 64 * N];

static const struct net_shape forecast = { .kind = RECURRENT_FORECAST };
static const struct net_shape autoencoder = { .kind = RECURRENT_AUTOENCODER };

static struct lesson lesson(unsigned rows, unsigned fit_rows)
{
	return (struct lesson){ rows, fit_rows, N, input, target, weight };
}

static void fill(void)
{
	for (unsigned r = 0; r < MOST; r++) {
		input[r * N] = (float)r;
		input[r * N + 1] = -(float)r;
		for (unsigned i = 0; i < N; i++) {
			target[r * N + i] = (float)r + 0.25f;
			teacher[r * N + i] = (float)r + 0.75f;
			weight[r * N + i] = r == 5 && i ? 0 : 1;
		}
	}
}

/*
 * One epoch, all streams at once: each row's count. Rows are those of the input, and a stream's
 * follow each other from window to window; rows before `from` never count.
 */
static void count_forecast(const struct rows_plan *p)
{
	memset(counted, 0, sizeof(counted));
	for (unsigned b = 0; b < p->batch; b++) {
		long before = -1;

		for (unsigned k = 0; k < p->windows; k++) {
			struct rows_view view = { p, k, b, 1 };

			rows_read(&view, 0, p->steps, x, y, w);
			for (unsigned s = 0; s < p->steps; s++) {
				long row = (long)x[s * N];

				if (w[s * N] == 0)
					continue;
				CHECK_EQ(x[s * N + 1], -row);
				CHECK(y[s * N] == (float)row + 0.25f);
				CHECK(w[s * N + 1] == weight[row * N + 1]);
				CHECK(before < 0 || row == before + 1);
				before = row;
				counted[row]++;
			}
		}
	}
}

static void check_counted(unsigned from, unsigned to, unsigned times)
{
	for (unsigned r = 0; r < MOST; r++)
		CHECK_EQ(counted[r], r >= from && r < to ? times : 0);
}

static void streams(void)
{
	static const unsigned rows[] = { 3, 50, 259, 3000, 9999, 20000 };

	for (unsigned k = 0; k < 6; k++) {
		struct lesson l = lesson(rows[k], rows[k] * 4 / 5);
		struct rows_plan p;

		rows_fit(&p, &l, &forecast, 32, 0);
		CHECK(p.batch >= 1 && p.batch <= 32);
		CHECK(p.batch == 1 || p.windows >= 6);
		count_forecast(&p);
		check_counted(0, l.fit_rows - 1, 1);
		rows_fit(&p, &l, &forecast, 60, 7);
		CHECK(p.batch <= 7);
		count_forecast(&p);
		check_counted(0, l.fit_rows - 1, 1);
		rows_held(&p, &l, &forecast, 32);
		count_forecast(&p);
		/* From the forecast of the first held-out row; the last forecasts nothing. */
		check_counted(l.fit_rows - 1, l.rows - 1, 1);
	}
}

/* Held out: 64 rows before a stream's own are seen, where there are any. */
static void settling(void)
{
	struct lesson l = lesson(2000, 1600);
	struct rows_plan p;
	struct rows_view view = { &p, 0, 0, 1 };

	rows_held(&p, &l, &forecast, 32);
	CHECK_EQ(p.batch, 1);
	rows_read(&view, 0, 32, x, y, w);
	for (unsigned s = 0; s < 32; s++)
		CHECK(x[s * N] == (float)(1599 - 64 + s) && w[s * N] == 0);
	view.window = 2;
	rows_read(&view, 3, 2, x, y, w);
	CHECK(x[0] == 1602 && w[0] == 1 && x[N] == 1603);
	l = lesson(60, 40);
	rows_held(&p, &l, &forecast, 32);
	view.window = 0;
	rows_read(&view, 0, 32, x, y, w);
	for (unsigned s = 0; s < 32; s++)
		CHECK(x[s * N] == (s < 25 ? 0 : (float)(s - 25)) && w[s * N] == 0);
}

/* Side by side: [steps][B][N]; a shard sees its own streams. */
static void layout(void)
{
	struct lesson l = lesson(4001, 3201);
	struct rows_plan p;
	struct rows_view all, shard = { &p, 1, 5, 3 };
	float part[8 * 3 * N];

	rows_fit(&p, &l, &forecast, 32, 0);
	CHECK_EQ(p.batch, 16);
	CHECK_EQ(p.length, 200);
	all = (struct rows_view){ &p, 1, 0, 16 };
	rows_read(&all, 8, 8, x, NULL, NULL);
	rows_read(&shard, 8, 8, part, NULL, NULL);
	for (unsigned s = 0; s < 8; s++)
		for (unsigned b = 0; b < 16; b++) {
			CHECK(x[(s * 16 + b) * N] == (float)(200 * b + 32 + 8 + s));
			CHECK(b < 5 || b > 7 ||
			      part[(s * 3 + b - 5) * N] == x[(s * 16 + b) * N]);
		}
}

/* Counts what the decoder is asked to tell, and that it is the encoder's rows backwards. */
static void count_windows(const struct rows_plan *p)
{
	memset(counted, 0, sizeof(counted));
	for (unsigned k = 0; k < p->windows; k++)
		for (unsigned b = 0; b < p->batch; b++) {
			struct rows_view view = { p, k, b, 1 };
			unsigned W = p->steps;

			rows_read(&view, 0, W, x, NULL, NULL);
			rows_read(&view, W, W, NULL, y, w);
			for (unsigned s = 0; s < W; s++)
				if (w[s * N] != 0) {
					CHECK(y[s * N] == x[(W - 1 - s) * N]);
					CHECK(y[s * N + 1] == -y[s * N]);
					counted[(unsigned)y[s * N]]++;
				}
		}
}

static void windows(void)
{
	static const unsigned rows[] = { 3, 50, 259, 3000, 20000 };

	for (unsigned k = 0; k < 5; k++) {
		struct lesson l = lesson(rows[k], rows[k] * 4 / 5);
		struct rows_plan p;
		unsigned first, latest = 0, most = 0;

		rows_fit(&p, &l, &autoencoder, 24, 0);
		CHECK(p.hop >= 3 && p.hop <= 12);
		count_windows(&p);
		first = p.hop;
		for (unsigned r = 0; r < MOST; r++) {
			CHECK(r < l.fit_rows ? counted[r] : !counted[r]);
			most = counted[r] > most ? counted[r] : most;
		}
		CHECK(most <= (24 + p.hop - 1) / p.hop);
		CHECK(rows[k] < 3000 || p.windows >= 6);
		/* Another epoch begins elsewhere, within a hop. */
		for (unsigned e = 1; e < 40; e++) {
			struct rows_view view = { &p, 0, 0, 1 };
			unsigned last;

			rows_epoch(&p, e);
			CHECK(p.shift < p.hop);
			first = p.shift < first ? p.shift : first;
			latest = p.shift > latest ? p.shift : latest;
			if (rows[k] < 259)
				continue;
			rows_read(&view, 24, 1, NULL, y, w);
			last = (unsigned)y[0];
			CHECK_EQ(last, l.fit_rows - 1 - p.shift);
		}
		CHECK(first == 0 && latest == p.hop - 1);
		rows_held(&p, &l, &autoencoder, 24);
		count_windows(&p);
		for (unsigned r = 0; r < MOST; r++)
			CHECK(r >= l.fit_rows && r < l.rows ? counted[r] : !counted[r]);
	}
}

static void blend(void)
{
	struct lesson l = lesson(100, 80);
	struct rows_plan p;
	struct rows_view view = { &p, 0, 0, 1 };

	rows_fit(&p, &l, &forecast, 32, 0);
	p.teacher = teacher;
	p.teacher_weight = 0.25f;
	rows_read(&view, 7, 1, x, y, w);
	CHECK(x[0] == 7 && y[0] == 7.375f);
}

int main(void)
{
	fill();
	streams();
	settling();
	layout();
	windows();
	blend();
	return 0;
}
