// SPDX-License-Identifier: MIT
/*
 * metric: the figures of series that formulas make, against values that another
 * program computed from the published definitions: ties, one class only, a constant score,
 * events at both ends, events so close that their borders merge.
 */
#include "models/train/metric.h"

#include "test/test.h"

#define ROWS 3000
#define EPS 1e-12

static uint8_t label[ROWS];
static float score[ROWS];

/* Events of 17 rows, the score in steps. */
static void make_ties(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		label[i] = i % 97 >= 80;
		score[i] = (float)(i * 37 % 101) / 8 + 3.0f * label[i];
	}
}

/* Events at both ends and two that are nine rows apart. */
static void make_ends(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		label[i] = i < 15 || i >= n - 10 || (i >= 300 && i < 320) || (i >= 330 && i <= 340);
		score[i] = (float)(i * i * 7 % 1009) / 64 + 2.5f * label[i];
	}
}

/* Short events everywhere. */
static void make_dense(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		label[i] = i * i / 7 % 29 < 3;
		score[i] = (float)(i * i * 7 % 1009) / 64 + label[i];
	}
}

static void near_or_nan(double got, double want)
{
	if (isnan(want))
		CHECK(isnan(got));
	else
		CHECK_NEAR(got, want, EPS);
}

static void figures(unsigned n, double roc, double ap, double roc_100, double pr_100,
		    double roc_7, double pr_7, double roc_0, double pr_0)
{
	static const unsigned window[] = { 100, 7, 0, 1 };
	const double want[][2] = {
		{ roc_100, pr_100 }, { roc_7, pr_7 }, { roc_0, pr_0 }, { roc_0, pr_0 },
	};
	struct metric_ranks ranks;
	struct metric_volume v;

	CHECK_EQ(metric_ranks(&ranks, label, score, n), 0);
	near_or_nan(ranks.roc_auc, roc);
	near_or_nan(ranks.average_precision, ap);
	for (int k = 0; k < 4; k++) {
		CHECK_EQ(metric_volume(&v, label, score, n, window[k]), 0);
		near_or_nan(v.roc, want[k][0]);
		near_or_nan(v.pr, want[k][1]);
	}
}

static void golden(void)
{
	make_ties(600);
	/* A width of one row has a reach of none. */
	figures(600, 0.7108532167887235, 0.4735513424437657, 0.9106918926801033,
		0.7523383970015926, 0.7368625209201138, 0.4928806687039948,
		0.7108532167887235, 0.4735513424437657);
	for (int i = 0; i < 600; i++)
		score[i] = 4;
	figures(600, 0.5, 0.17, 0.6820840352554218, 0.5729183362362146, 0.507500753018508,
		0.19432284249783932, 0.5, 0.17);
	make_ends(600);
	figures(600, 0.5969504989495799, 0.2779831726091405, 0.8051873701271027,
		0.4094167004757879, 0.6325199773227024, 0.28879472867138595,
		0.5969669117647058, 0.2762383600598647);
	make_dense(ROWS);
	figures(ROWS, 0.5659382119579869, 0.18014950229794371, 0.963473207470253,
		0.8706536183472721, 0.6729984687188402, 0.24508904139749443,
		0.41070171864794064, 0.11360787325944151);
}

static void degenerate(void)
{
	static const uint8_t tiny_label[] = { 0, 1, 0, 0, 1 };
	static const float tiny_score[] = { 1, 5, 5, 0, -2 };

	make_ties(600);
	memset(label, 1, sizeof(label));
	figures(600, NAN, 1, NAN, NAN, NAN, NAN, NAN, NAN);
	memset(label, 0, sizeof(label));
	figures(600, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN);
	figures(0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN);
	memcpy(label, tiny_label, sizeof(tiny_label));
	memcpy(score, tiny_score, sizeof(tiny_score));
	figures(5, 0.4166666666666667, 0.45, 0.9803143651966533, 0.9852855957296713,
		0.7514688606077473, 0.8142306460871004, 0.20833333333333334,
		0.42500000000000004);
}

/* Only the order of scores counts, not their size, nor the order of equal rows. */
static void order_only(void)
{
	struct metric_ranks a, b;
	struct metric_volume u, v;

	make_ties(600);
	metric_ranks(&a, label, score, 600);
	metric_volume(&u, label, score, 600, METRIC_WINDOW);
	for (int i = 0; i < 600; i++)
		score[i] = expf(score[i] / 4) - 100;
	metric_ranks(&b, label, score, 600);
	metric_volume(&v, label, score, 600, METRIC_WINDOW);
	CHECK(a.roc_auc == b.roc_auc && a.average_precision == b.average_precision);
	CHECK(u.roc == v.roc && u.pr == v.pr);
	for (int i = 0; i < 300; i++) {
		uint8_t l = label[i];
		float s = score[i];

		label[i] = label[599 - i];
		label[599 - i] = l;
		score[i] = score[599 - i];
		score[599 - i] = s;
	}
	metric_ranks(&a, label, score, 600);
	metric_volume(&u, label, score, 600, METRIC_WINDOW);
	CHECK_NEAR(a.roc_auc, b.roc_auc, EPS);
	CHECK_NEAR(a.average_precision, b.average_precision, EPS);
	CHECK_NEAR(u.roc, v.roc, EPS);
	CHECK_NEAR(u.pr, v.pr, EPS);
}

static void confusion(void)
{
	struct metric_confusion c = { 0 }, none = { 0 };
	uint8_t alarm[600];

	make_ends(600);
	for (int i = 0; i < 600; i++)
		alarm[i] = score[i] >= 10;
	metric_confusion_add(&c, label, alarm, 200);
	metric_confusion_add(&c, label + 200, alarm + 200, 400);
	CHECK_EQ(c.tp, 26);
	CHECK_EQ(c.tn, 339);
	CHECK_EQ(c.fp, 205);
	CHECK_EQ(c.fn, 30);
	CHECK_NEAR(metric_f1(&c), 0.18118466898954705, EPS);
	CHECK_NEAR(metric_far(&c), 37.68382352941177, EPS);
	CHECK_NEAR(metric_mar(&c), 53.57142857142857, EPS);
	CHECK(metric_f1(&none) == 0 && metric_far(&none) == 0 && metric_mar(&none) == 0);
}

int main(void)
{
	golden();
	degenerate();
	order_only();
	confusion();
	return 0;
}
