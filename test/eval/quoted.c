// SPDX-License-Identifier: MIT
/*
 * quoted: figures to stand beside ours, as the data folder's README has them. "published":
 * by a method's authors or the set's scoreboard; the others were measured with the folder's
 * own scorer.
 */
#include <math.h>

#include "test/eval/summary.h"

#define RANKS(a, b, c) a, b, c
#define POINTS(a, b, c) a, b, c
#define NO_RANKS NAN, NAN, NAN
#define NO_POINTS NAN, NAN, NAN
#define SCOREBOARD(a, b, c) NO_RANKS, NO_POINTS, { a, b, c }

const struct quoted quoted[] = {
	{ "skab", "always 1", 0, RANKS(.5, .532, .591), POINTS(.698, 100, 0) },
	{ "skab", "T2", 0, RANKS(.801, .807, .838), POINTS(.660, 19.2, 42.6) },
	{ "skab", "T2 + Q", 0, RANKS(.795, .801, .827), POINTS(.758, 26.6, 24.9) },
	{ "skab", "isolation forest", 0, RANKS(.776, .776, .811), POINTS(.287, 2.6, 82.9) },
	{ "skab", "moving average of sizes", 0, RANKS(.816, .822, .852), POINTS(.716, 23.7, 32.8) },
	{ "skab", "LSTM-AE, 8 rows ahead", 0, RANKS(.838, .842, .871), POINTS(.756, 21.8, 27.7) },
	{ "skab", "LSTM-AE, causal", 0, RANKS(.820, .826, .857), POINTS(.761, 28.3, 23.7) },
	{ "skab", "lagged PCA", 0, RANKS(.874, .887, .915), POINTS(.763, 9.5, 33.2) },
	{ "skab", "Conv-AE", 1, NO_RANKS, POINTS(.78, 13.6, 28.0) },
	{ "skab", "MSET, limit by hand", 1, NO_RANKS, POINTS(.78, 39.7, 14.1) },
	{ "skab", "LSTM-AE", 1, NO_RANKS, POINTS(.74, 30.0, 25.9) },
	{ "smd", "lagged PCA, smoothed", 0, RANKS(.852, .590, .589), NO_POINTS },
	{ "asd", "lagged PCA, smoothed", 0, RANKS(.770, .326, .489), NO_POINTS },
	{ "tep", "lagged PCA", 0, RANKS(.977, .995, .996), NO_POINTS },
	{ "fan_accel", "sum of sizes", 0, RANKS(.389, NAN, NAN), NO_POINTS },
	{ "fan_accel", "mean and log variance", 0, RANKS(.922, NAN, NAN), NO_POINTS },
	{ "nab", "ARTime", 1, SCOREBOARD(74.9, 65.1, 80.4) },
	{ "nab", "HTM", 1, SCOREBOARD(70.5, 62.6, 75.2) },
	{ "nab", "relative entropy", 1, SCOREBOARD(54.6, 47.6, 58.8) },
	{ "nab", "random cut forest", 1, SCOREBOARD(51.7, 38.4, 59.8) },
	{ "nab", "windowed Gaussian", 1, SCOREBOARD(39.7, 20.9, 47.4) },
	{ "nab", "random", 1, SCOREBOARD(11.0, NAN, NAN) },
};
const unsigned quoted_count = sizeof(quoted) / sizeof(quoted[0]);
