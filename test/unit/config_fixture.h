/* SPDX-License-Identifier: MIT */
/* A configuration from text, what is reported of it, and the one mistake that it must have. */
#ifndef SONDE_CONFIG_FIXTURE_H
#define SONDE_CONFIG_FIXTURE_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/config.h"
#include "test/test.h"

#define REPORTS_MAX 64

static char folder[] = "/tmp/sonde-config-XXXXXX";
static char file[256];
static struct {
	unsigned n, errors;
	char text[REPORTS_MAX][1600];
} reports;

static void take(void *user, bool error, const char *text)
{
	CHECK(reports.n < REPORTS_MAX);
	CHECK(user == folder);
	snprintf(reports.text[reports.n++], sizeof reports.text[0], "%s", text);
	reports.errors += error;
}

static void write_file(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "w");

	CHECK(f);
	CHECK(fwrite(text, 1, n, f) == n);
	CHECK(!fclose(f));
}

static struct config *load_bytes(const char *text, size_t n, bool strict, int want)
{
	struct config *c;
	int err;

	memset(&reports, 0, sizeof reports);
	write_file(file, text, n);
	err = config_load(&c, file, strict, take, folder);
	if (err != want)
		for (unsigned i = 0; i < reports.n; i++)
			fprintf(stderr, "%s\n", reports.text[i]);
	CHECK_EQ(err, want);
	CHECK(!c == !!want);
	CHECK(!reports.errors == !want);
	return c;
}

__attribute__((unused)) static struct config *load(const char *text)
{
	return load_bytes(text, strlen(text), false, 0);
}

/* The configuration has exactly this mistake, in this line. "..." at the end: whatever follows. */
__attribute__((unused)) static void refuse(int line, const char *message, const char *text)
{
	size_t n = strlen(message);
	char want[1600];

	load_bytes(text, strlen(text), false, -EINVAL);
	snprintf(want, sizeof want, "%s:%d: %s", file, line, message);
	if (n > 3 && !strcmp(message + n - 3, "...")) {
		n = strlen(want) - 3;
		want[n] = reports.text[0][n < strlen(reports.text[0]) ? n : 0] = '\0';
	}
	CHECK_STR(reports.text[0], want);
	CHECK_EQ(reports.n, 1);
}

#define PIPELINE "[pipeline p]\n"
#define SENSOR "[sensor s]\npipeline=p\nkind=sysfs\npath=/proc/stat\n"

#endif
