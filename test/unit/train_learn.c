// SPDX-License-Identifier: MIT
/*
 * The training loop: a net learns to remember for longer than one window of
 * back-propagation, forgets nothing of what it learnt when later epochs are worse,
 * and leaves a lesson of pure chance alone.
 */
#include "models/train/learn.h"

#include "models/train/net.h"
#include "models/train/random.h"
#include "test/test.h"

#define ROWS 6000
#define FIT 4800
#define EVERY 80	/* rows from pulse to pulse: more than two windows */

static float input[ROWS], target[ROWS], weight[ROWS];

/* Returns the largest weight of the head that came out. */
static float teach(unsigned epochs, struct learn_report *r)
{
	struct lesson l = {
		.rows = ROWS, .fit_rows = FIT, .channels = 1,
		.input = input, .target = target, .weight = weight,
	};
	struct learn_options o = { .epochs = epochs };
	struct net *n;
	float head = 0;

	CHECK(!net_open(&n, 1, 8, 1));
	CHECK(!learn(n, &l, &o, r));
	for (unsigned u = 0; u < 8; u++)
		head = fmaxf(head, fabsf(n->head_w[u]));
	net_close(n);
	free(r->curve);
	return head;
}

/* Which way did the last pulse go? */
static void remembers(void)
{
	struct random chance = { 3 };
	struct learn_report r;
	float last = 0;

	for (unsigned k = 0; k < ROWS; k++) {
		input[k] = 0;
		if (k % EVERY == 0)
			input[k] = last = random_next(&chance) % 2 ? 3 : -3;
		target[k] = last / 3;
		weight[k] = 1;
	}
	teach(150, &r);
	printf("latch: %.4f -> %.4f, epoch %u of %u\n", r.linear_loss, r.net_loss, r.best_epoch,
	       r.epochs);
	CHECK_NEAR(r.linear_loss, 1, 1e-6);
	CHECK(r.net_loss < 0.15);
}

/* What is masked is neither learnt nor counted. */
static void masked(void)
{
	struct learn_report r;

	for (unsigned k = 0; k < ROWS; k++) {
		input[k] = k % 2 ? 1 : -1;
		weight[k] = k % 2;
		target[k] = k % 2 ? 0.5f : 1000;
	}
	teach(60, &r);
	CHECK_NEAR(r.linear_loss, 0.25, 1e-6);
	CHECK(r.net_loss < 0.01);
}

static void nothing_to_learn(void)
{
	struct random chance = { 4 };
	struct learn_report r;
	float head;

	for (unsigned k = 0; k < ROWS; k++) {
		input[k] = 2 * random_uniform(&chance);
		target[k] = 2 * random_uniform(&chance);
		weight[k] = 1;
	}
	head = teach(200, &r);
	printf("chance: %.4f -> %.4f, epoch %u of %u\n", r.linear_loss, r.net_loss, r.best_epoch,
	       r.epochs);
	CHECK(r.net_loss <= r.linear_loss && r.net_loss > 0.99 * r.linear_loss);
	CHECK(r.epochs < 100);	/* stopped early */
	CHECK(r.best_epoch > 0 || head == 0);
}

int main(void)
{
	remembers();
	masked();
	nothing_to_learn();
	return 0;
}
