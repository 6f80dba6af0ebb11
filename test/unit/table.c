// SPDX-License-Identifier: MIT
/*
 * table: what people's tables look like and what comes out of them; every refusal
 * with its line and the offending text; a million cells in no time.
 */
#include "models/table.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "kernels/why.h"
#include "models/number.h"
#include "models/text.h"
#include "models/when.h"
#include "test/test.h"

/* A heap block of exact size, so that a sanitizer sees a read beyond. */
static int parse(struct table **t, const char *text, size_t len, struct why *why)
{
	char *copy = malloc(len ? len : 1);
	int err;

	memcpy(copy, text, len);
	err = table_parse(t, copy, len, "f.csv", why);
	free(copy);
	return err;
}

static struct table *good(const char *text)
{
	struct why why = { "" };
	struct table *t = NULL;

	if (parse(&t, text, strlen(text), &why))
		fprintf(stderr, "%s\nrefused: %s\n", text, why.text);
	CHECK(t);
	return t;
}

static void values(void)
{
	struct table *t = good("time,volt,\"a \"\"b\"\"\",label\r\n0,1.5,-2,0\r\n0.02,,nan,1\r\n"
			       "0.04,NA,+1e-3,\r\n0.06, 7 ,\"8\",TRUE\r\n\r\n");

	CHECK_EQ(t->rows, 4);
	CHECK_EQ(t->channels, 2);
	CHECK_STR(t->name[0], "volt");
	CHECK_STR(t->name[1], "a \"b\"");
	CHECK(t->value[0] == 1.5f && t->value[1] == -2);
	CHECK(isnan(t->value[2]) && isnan(t->value[3]) && isnan(t->value[4]));
	CHECK(t->value[5] == 1e-3f && t->value[6] == 7 && t->value[7] == 8);
	CHECK(t->label && !t->label[0] && t->label[1] && !t->label[2] && t->label[3]);
	CHECK_NEAR(t->rate_hz, 50, 1e-9);
	table_free(t);
	table_free(NULL);
}

/* What sha256sum says, of all bytes: also those that change nothing in the table. */
static void digest(void)
{
	struct table *t = good("a\n1\n"), *u = good("a\n1\n\n");

	CHECK_STR(t->sha256, "309b0e45a73d3fc5325e2b6ed0a01ef8b9cde6b05a5633c1f893f970d52bfddc");
	CHECK(strcmp(t->sha256, u->sha256));
	table_free(t);
	table_free(u);
}

static void separators(void)
{
	struct table *t = good("\xef\xbb\xbfx;y, really;z\n1;2;3\n4;5;6");

	CHECK_EQ(t->channels, 3);
	CHECK_STR(t->name[1], "y, really");
	CHECK_EQ(t->rows, 2);
	CHECK(t->value[5] == 6 && !t->label && t->rate_hz == 0);
	table_free(t);
	t = good("x\ty\n1\t2\n\t \n\t5\n");
	CHECK_EQ(t->rows, 3);
	CHECK(isnan(t->value[2]) && isnan(t->value[3]) && isnan(t->value[4]) && t->value[5] == 5);
	table_free(t);
	t = good("\"a,b,c\";d\n1;2\n");
	CHECK_EQ(t->channels, 2);
	table_free(t);
	t = good("a,b\n,");
	CHECK(t->rows == 1 && isnan(t->value[0]) && isnan(t->value[1]));
	table_free(t);
	/* One column: an empty line is a missing value, at the end it is nothing. */
	t = good("only\n1\n\n3\n\n\n");
	CHECK_EQ(t->rows, 3);
	CHECK(isnan(t->value[1]) && t->value[2] == 3);
	table_free(t);
}

/* As SKAB's files: which column counts does not depend on their order. */
static void roles(void)
{
	struct table *t = good("datetime;P;Q;changepoint;Anomaly\n"
			       "2020-03-09 10:14:33;0.1;2;1;0.0\n"
			       "2020-03-09 10:14:34;0.2;3;0.0;1.0\n"
			       "2020-03-09 10:14:35;0.2;3;0.0;0\n2020-03-09 10:14:59;0.2;3;0;0\n");

	CHECK_EQ(t->channels, 2);
	CHECK(t->label[0] == 0 && t->label[1] == 1);
	CHECK_NEAR(t->rate_hz, 1, 1e-9);
	table_free(t);
	t = good("v,changepoint\n1,1\n1,0\n");
	CHECK(t->channels == 1 && t->label[0] && !t->label[1]);
	table_free(t);
	/* time counts, date is passed over whatever stands in it. */
	t = good("Date,TIME,v,is_anomaly\nMonday,0,1,false\nMonday,.5,1,2\n");
	CHECK(t->channels == 1 && t->label[1] && !t->label[0]);
	CHECK_STR(t->name[0], "v");
	CHECK_NEAR(t->rate_hz, 2, 1e-9);
	table_free(t);
	t = good("v,times,labels\n1,2,3\n");
	CHECK(t->channels == 3 && !t->label);
	table_free(t);
}

static double rate_of(const char *stamps)
{
	char text[1024] = "time,v\n";
	struct table *t;
	double rate;

	for (const char *s = stamps; *s;) {
		size_t n = strcspn(s, "|");

		sprintf(text + strlen(text), "%.*s,1\n", (int)n, s);
		s += n + (s[n] == '|');
	}
	t = good(text);
	rate = t->rate_hz;
	table_free(t);
	return rate;
}

static void rates(void)
{
	CHECK(rate_of("5") == 0);
	CHECK_NEAR(rate_of("0|1|2|3|100"), 1, 1e-12);
	CHECK_NEAR(rate_of("0|1|4"), 0.5, 1e-12);
	CHECK_NEAR(rate_of("0|0.1|0.2|5|5.1|-3|-2.9"), 10, 1e-9);
	CHECK_NEAR(rate_of("0|nan|2||4"), 0.5, 1e-12);
	CHECK(rate_of("nan|nan") == 0);
	/* Stamps cut to whole seconds, 4 rows a second. */
	CHECK_NEAR(rate_of("0|0|0|0|1|1|1|1|2"), 4, 1e-9);
	CHECK(rate_of("3|3|3") == 0);
	CHECK(rate_of("3|2|1") == 0);
	CHECK_NEAR(rate_of("2026-01-31T23:59:59.98Z|2026-02-01T00:00:00Z|2026-02-01T00:00:00.02Z"),
		   50, 1e-3);
}

static void instants(void)
{
	static const struct {
		const char *text;
		double seconds;
	} all[] = {
		{ "1970-01-01", 0 }, { "1970-01-02T00:00Z", 86400 }, { "-12.5", -12.5 },
		{ "2000-02-29 12:34:56", 951827696 }, { "2000-03-01", 951868800 },
		{ "2024-12-31T23:59:60Z", 1735689600 }, { "1969-12-31 23:59:59.5", -0.5 },
		{ "2026-01-01T01:30:00+01:30", 1767225600 },
		{ "2025-12-31T19:00:00-0500", 1767225600 },
		{ "2026-01-01T02+02", NAN }, { "2026-01-01T02:00+02", 1767225600 },
		{ "2026-01-01 00:00:00,25", 1767225600.25 }, { "1.7e9", 1.7e9 },
		{ "2026-13-01", NAN }, { "2026-00-01", NAN }, { "2026-04-31", NAN },
		{ "2026-1-1", NAN }, { "2026-01-01T25:00", NAN }, { "2026-01-01T00:60", NAN },
		{ "2026-01-01T00:00:61", NAN }, { "2026-01-01T00:00:00.", NAN },
		{ "2026-01-01T00:00:00Zx", NAN }, { "2026-01-01x", NAN }, { "", NAN },
		{ "yesterday", NAN }, { "1e999", NAN }, { "2026-01-01T00:00+24:00", NAN },
		{ "2026-01-01T", NAN }, { "2026-01-01T00:00+", NAN },
	};

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		double got = NAN;
		bool ok = when_parse(&got, all[i].text, strlen(all[i].text));

		if (ok == isnan(all[i].seconds) || (ok && fabs(got - all[i].seconds) > 1e-6))
			fprintf(stderr, "%s: %d %.9g\n", all[i].text, ok, got);
		CHECK(ok != isnan(all[i].seconds));
		CHECK(!ok || fabs(got - all[i].seconds) <= 1e-6);
	}
}

/* The fast case must agree with strtod in every bit. */
static void numbers(void)
{
	static const char *const bad[] = { "", "-", "+", ".", "1e", "1e+", "e5", "1.2.3", "0x10",
					   "inf", "nan", "1 2", " 1", "1 ", "--1", "1,5",
					   "1e5.5", "1f" };
	uint32_t seed = 1;
	double d;

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(!number_parse(&d, bad[i], strlen(bad[i])));
	CHECK(!number_parse(&d, "1\0", 2));
	CHECK(number_parse(&d, ".5", 2) && d == 0.5);
	CHECK(number_parse(&d, "5.", 2) && d == 5);
	CHECK(number_parse(&d, "-0", 2) && d == 0 && signbit(d));
	CHECK(number_parse(&d, "1e400", 5) && isinf(d));
	for (unsigned i = 0; i < 100000; i++) {
		char s[64];
		double v;
		int n;

		seed = seed * 1664525u + 1013904223u;
		v = (double)(int32_t)seed * pow(10, (int)(seed >> 8) % 25 - 12);
		n = snprintf(s, sizeof s, i % 3 ? "%.*g" : "%.*f", (int)(seed >> 16) % 18, v);
		CHECK(number_parse(&d, s, (size_t)n));
		if (d != strtod(s, NULL))
			fprintf(stderr, "%s: %.17g\n", s, d);
		CHECK(d == strtod(s, NULL));
	}
}

static void texts(void)
{
	/* A character cut off by the end: what lies behind it must not be looked at. */
	char *cut = memcpy(malloc(2), "\xe2\x82", 2);

	CHECK(!text_utf8(cut, 2));
	free(cut);
	CHECK(!text_utf8("\xe2\x82\xac", 2));
	CHECK(text_utf8("a\n°€\U0001f321", 11));
	CHECK(!text_printable("a\n", 2) && !text_printable("a\x7f", 2));
	CHECK(!text_printable("\xc2\x85", 2) && text_printable("\xc2\xa0", 2));
	CHECK(!text_utf8("a\0b", 3));
	CHECK(!text_utf8("\xc1\x81", 2) && !text_utf8("\xe0\x81\x81", 3));
	CHECK(!text_utf8("\xed\xa0\x80", 3) && !text_utf8("\xf4\x90\x80\x80", 4));
	CHECK(!text_utf8("\xe2\x82", 2) && !text_utf8("\x80", 1) && !text_utf8("\xf5", 1));
	CHECK(!text_utf8("\xf0\x80\x81\x81", 4) && !text_utf8("\xe2\x28\xa1", 3));
}

#define LONG "1234567890123456789012345678901"	/* 31 bytes, the longest name */

static void refusals(void)
{
	static const struct {
		const char *text, *reason;
	} all[] = {
		{ "", "f.csv: empty" }, { "\n\r\n\n", "f.csv: empty" },
		{ "\xef\xbb\xbf", "f.csv: empty" },
		{ "a,b\n", "f.csv: no rows below the header" },
		{ "1,2\n3,4\n", "f.csv:1: no header: the first row is all numbers" },
		{ "1\n", "no header" }, { "1,,nan\n3,4,5\n", "no header" },
		{ "2026-01-01 00:00:00,4\n2026-01-01 00:00:01,4\n", "no header" },
		{ "a,,c\n1,2,3\n", "f.csv:1: column 2 has no name" },
		{ "a,b,\n1,2,3\n", "column 3 has no name" },
		{ "a,b,a\n1,2,3\n", "f.csv:1: two columns have the name a" },
		{ LONG "2,b\n1,2\n",
		  "f.csv:1: the name of column 1 is longer than 31 bytes: 1234" },
		{ "a,\xff\xfe\n1,2\n", "the name of column 2 is not printable text: ??" },
		{ "a,b\x1b[2J\n1,2\n", "the name of column 2 is not printable text: b?[2J" },
		{ "time,label\n1,0\n", "f.csv:1: no column but times and labels" },
		{ "a,b\n1,2\n3\n", "f.csv:3: 1 cells, the header has 2" },
		{ "a,b\n1,2\n\n3,4\n", "f.csv:3: 1 cells, the header has 2" },
		{ "a,b\r\n1,2\r\n3,4,5\r\n", "f.csv:3: 3 cells, the header has 2" },
		{ "a,b\n1,2\n3,volt\n5,6\n", "f.csv:3: column 2: \"volt\" is not a number" },
		{ "a;b\n1,5;2\n", "f.csv:2: column 1: \"1,5\" is not a number" },
		{ "a,b\n1,0x10\n", "\"0x10\" is not a number" },
		{ "a,b\n1,inf\n", "\"inf\" is not a number" },
		{ "a,b\n1,1e39\n", "f.csv:2: column 2: \"1e39\" is too large" },
		{ "a,b\n1,-1e999\n", "\"-1e999\" is too large" },
		{ "a,b\n1,2\n3,\"4\n5,6\n", "f.csv:3: a quote is not closed" },
		{ "a,b\n1,\"2\" x\n", "f.csv:2: text after a closing quote" },
		{ "a,\"b\n1,2\n", "f.csv:1: a quote is not closed" },
		{ "time,b\nnoon,2\n", "f.csv:2: column 1: \"noon\" is not a time" },
		{ "label,b\n1,2\nattack,2\n", "f.csv:3: column 1: \"attack\" is not a label" },
		{ "a,b\n1,\x01\x02°\n", "\"????\" is not a number" },
		{ "a,b\n1,°°°°°°°°°°°°°°°°°°°°°x°°°°°°°°\n",
		  "\"°°°°°°°°°°°°°°°°°°°°°x...\" is not" },
	};

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		struct why why = { "" };
		struct table *t;
		int err = parse(&t, all[i].text, strlen(all[i].text), &why);

		if (err != -EINVAL || !strstr(why.text, all[i].reason)) {
			fprintf(stderr, "%s\ngave %d \"%s\", expected \"%s\"\n", all[i].text, err,
				why.text, all[i].reason);
			exit(1);
		}
	}
}

static void longest_name(void)
{
	struct table *t = good(LONG ",b\n1,2\n");

	CHECK_STR(t->name[0], LONG);
	table_free(t);
}

/* A NUL ends nothing; a line of a megabyte is shown cut. */
static void binary(void)
{
	static const char nul[] = "a,b\n1,2\0\n3,4\n";
	char *huge = malloc(1 << 20);
	struct why why = { "" };
	struct table *t;

	CHECK_EQ(parse(&t, nul, sizeof nul - 1, &why), -EINVAL);
	CHECK_STR(why.text, "f.csv:2: column 2: \"2?\" is not a number");
	memset(huge, '7', 1 << 20);
	memcpy(huge, "a\n", 2);
	CHECK_EQ(parse(&t, huge, 1 << 20, &why), -EINVAL);
	CHECK(strstr(why.text, "f.csv:2: column 1: \"77777") && strstr(why.text, "777...\""));
	memset(huge, ',', 1 << 20);
	memcpy(huge, "a\n", 2);
	CHECK_EQ(parse(&t, huge, 1 << 20, &why), -EINVAL);
	CHECK_STR(why.text, "f.csv:2: 1048575 cells, the header has 1");
	/* Empty lines must not cost more the more there are of them. */
	memset(huge, '\n', 1 << 20);
	huge[0] = 'a';
	huge[(1 << 20) - 1] = '1';
	CHECK_EQ(parse(&t, huge, 1 << 20, &why), 0);
	CHECK_EQ(t->rows, (1 << 20) - 2);
	table_free(t);
	free(huge);
}

static void files(void)
{
	char path[] = "/tmp/sonde-table-XXXXXX";
	int fd = mkstemp(path);
	struct table *t;
	struct why why;

	CHECK(fd >= 0 && write(fd, "a,b\n1,2\n3,x\n", 12) == 12);
	CHECK_EQ(table_read(&t, path, &why), -EINVAL);
	CHECK(!strncmp(why.text, path, strlen(path)));
	CHECK_STR(why.text + strlen(path), ":3: column 2: \"x\" is not a number");
	CHECK(!ftruncate(fd, 8));
	CHECK_EQ(table_read(&t, path, &why), 0);
	CHECK(t->rows == 1 && t->value[1] == 2);
	table_free(t);
	CHECK(!ftruncate(fd, 0));
	CHECK_EQ(table_read(&t, path, &why), -EINVAL);
	CHECK(strstr(why.text, ": empty"));
	close(fd);
	unlink(path);
	CHECK_EQ(table_read(&t, path, &why), -ENOENT);
	CHECK_EQ(table_read(&t, "/tmp", &why), -EINVAL);
}

/* 1e6 cells as a capture prints them; the bound is for a loaded machine and sanitizers. */
static void speed(void)
{
	char *text = malloc(32 << 20), *p = text;
	struct timespec a, b;
	struct table *t;
	struct why why;
	double took;

	p += sprintf(p, "time,c0,c1,c2,c3,c4,c5,c6,c7,c8,c9\n");
	for (unsigned i = 0; i < 100000; i++) {
		p += sprintf(p, "%.3f", i * 0.02);
		for (unsigned k = 0; k < 10; k++)
			p += sprintf(p, ",%.9g", (double)((float)(i * 31 + k) * 1.2345e-3f));
		*p++ = '\n';
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	CHECK_EQ(table_parse(&t, text, (size_t)(p - text), "f.csv", &why), 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	took = (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
	printf("%.0f ms for 1.1e6 cells\n", took * 1e3);
	CHECK(took < 5);
	CHECK_EQ(t->rows, 100000);
	for (unsigned i = 0; i < 100000; i++)
		for (unsigned k = 0; k < 10; k++)
			CHECK(t->value[i * 10 + k] == (float)(i * 31 + k) * 1.2345e-3f);
	table_free(t);
	free(text);
}

int main(void)
{
	values();
	digest();
	separators();
	roles();
	rates();
	instants();
	numbers();
	texts();
	refusals();
	longest_name();
	binary();
	files();
	speed();
	return 0;
}
