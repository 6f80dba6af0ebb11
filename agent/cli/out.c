// SPDX-License-Identifier: MIT
/*
 * out: all that the tool prints which is not a command's own table: errors, JSON and the
 * way numbers are written. libsystemd writes a real with 21 digits and an exponent,
 * which no person wants to read; numbers are rewritten here to the shortest decimal
 * that reads back the same.
 */
#include <ctype.h>
#include <errno.h>
#include <langinfo.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/cli/cli.h"

/* Length of the well-formed UTF-8 character at s (RFC 3629), 0 when it is none. */
static unsigned utf8_length(const unsigned char *s)
{
	unsigned n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 :
		     (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	for (unsigned i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, beyond U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

char *cli_utf8(char *s)
{
	for (unsigned char *p = (unsigned char *)s; *p;) {
		unsigned n = utf8_length(p);

		if (!n || (*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f)
			*p = '?';
		p += n ? n : 1;
	}
	return s;
}

static void print_error(struct cli *c, char *text)
{
	sd_json_variant *v = NULL;

	cli_utf8(text);
	if (c->format == CLI_TEXT)
		fprintf(stderr, "Error: %s\n", text);
	else
		cli_json(c, sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("error", text)), &v);
}

int cli_error(struct cli *c, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	print_error(c, text);
	return CLI_FAILED;
}

int cli_usage(struct cli *c, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	print_error(c, text);
	if (c->format == CLI_TEXT)
		fprintf(stderr, "See: sonde %s%shelp\n", c->object ? c->object->name : "",
			c->object ? " " : "");
	return CLI_USAGE;
}

void cli_note(struct cli *c, const char *format, ...)
{
	va_list ap;

	if (c->format != CLI_TEXT)
		return;
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* The shortest of 6 to 17 digits that gives d again. */
static void shortest(char buf[static 40], double d)
{
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(buf, 40, "%.*g", digits, d);
		if (strtod(buf, NULL) == d)
			return;
	}
}

/* JSON text with each real outside of strings made short. */
static void print_tidy(const char *s)
{
	char number[40], *end;
	bool quoted = false;

	while (*s) {
		if (!quoted && (isdigit(*s) || *s == '-')) {
			size_t n = strspn(s, "0123456789+-.eE");
			double d = strtod(s, &end);

			if (end == s + n && memchr(s, 'e', n)) {
				shortest(number, d);
				fputs(number, stdout);
			} else {
				fwrite(s, 1, n, stdout);
			}
			s += n;
			continue;
		}
		if (quoted && *s == '\\' && s[1])
			putchar(*s++);
		else if (*s == '"')
			quoted = !quoted;
		putchar(*s++);
	}
}

int cli_json(struct cli *c, int r, sd_json_variant **v)
{
	char *text = NULL;

	if (r >= 0)
		r = sd_json_variant_format(*v, c->format == CLI_PRETTY ? SD_JSON_FORMAT_PRETTY :
					      SD_JSON_FORMAT_NEWLINE, &text);
	*v = sd_json_variant_unref(*v);
	if (r < 0) {
		/* Only memory can be short here: what goes in was made UTF-8 before. */
		printf("{\"error\":\"no JSON: %s\"}\n", strerror(-r));
		return CLI_FAILED;
	}
	print_tidy(text);
	if (*text && text[strlen(text) - 1] != '\n')
		putchar('\n');
	free(text);
	return CLI_OK;
}

double cli_float(float f)
{
	char buf[32];

	if (!isfinite(f))
		return f;
	for (int digits = 6; digits < 9; digits++) {
		snprintf(buf, sizeof(buf), "%.*g", digits, f);
		if (strtof(buf, NULL) == f)
			return strtod(buf, NULL);
	}
	snprintf(buf, sizeof(buf), "%.9g", f);
	return strtod(buf, NULL);
}

const char *cli_duration(char buf[static 16], double ns)
{
	static const char *const unit[] = { "ns", "us", "ms", "s" };
	unsigned u = 0;

	while (u < 3 && ns >= 999.5) {
		ns /= 1000;
		u++;
	}
	snprintf(buf, 16, "%.*f %s", u == 0 || ns >= 99.95 ? 0 : ns >= 9.995 ? 1 : 2, ns, unit[u]);
	return buf;
}

const char *cli_time(char buf[static 40], int64_t realtime_ns)
{
	time_t s = realtime_ns / 1000000000;
	char date[24], zone[8];
	struct tm tm;

	localtime_r(&s, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(buf, 40, "%s.%03d%.3s:%s", date, (int)(realtime_ns / 1000000 % 1000), zone,
		 zone + 3);
	return buf;
}

const char *cli_number(char buf[static 16], double v)
{
	double a = fabs(v);
	int digits = a >= 1e4 ? 0 : a >= 1000 ? 1 : a >= 100 ? 2 : a >= 1 ? 3 : 4;

	if (!isfinite(v))
		snprintf(buf, 16, "-");
	else if (a >= 1e7 || (a && a < 1e-3))
		snprintf(buf, 16, "%.3g", v);
	else if (v == rint(v))
		snprintf(buf, 16, "%.0f", v);
	else
		snprintf(buf, 16, "%.*f", digits, v);
	return buf;
}

bool cli_unicode(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}
