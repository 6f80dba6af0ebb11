// SPDX-License-Identifier: MIT
/*
 * The loss curve in characters: where its marks are, that each line is as wide as it may be, and
 * what odd trainings (one epoch, none, flat ones) look like.
 */
#include "models/train/learn.h"
#include "models/train/report.h"
#include "test/test.h"

#define LEFT 11		/* "        1 |" */
#define WIDE 60
#define HIGH 10

static char *drawn(const double *held, const double *learnt, unsigned epochs, unsigned best,
		   double before, int unicode)
{
	double curve[64];
	struct learn_report l = { .epochs = epochs, .best_epoch = best, .linear_loss = before,
				  .curve = curve, .train_curve = curve + 32 };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	CHECK(out && epochs <= 32);
	memcpy(curve, held, epochs * sizeof(*held));
	memcpy(curve + 32, learnt, epochs * sizeof(*learnt));
	report_curve(out, &l, unicode);
	CHECK_EQ(fclose(out), 0);
	return text;
}

/* Line k, [column] of the plot; ' ' beyond its end. */
static char at(const char *text, unsigned line, unsigned column)
{
	size_t len;

	while (line--) {
		text = strchr(text, '\n');
		CHECK(text);
		text++;
	}
	len = strcspn(text, "\n");
	CHECK(len <= LEFT + WIDE);
	return LEFT + column < len ? text[LEFT + column] : ' ';
}

static void test_falling(void)
{
	double held[] = { 1, 0.75, 0.5, 0.25, 0 }, learnt[] = { 0.5, 0.5, 0.5, 0.5, 0.5 };
	char *text = drawn(held, learnt, 5, 5, 1, 0);

	/* From the upper left corner to the lower right, the diagonal between them. */
	CHECK_EQ(at(text, 0, 0), '*');
	CHECK_EQ(at(text, HIGH - 1, WIDE - 1), '*');
	for (unsigned line = 0; line < HIGH; line++)
		CHECK_EQ(at(text, line, line * 6 + 3), '*');
	CHECK_EQ(at(text, HIGH - 1, 0), ' ');
	/* Training stays in the middle, what was there before on top. */
	CHECK_EQ(at(text, 5, 0), '.');
	CHECK_EQ(at(text, 5, WIDE - 2), '.');
	CHECK_EQ(at(text, 0, WIDE - 4), '-');
	CHECK(!strncmp(text, "        1 |", LEFT));
	CHECK(strstr(text, "\n        0 |"));
	/* Best was the last. */
	CHECK_EQ(at(text, HIGH, WIDE - 1), '^');
	CHECK_EQ(at(text, HIGH, 0), '-');
	CHECK(strstr(text, "epochs 1 to 5;"));
	free(text);
}

/* A fall within an epoch is a line from top to bottom, not two ends of one. */
static void test_steep(void)
{
	double held[32], learnt[32];
	char *text;

	for (unsigned e = 0; e < 32; e++) {
		held[e] = e < 16;
		learnt[e] = 0;
	}
	text = drawn(held, learnt, 32, 17, 0, 0);
	for (unsigned line = 0; line < HIGH; line++)
		CHECK(at(text, line, 28) == '*' || at(text, line, 29) == '*' ||
		      at(text, line, 30) == '*' || at(text, line, 31) == '*');
	CHECK_EQ(at(text, 5, 26), ' ');
	CHECK_EQ(at(text, 5, 33), ' ');
	free(text);
}

static void test_best_within(void)
{
	double held[] = { 2, 1, 3 };
	char *text = drawn(held, held, 3, 2, 2, 0);

	CHECK_EQ(at(text, HIGH, (WIDE - 1) / 2), '^');
	CHECK_EQ(at(text, HIGH - 1, WIDE / 2), '*');
	CHECK_EQ(at(text, 0, WIDE - 1), '*');
	free(text);
	text = drawn(held, held, 3, 0, 2, 0);
	CHECK(!strchr(text, '^'));
	free(text);
}

/* Every character of the plot is a Braille pattern or a blank, as many as there are columns. */
static void test_unicode(void)
{
	double held[] = { 1, 0.1, 0.05, 0.5 }, learnt[] = { 1.2, 0.6, 0.3, 0.1 };
	char *text = drawn(held, learnt, 4, 3, 1, 1);
	const unsigned char *p = (const unsigned char *)text;
	unsigned patterns = 0;

	for (unsigned line = 0; line < HIGH; line++) {
		unsigned cells = 0;

		for (p += LEFT; *p != '\n'; cells++) {
			if (*p == ' ') {
				p++;
				continue;
			}
			CHECK_EQ(p[0], 0xe2);
			CHECK(p[1] >= 0xa0 && p[1] <= 0xa3);
			CHECK(p[2] >= 0x80 && p[2] <= 0xbf);
			patterns++;
			p += 3;
		}
		CHECK(cells <= WIDE);
		p++;
	}
	CHECK(patterns >= WIDE);
	free(text);
	/* A loss that never moves: along the bottom, from corner to corner. */
	held[0] = held[1] = 1;
	text = drawn(held, held, 2, 0, 1, 1);
	CHECK(strstr(text, "\n        1 |\xe2\xa3\x80\xe2\xa3\x80"));
	free(text);
}

static void test_odd(void)
{
	double one[] = { 0.5 }, wild[] = { 1e30, 0 };
	char *text = drawn(one, one, 0, 0, 1, 0);

	CHECK_STR(text, "");
	free(text);
	text = drawn(one, one, 1, 1, 1, 0);
	CHECK_EQ(at(text, HIGH, 0), '^');
	CHECK_EQ(at(text, HIGH - 1, 5), '*');
	free(text);
	text = drawn(wild, wild, 2, 2, 1, 0);
	CHECK_EQ(at(text, 0, 0), '*');
	free(text);
}

static void test_bytes(void)
{
	char text[REPORT_BYTES];

	CHECK_STR(report_bytes(text, 0), "0 B");
	CHECK_STR(report_bytes(text, 999), "999 B");
	CHECK_STR(report_bytes(text, 34500), "34.5 kB");
	CHECK_STR(report_bytes(text, 1.24e6), "1.2 MB");
	CHECK_STR(report_bytes(text, 1e12), "1000000.0 MB");
}

int main(void)
{
	test_falling();
	test_steep();
	test_best_within();
	test_unicode();
	test_odd();
	test_bytes();
	return 0;
}
