/* SPDX-License-Identifier: MIT */
/*
 * nab: the Numenta Anomaly Benchmark's score (Lavin & Ahmad 2015): detections earn the
 * more the earlier in a window of truth they come and cost the more the farther they are
 * from one. One threshold for the whole corpus, the best for each profile: the way the
 * public scoreboard is made, and so an oracle's figure.
 */
#ifndef SONDE_TRAIN_NAB_H
#define SONDE_TRAIN_NAB_H

struct nab_window {
	unsigned first, last;	/* rows, both within */
};

struct nab_stream {
	unsigned rows, windows;
	const float *score;		/* [rows] higher is more anomalous; finite */
	const struct nab_window *window;	/* [windows] ascending, apart, within rows */
};

enum nab_profile { NAB_STANDARD, NAB_LOW_FP, NAB_LOW_FN, NAB_PROFILES };

struct nab_result {
	double score[NAB_PROFILES];	/* 0: as good as silence, 100: perfect */
	float threshold[NAB_PROFILES];	/* rows from here on alarm; infinity: none does */
	unsigned windows;
};

/* Rows at the start of a stream that are not scored: 15 %, at most 750. */
unsigned nab_probation(unsigned rows);

/* -ENOMEM; -EINVAL: a window outside of its stream or out of order. */
int nab_score(struct nab_result *out, const struct nab_stream *stream, unsigned streams);

#endif
