// SPDX-License-Identifier: MIT
/*
 * graph_text: a user's graph. Lines are parsed by hand from bytes of known length, for the
 * file is not ours: it may lack a last newline, or hold anything.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/number.h"
#include "models/text.h"
#include "models/train/graph_edges.h"

#define TEXT_MAX (16u << 20)
#define SHOWN 40	/* bytes of a wrong word in a reason */

struct parser {
	const char *at, *end;	/* of the line that is read */
	const char *label;
	unsigned line;
	char (*name)[32];
	unsigned channels;
	struct graph_edge *edge;
	size_t count, room;
	unsigned *joined;	/* [channels] */
	unsigned *given;	/* [channels][channels] line of the pair, a < b */
	struct why *why;
};

struct word {
	const char *text;
	size_t len;
};

#define WRONG(p, ...) why_in((p)->why, why_set((p)->why, -EINVAL, __VA_ARGS__), "%s:%u", \
			     (p)->label, (p)->line)

static int wrong_word(const struct parser *p, struct word w, const char *what)
{
	int len = w.len > SHOWN ? SHOWN : (int)w.len;

	if (!text_printable(w.text, w.len))
		return WRONG(p, "%s", what);
	return WRONG(p, "%.*s%s: %s", len, w.text, w.len > SHOWN ? "..." : "", what);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct parser *p)
{
	while (p->at < p->end && blank(*p->at))
		p->at++;
}

/* The next word of the line; length 0 with text NULL: there is none. */
static int next_word(struct parser *p, struct word *w)
{
	const char *close;

	*w = (struct word){ 0 };
	skip_blanks(p);
	if (p->at == p->end || *p->at == '#')
		return 0;
	w->text = p->at;
	if (*p->at != '"') {
		while (p->at < p->end && !blank(*p->at))
			p->at++;
		w->len = (size_t)(p->at - w->text);
		return 0;
	}
	w->text++;
	close = memchr(w->text, '"', (size_t)(p->end - w->text));
	if (!close)
		return WRONG(p, "a quote is not closed");
	w->len = (size_t)(close - w->text);
	p->at = close + 1;
	if (p->at < p->end && !blank(*p->at))
		return WRONG(p, "a blank is missing behind a quoted name");
	return 0;
}

static int find_channel(struct parser *p, unsigned *out)
{
	struct word w;
	int err = next_word(p, &w);

	if (err)
		return err;
	if (!w.text)
		return WRONG(p, "two channels and a weight are expected");
	for (unsigned i = 0; i < p->channels; i++)
		if (strnlen(p->name[i], sizeof(p->name[i])) == w.len &&
		    !memcmp(p->name[i], w.text, w.len)) {
			*out = i;
			return 0;
		}
	return wrong_word(p, w, "there is no such channel");
}

static int read_weight(struct parser *p, float *out)
{
	struct word w, more;
	double v;
	int err = next_word(p, &w);

	if (err)
		return err;
	if (!w.text)
		return WRONG(p, "the weight is missing");
	if (!number_parse(&v, w.text, w.len) || !isfinite((float)v) || (float)v == 0)
		return wrong_word(p, w, "not a weight (a number other than 0)");
	*out = (float)v;
	err = next_word(p, &more);
	if (!err && more.text)
		err = wrong_word(p, more, "not expected behind the weight");
	return err;
}

/* A pair of known channels, once, where both have room. */
static int check_pair(struct parser *p, const struct graph_edge *e)
{
	unsigned a = e->a < e->b ? e->a : e->b, b = e->a < e->b ? e->b : e->a;
	unsigned *given = &p->given[(size_t)a * p->channels + b];

	if (a == b)
		return WRONG(p, "%.31s: every channel is joined to itself already", p->name[a]);
	if (*given)
		return WRONG(p, "%.31s and %.31s were joined on line %u", p->name[a], p->name[b],
			     *given);
	*given = p->line;
	if (++p->joined[a] > GRAPH_PARTNERS_MAX || ++p->joined[b] > GRAPH_PARTNERS_MAX)
		return WRONG(p, "%.31s: more than %d channels are joined to it",
			     p->name[p->joined[a] > GRAPH_PARTNERS_MAX ? a : b],
			     GRAPH_PARTNERS_MAX);
	return 0;
}

static int keep_edge(struct parser *p, const struct graph_edge *e)
{
	if (p->count == p->room) {
		size_t room = p->room ? 2 * p->room : 64;
		struct graph_edge *more = realloc(p->edge, room * sizeof(*more));

		if (!more)
			return why_set(p->why, -ENOMEM, "out of memory");
		p->edge = more;
		p->room = room;
	}
	p->edge[p->count++] = *e;
	return 0;
}

static int parse_line(struct parser *p)
{
	struct graph_edge e = { 0 };
	int err;

	skip_blanks(p);
	if (p->at == p->end || *p->at == '#')
		return 0;
	err = find_channel(p, &e.a);
	if (!err)
		err = find_channel(p, &e.b);
	if (!err)
		err = read_weight(p, &e.weight);
	if (!err)
		err = check_pair(p, &e);
	return err ? err : keep_edge(p, &e);
}

int graph_parse(struct graph *out, const char *text, size_t len, const char *label,
		char (*name)[32], unsigned channels, struct why *why)
{
	struct parser p = { .label = label, .name = name, .channels = channels, .why = why };
	const char *end = text + len;
	int err = 0;

	*out = (struct graph){ 0 };
	p.joined = calloc((size_t)channels + 1, sizeof(*p.joined));
	p.given = calloc((size_t)channels * channels + 1, sizeof(*p.given));
	if (!p.joined || !p.given)
		err = why_set(why, -ENOMEM, "out of memory");
	while (!err && text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		p.at = text;
		p.end = newline ? newline : end;
		p.line++;
		text = newline ? newline + 1 : end;
		err = parse_line(&p);
	}
	if (!err && graph_edges(out, p.edge, p.count, channels))
		err = why_set(why, -ENOMEM, "out of memory");
	free(p.edge);
	free(p.joined);
	free(p.given);
	return err;
}

static int slurp(char **text, size_t *len, const char *path, struct why *why)
{
	FILE *f = fopen(path, "re");
	int err = 0;

	*text = NULL;
	*len = 0;
	if (!f)
		return why_set(why, -errno, "%s: %m", path);
	*text = malloc(TEXT_MAX);
	if (*text)
		*len = fread(*text, 1, TEXT_MAX, f);
	if (!*text)
		err = why_set(why, -ENOMEM, "out of memory");
	else if (ferror(f))
		err = why_set(why, -errno, "%s: %m", path);
	else if (*len == TEXT_MAX)
		err = why_set(why, -EFBIG, "%s: larger than a graph can be", path);
	fclose(f);
	return err;
}

int graph_read(struct graph *out, const char *path, char (*name)[32], unsigned channels,
	       struct why *why)
{
	size_t len;
	char *text;
	int err = slurp(&text, &len, path, why);

	*out = (struct graph){ 0 };
	if (!err)
		err = graph_parse(out, text, len, path, name, channels, why);
	free(text);
	return err;
}
