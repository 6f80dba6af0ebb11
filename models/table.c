// SPDX-License-Identifier: MIT
/*
 * table: which column is what, and its cells as numbers. Nothing is guessed from
 * values: a file without a header is refused, because a first row eaten as names
 * would go unnoticed. Of several time or label columns one counts, the others are
 * passed over: they are never channels.
 */
#include "models/table.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "kernels/why.h"
#include "models/csv.h"
#include "models/file.h"
#include "models/hash.h"
#include "models/number.h"
#include "models/text.h"
#include "models/when.h"

#define FILE_MAX ((size_t)1 << 31)

enum role { CHANNEL, TIME, LABEL, PASSED_OVER };

struct reading {
	struct csv csv;
	struct table *t;
	unsigned columns;
	uint8_t *role;		/* [columns] */
	double *time;		/* [rows], NULL without a time column */
	size_t room;		/* rows that fit */
	const char *wanted;	/* the label column's name; NULL: a usual one */
};

static bool missing(const struct csv_cell *c)
{
	return !c->len || (c->len == 3 && !strncasecmp(c->s, "nan", 3)) ||
	       (c->len == 2 && !strncasecmp(c->s, "na", 2));
}

/*
 * 0 for a name that is none of a kind; else the lower the number the rather it
 * is the one that counts. "changepoint" marks moments, the others stretches of time.
 */
static unsigned rank(const char *name, enum role kind)
{
	static const char *const names[][4] = {
		[TIME] = { "time", "timestamp", "datetime", "date" },
		[LABEL] = { "label", "anomaly", "is_anomaly", "changepoint" },
	};

	for (unsigned i = 0; i < 4; i++)
		if (!strcasecmp(name, names[kind][i]))
			return i + 1;
	return 0;
}

/* Of all columns of a kind one keeps the role. */
static void assign(struct reading *r, enum role kind)
{
	unsigned best = 0, best_rank = 0;

	for (unsigned i = 0; i < r->columns; i++) {
		unsigned k = rank(r->t->name[i], kind);

		if (!k)
			continue;
		r->role[i] = PASSED_OVER;
		if (!best_rank || k < best_rank) {
			best = i;
			best_rank = k;
		}
	}
	if (best_rank)
		r->role[best] = kind;
}

static int take_name(struct reading *r, unsigned column, const struct csv_cell *cell)
{
	char *name = r->t->name[column], shown[CSV_SHOWN];
	size_t n = 0;

	if (!cell->len)
		return why_set(r->csv.why, -EINVAL, "%s:1: column %u has no name", r->csv.label,
			       column + 1);
	for (size_t i = 0; i < cell->len && n < sizeof *r->t->name; i++) {
		name[n++] = cell->s[i];
		i += cell->doubled && cell->s[i] == '"';
	}
	if (n >= sizeof *r->t->name)
		return why_set(r->csv.why, -EINVAL, "%s:1: the name of column %u is longer than "
			       "%zu bytes: %s", r->csv.label, column + 1, sizeof *r->t->name - 1,
			       csv_shown(shown, cell));
	if (!text_printable(name, n))
		return why_set(r->csv.why, -EINVAL, "%s:1: the name of column %u is not printable "
			       "text: %s", r->csv.label, column + 1, csv_shown(shown, cell));
	name[n] = '\0';
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_duplicates(struct reading *r)
{
	char **sorted = malloc(r->columns * sizeof *sorted);
	int err = 0;

	if (!sorted)
		return why_set(r->csv.why, -ENOMEM, "%s: no memory", r->csv.label);
	for (unsigned i = 0; i < r->columns; i++)
		sorted[i] = r->t->name[i];
	qsort(sorted, r->columns, sizeof *sorted, by_name);
	for (unsigned i = 1; i < r->columns && !err; i++)
		if (!strcmp(sorted[i - 1], sorted[i]))
			err = why_set(r->csv.why, -EINVAL, "%s:1: two columns have the name %s",
				      r->csv.label, sorted[i]);
	free(sorted);
	return err;
}

/* First pass over line 1: how many columns, and is it a header at all? */
static int look_at_header(struct reading *r)
{
	struct csv c = r->csv;
	struct csv_cell cell;
	unsigned numbers = 0, empty = 0;
	double d;
	int more;

	do {
		more = csv_cell(&c, &cell);
		if (more < 0)
			return more;
		r->columns++;
		empty += missing(&cell);
		numbers += number_parse(&d, cell.s, cell.len) || when_is_date(cell.s, cell.len);
	} while (more);
	if (numbers && numbers + empty == r->columns)
		return why_set(r->csv.why, -EINVAL, "%s:1: no header: the first row is all numbers",
			       r->csv.label);
	return 0;
}

/* The column the caller named is the label; the usual ones keep being no channels. */
static int choose_label(struct reading *r)
{
	bool found = false;

	assign(r, LABEL);
	if (!r->wanted)
		return 0;
	for (unsigned i = 0; i < r->columns; i++) {
		bool is = !strcmp(r->t->name[i], r->wanted);

		if (is || r->role[i] == LABEL)
			r->role[i] = is ? LABEL : PASSED_OVER;
		found |= is;
	}
	return found ? 0 : why_set(r->csv.why, -EINVAL, "%s:1: no column %s", r->csv.label,
				   r->wanted);
}

static int read_header(struct reading *r)
{
	struct csv_cell cell;
	unsigned channels = 0;
	int err;

	err = look_at_header(r);
	if (err)
		return err;
	r->t->name = calloc(r->columns, sizeof *r->t->name);
	r->role = calloc(r->columns, sizeof *r->role);
	if (!r->t->name || !r->role)
		return why_set(r->csv.why, -ENOMEM, "%s: no memory", r->csv.label);
	for (unsigned i = 0; i < r->columns; i++) {
		csv_cell(&r->csv, &cell);
		err = take_name(r, i, &cell);
		if (err)
			return err;
	}
	err = check_duplicates(r);
	if (err)
		return err;
	assign(r, TIME);
	err = choose_label(r);
	if (err)
		return err;
	for (unsigned i = 0; i < r->columns; i++)
		if (r->role[i] == CHANNEL)
			memmove(r->t->name[channels++], r->t->name[i], sizeof *r->t->name);
	r->t->channels = channels;
	if (!channels)
		return why_set(r->csv.why, -EINVAL, "%s:1: no column but times and labels",
			       r->csv.label);
	return 0;
}

static bool has(const struct reading *r, enum role role)
{
	return memchr(r->role, (int)role, r->columns);
}

/* Every row takes at least a byte a column, so the file's size bounds the rows. */
static int make_room(struct reading *r)
{
	size_t left = (size_t)(r->csv.end - r->csv.p);
	struct table *t = r->t;

	r->room = left / r->columns + 1;
	t->value = malloc(r->room * t->channels * sizeof *t->value);
	if (has(r, LABEL))
		t->label = malloc(r->room);
	if (has(r, TIME))
		r->time = malloc(r->room * sizeof *r->time);
	if (!t->value || (has(r, LABEL) && !t->label) || (has(r, TIME) && !r->time))
		return why_set(r->csv.why, -ENOMEM, "%s: no memory for up to %zu rows",
			       r->csv.label, r->room);
	return 0;
}

/* line: of the row, as csv.line has moved on behind its last cell. */
static int bad_cell(struct reading *r, unsigned line, unsigned column, const struct csv_cell *cell,
		    const char *message)
{
	char shown[CSV_SHOWN];

	return why_set(r->csv.why, -EINVAL, "%s:%u: column %u: \"%s\" %s", r->csv.label, line,
		       column + 1, csv_shown(shown, cell), message);
}

static int take_value(struct reading *r, unsigned line, unsigned column,
		      const struct csv_cell *cell, float *out)
{
	double d;

	if (missing(cell)) {
		*out = NAN;
		return 0;
	}
	if (!number_parse(&d, cell->s, cell->len))
		return bad_cell(r, line, column, cell, "is not a number");
	if (!(fabs(d) <= FLT_MAX))
		return bad_cell(r, line, column, cell, "is too large");
	*out = (float)d;
	return 0;
}

static int take_label(struct reading *r, unsigned line, unsigned column,
		      const struct csv_cell *cell, uint8_t *out)
{
	double d = 0;

	if (cell->len == 4 && !strncasecmp(cell->s, "true", 4))
		d = 1;
	else if (!missing(cell) && !(cell->len == 5 && !strncasecmp(cell->s, "false", 5)) &&
		 !number_parse(&d, cell->s, cell->len))
		return bad_cell(r, line, column, cell, "is not a label, 0 or 1");
	*out = d != 0;
	return 0;
}

static int take_cell(struct reading *r, unsigned line, unsigned column,
		     const struct csv_cell *cell, float **value)
{
	unsigned row = r->t->rows;

	switch (r->role[column]) {
	case CHANNEL:
		return take_value(r, line, column, cell, (*value)++);
	case LABEL:
		return take_label(r, line, column, cell, &r->t->label[row]);
	case TIME:
		if (missing(cell))
			r->time[row] = NAN;
		else if (!when_parse(&r->time[row], cell->s, cell->len))
			return bad_cell(r, line, column, cell, "is not a time");
	}
	return 0;
}

static int read_row(struct reading *r)
{
	float *value = r->t->value + (size_t)r->t->rows * r->t->channels;
	unsigned column = 0, line = r->csv.line;
	struct csv_cell cell;
	int more, err;

	do {
		more = csv_cell(&r->csv, &cell);
		if (more < 0)
			return more;
		if (column < r->columns) {
			err = take_cell(r, line, column, &cell, &value);
			if (err)
				return err;
		}
		column++;
	} while (more);
	if (column != r->columns)
		return why_set(r->csv.why, -EINVAL, "%s:%u: %u cells, the header has %u",
			       r->csv.label, line, column, r->columns);
	r->t->rows++;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/*
 * One over the median step. Stamps cut to whole seconds repeat, so that the
 * median says nothing: then the mean. Overwrites r->time.
 */
static double rate(struct reading *r)
{
	double first = NAN, last = NAN, step;
	unsigned n = 0;

	for (unsigned i = 0; r->time && i < r->t->rows; i++) {
		double now = r->time[i];

		if (isnan(now))
			continue;
		if (isnan(first))
			first = now;
		else
			r->time[n++] = now - last;
		last = now;
	}
	if (!n)
		return 0;
	qsort(r->time, n, sizeof *r->time, by_value);
	step = (r->time[(n - 1) / 2] + r->time[n / 2]) / 2;
	if (step <= 0)
		step = (last - first) / n;
	return step > 0 && isfinite(1 / step) ? 1 / step : 0;
}

static int parse(struct reading *r)
{
	int err;

	if (r->csv.p == r->csv.end)
		return why_set(r->csv.why, -EINVAL, "%s: empty", r->csv.label);
	err = read_header(r);
	if (!err)
		err = make_room(r);
	while (!err && r->csv.p < r->csv.end)
		err = read_row(r);
	if (err)
		return err;
	if (!r->t->rows)
		return why_set(r->csv.why, -EINVAL, "%s: no rows below the header", r->csv.label);
	r->t->rate_hz = rate(r);
	return 0;
}

static int read_all(struct table **out, const char *data, size_t len, const char *label,
		    const char *wanted, struct why *why)
{
	struct reading r = { .t = calloc(1, sizeof *r.t), .wanted = wanted };
	int err;

	if (!r.t)
		return why_set(why, -ENOMEM, "%s: no memory", label);
	csv_open(&r.csv, data, len, label, why);
	err = parse(&r);
	free(r.role);
	free(r.time);
	if (err) {
		table_free(r.t);
		return err;
	}
	hash_sha256(r.t->sha256, data, len);
	*out = r.t;
	return 0;
}

int table_parse(struct table **out, const char *data, size_t len, const char *label,
		struct why *why)
{
	return read_all(out, data, len, label, NULL, why);
}

int table_read(struct table **out, const char *path, struct why *why)
{
	return table_read_label(out, path, NULL, why);
}

int table_read_label(struct table **out, const char *path, const char *column, struct why *why)
{
	const void *data;
	size_t len;
	int err;

	err = file_read(&data, &len, path, FILE_MAX, why);
	if (err)
		return err;
	err = read_all(out, data, len, path, column, why);
	file_free(data, len);
	return err;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	free(t->name);
	free(t->value);
	free(t->label);
	free(t);
}
