// SPDX-License-Identifier: MIT
/*
 * config_value: what a value in a configuration may look like. One table-driven
 * function turns text into a field; a number without its unit is refused, since
 * "rate = 50" has been both a frequency and a period in other people's files.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_raw.h"
#include "kernels/why.h"

struct unit {
	const char *name;
	double factor;
};

static const struct unit hertz[] = {
	{ "Hz", 1 }, { "kHz", 1e3 }, { "mHz", 1e-3 }, { NULL }
};
static const struct unit seconds[] = {
	{ "s", 1 }, { "ms", 1e-3 }, { "us", 1e-6 }, { "min", 60 }, { "h", 3600 },
	{ "day", 86400 }, { "days", 86400 }, { NULL }
};
static const struct unit per_day[] = {
	{ "/day", 1 }, { "/hour", 24 }, { "/week", 1.0 / 7 }, { "/month", 1.0 / 30 }, { NULL }
};
static const struct unit count[] = { { "", 1 }, { NULL } };

/* A number and its unit. printed: how the units are told to a person. */
static int quantity(const char *s, const struct unit *units, const char *printed, double *v,
		    struct why *why)
{
	char *rest;
	double number;

	/* strtod also takes hexadecimal, "inf" and "nan": nobody means those here. */
	if (!isdigit((unsigned char)s[strspn(s, "+-.")]) || strpbrk(s, "xX"))
		return why_set(why, -EINVAL, "not a number%s%s", *printed ? " with a unit: " : "",
			       printed);
	number = strtod(s, &rest);
	if (!isfinite(number))
		return why_set(why, -EINVAL, "too large");
	rest += strspn(rest, " \t");
	for (; units->name; units++)
		if (!strcmp(units->name, rest)) {
			*v = number * units->factor;
			return 0;
		}
	if (!*rest)
		return why_set(why, -EINVAL, "a unit is missing: %s", printed);
	if (!*printed)
		return why_set(why, -EINVAL, "\"%s\" after the number", rest);
	return why_set(why, -EINVAL, "\"%s\" is no unit here: %s", rest, printed);
}

static int in_range(const struct rule *r, double v, const char *unit, struct why *why)
{
	if (v >= r->min && v <= r->max)
		return 0;
	return why_set(why, -ERANGE, "not between %g%s and %g%s", r->min, unit, r->max, unit);
}

static int set_quantity(const struct rule *r, const char *value, const struct unit *units,
			const char *printed, const char *base, double *v, struct why *why)
{
	double got;
	int err = quantity(value, units, printed, &got, why);

	if (!err)
		err = in_range(r, got, base, why);
	if (!err)
		*v = got;
	return err;
}

/* choices: the word that stands for 0, or NULL. */
static int set_seconds(const struct rule *r, const char *value, double *v, struct why *why)
{
	if (r->choices && !strcmp(value, r->choices)) {
		*v = 0;
		return 0;
	}
	return set_quantity(r, value, seconds, r->choices ? "off; or us, ms, s, min, h or day" :
			    "us, ms, s, min, h or day", " s", v, why);
}

static int set_int(const struct rule *r, const char *value, int *v, struct why *why)
{
	double got;
	int err = set_quantity(r, value, count, "", "", &got, why);

	if (err)
		return err;
	if (got != floor(got))
		return why_set(why, -EINVAL, "not a whole number");
	*v = (int)got;
	return 0;
}

static int set_text(const struct rule *r, const char *value, char *v, struct why *why)
{
	size_t n = strlen(value);

	if (!n)
		return why_set(why, -EINVAL, "nothing after the =");
	if (n >= r->size)
		return why_set(why, -EINVAL, "longer than %zu bytes", r->size - 1);
	if (r->type == RULE_PATH && *value != '/')
		return why_set(why, -EINVAL, "a path must begin with /");
	memcpy(v, value, n + 1);
	return 0;
}

/* choices reads "a, b or c"; each of the words may be said. */
static int set_choice(const struct rule *r, const char *value, char *v, struct why *why)
{
	size_t n = strlen(value);

	for (const char *c = r->choices; *c; c += strspn(c, ", ")) {
		size_t word = strcspn(c, ", ");

		if (word == n && !strncmp(c, value, n) && strcmp(value, "or"))
			return set_text(r, value, v, why);
		c += word;
	}
	return why_set(why, -EINVAL, "must be %s", r->choices);
}

static int set_flag(const char *value, bool *v, struct why *why)
{
	static const char *const words[] = { "no", "off", "false", "0", "yes", "on", "true", "1" };

	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(value, words[i])) {
			*v = i >= 4;
			return 0;
		}
	return why_set(why, -EINVAL, "must be yes or no");
}

static int set_core(const struct rule *r, const char *value, int *v, struct why *why)
{
	if (!strcmp(value, "last") || !strcmp(value, "none")) {
		*v = *value == 'l' ? CORE_LAST : CORE_NONE;
		return 0;
	}
	if (!isdigit((unsigned char)*value))
		return why_set(why, -EINVAL, "must be last, none or the number of a core");
	return set_int(r, value, v, why);
}

static int set_k_of_n(const char *value, unsigned *v, struct why *why)
{
	unsigned k, n;
	int end = -1;

	if (sscanf(value, "%3u of %3u%n", &k, &n, &end) != 2 || end < 0 || value[end] ||
	    !isdigit((unsigned char)*value))
		return why_set(why, -EINVAL, "must read K of N, as in 5 of 8");
	if (k < 1 || k > n || n > 64)
		return why_set(why, -ERANGE, "K of N needs 1 <= K <= N <= 64");
	v[0] = k;
	v[1] = n;
	return 0;
}

static int set_wrap(const char *value, double *v, struct why *why)
{
	unsigned bits;
	int end = -1;

	if (!strcmp(value, "none")) {
		*v = 0;
		return 0;
	}
	if (sscanf(value, "%3u bit%n", &bits, &end) != 1 || end < 0 || value[end] ||
	    !isdigit((unsigned char)*value))
		return why_set(why, -EINVAL, "must be none or a width, as in 32 bit");
	if (bits < 8 || bits > 64)
		return why_set(why, -ERANGE, "a counter has 8 to 64 bits");
	*v = ldexp(1, bits);
	return 0;
}

/* 0x48 or 72. */
static int set_address(const struct rule *r, const char *value, unsigned *v, struct why *why)
{
	char *end;
	unsigned long n;

	if (!isdigit((unsigned char)*value))
		return why_set(why, -EINVAL, "not a number");
	n = strtoul(value, &end, strncasecmp(value, "0x", 2) ? 10 : 16);
	if (*end)
		return why_set(why, -EINVAL, "\"%s\" after the number", end);
	if (n < r->min || n > r->max)
		return why_set(why, -ERANGE, "not between 0x%02x and 0x%02x", (unsigned)r->min,
			       (unsigned)r->max);
	*v = (unsigned)n;
	return 0;
}

/* "MIN..MAX" */
static int set_range(const char *value, float *v, struct why *why)
{
	const char *dots = strstr(value, "..");
	char low[32];
	double min, max;
	int err;

	if (!dots || (size_t)(dots - value) >= sizeof low)
		return why_set(why, -EINVAL, "must read MIN..MAX, as in -40..125");
	snprintf(low, sizeof low, "%.*s", (int)(dots - value), value);
	low[strcspn(low, " \t")] = '\0';
	dots += 2 + strspn(dots + 2, " \t");
	if (*dots == '.')
		return why_set(why, -EINVAL, "must read MIN..MAX, as in -40..125");
	err = quantity(low, count, "", &min, why);
	if (!err)
		err = quantity(dots, count, "", &max, why);
	if (err)
		return err;
	if (!(min < max))
		return why_set(why, -ERANGE, "the second number must be the larger one");
	v[0] = (float)min;
	v[1] = (float)max;
	return 0;
}

int rule_apply(const struct rule *r, void *target, const char *value, struct why *why)
{
	void *field = (char *)target + r->offset;

	switch (r->type) {
	case RULE_TEXT:
	case RULE_PATH:
		return set_text(r, value, field, why);
	case RULE_CHOICE:
		return set_choice(r, value, field, why);
	case RULE_NUMBER:
		return set_quantity(r, value, count, "", "", field, why);
	case RULE_COUNT:
		return set_int(r, value, field, why);
	case RULE_FLAG:
		return set_flag(value, field, why);
	case RULE_HERTZ:
		return set_quantity(r, value, hertz, "Hz, kHz or mHz", " Hz", field, why);
	case RULE_SECONDS:
		return set_seconds(r, value, field, why);
	case RULE_PER_DAY:
		return set_quantity(r, value, per_day, "/hour, /day, /week or /month", "/day",
				    field, why);
	case RULE_CORE:
		return set_core(r, value, field, why);
	case RULE_K_OF_N:
		return set_k_of_n(value, field, why);
	case RULE_WRAP:
		return set_wrap(value, field, why);
	case RULE_ADDRESS:
		return set_address(r, value, field, why);
	case RULE_RANGE:
		return set_range(value, field, why);
	}
	return -EINVAL;
}

static const struct rule *rule_find(const struct rule *rules, unsigned n, const char *key)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(rules[i].key, key))
			return &rules[i];
	return NULL;
}

#define RULES_MAX 48

void rules_apply(struct raw *raw, struct raw_section *s, const struct rule *rules,
		 unsigned n, void *target, rules_other *others, void *user)
{
	const char *names[RULES_MAX + 1] = { NULL };

	for (unsigned i = 0; i < n && i < RULES_MAX; i++)
		names[i] = rules[i].key;
	for (unsigned i = 0; i < s->keys; i++) {
		struct raw_key *k = &s->key[i];
		const struct rule *r = rule_find(rules, n, k->name);
		const char *guess;
		struct why why;
		int err;

		err = r ? rule_apply(r, target, k->value, &why)
			: others ? others(user, k, &why) : -ENOENT;
		k->used = err != -ENOENT;
		if (!r && err == -ENOENT) {
			guess = nearest(k->name, names);
			raw_error(raw, &k->at, "%s = %s: [%s] has no key of this name%s%s%s",
				  k->name, k->value, s->kind, guess ? "; did you mean " : "",
				  guess ? guess : "", guess ? "?" : "");
		} else if (err) {
			raw_error(raw, &k->at, "%s = %s: %s", k->name, k->value, why.text);
		}
	}
}

int name_check(const char *name, bool dots, struct why *why)
{
	const char *more = dots ? "_-." : "_-";

	if (!*name)
		return why_set(why, -EINVAL, "an empty name");
	if (strlen(name) >= CONFIG_NAME_MAX)
		return why_set(why, -EINVAL, "a name has no more than %d characters",
			       CONFIG_NAME_MAX - 1);
	for (const char *c = name; *c; c++)
		if (!isascii((unsigned char)*c) ||
		    (!isalnum((unsigned char)*c) && !strchr(more, *c)))
			return why_set(why, -EINVAL, "a name is made of letters, digits%s _ and -",
				       dots ? ", ." : ",");
	return 0;
}

/* Levenshtein's distance, of words too short to care about its cost. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[64], n = strlen(b);

	if (n >= 64 || strlen(a) >= 64)
		return 64;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; *a; a++, i++) {
		unsigned corner = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned cost = corner + (*a != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < cost)
				cost = row[j] + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
		}
	}
	return row[n];
}

const char *nearest(const char *word, const char *const *list)
{
	const char *best = NULL;
	unsigned least = 3;

	for (; *list; list++) {
		unsigned d = distance(word, *list);

		if (d < least && d < strlen(*list)) {
			least = d;
			best = *list;
		}
	}
	return best;
}
