// SPDX-License-Identifier: MIT
/*
 * event: read from the store and not from the daemon, so that what happened can be
 * read while the daemon is wedged or gone. In JSON an event has the fields that it has in
 * io.sonde.Agent.Events.
 */
#include "agent/cli/event.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/cli/link.h"
#include "agent/store.h"
#include "kernels/why.h"

#define LIST_DEFAULT 20

struct list {
	struct cli *c;
	const char *pipeline, *kind;
	int64_t since_ns, until_ns;
	unsigned left;
	sd_json_variant *json;
	int r;
};

const char *event_channels(char *text, size_t size, const char *json)
{
	sd_json_variant *list = NULL;
	size_t used = 0;

	*text = '\0';
	if (sd_json_parse(json, 0, &list, NULL, NULL) < 0 || !sd_json_variant_is_array(list)) {
		sd_json_variant_unref(list);
		return text;
	}
	for (size_t i = 0; i < sd_json_variant_elements(list) && used < size; i++) {
		sd_json_variant *one = sd_json_variant_by_index(list, i);
		sd_json_variant *share = sd_json_variant_by_key(one, "share");

		used += snprintf(text + used, size - used, "%s%s", used ? ", " : "",
				 link_string(one, "name"));
		if (used < size && sd_json_variant_is_number(share))
			used += snprintf(text + used, size - used, " %.0f%%",
					 sd_json_variant_real(share) * 100);
	}
	sd_json_variant_unref(list);
	return text;
}

const char *event_length(char buf[static 16], const struct store_event *e)
{
	if (!e->end_realtime_ns)
		snprintf(buf, 16, "still on");
	else if (e->end_realtime_ns == e->start_realtime_ns)
		snprintf(buf, 16, "-");
	else
		cli_duration(buf, e->end_realtime_ns - e->start_realtime_ns);
	return buf;
}

void event_line(char *text, size_t size, const struct store_event *e)
{
	char channels[400], peak[16], limit[16];
	size_t used;

	event_channels(channels, sizeof(channels), e->channels);
	used = snprintf(text, size, "%s", e->kind);
	if (e->limit && used < size)
		used += snprintf(text + used, size - used, " %s/%s", cli_number(peak, e->peak),
				 cli_number(limit, e->limit));
	if (*channels && used < size)
		used += snprintf(text + used, size - used, "  %s", channels);
	if (*e->detail && used < size)
		used += snprintf(text + used, size - used, "  (%s)", e->detail);
	else if (!e->trusted && used < size)
		used += snprintf(text + used, size - used, "  (not to be trusted)");
}

void event_print(const struct store_event *e)
{
	char start[40], length[16], line[800];

	event_line(line, sizeof(line), e);
	printf("%5lld  %s  %8s  %-12s %s\n", (long long)e->id,
	       cli_time(start, e->start_realtime_ns), event_length(length, e), e->pipeline,
	       cli_utf8(line));
}

static int one_json(sd_json_variant **list, struct store_event *e)
{
	sd_json_variant *channels = NULL;
	int r = 0;

	if (sd_json_parse(e->channels, 0, &channels, NULL, NULL) < 0)
		r = sd_json_build(&channels, SD_JSON_BUILD_EMPTY_ARRAY);
	if (r >= 0)
		r = sd_json_variant_append_arraybo(list,
			SD_JSON_BUILD_PAIR_INTEGER("id", e->id),
			SD_JSON_BUILD_PAIR_STRING("pipeline", cli_utf8(e->pipeline)),
			SD_JSON_BUILD_PAIR_STRING("kind", cli_utf8(e->kind)),
			SD_JSON_BUILD_PAIR_INTEGER("start", e->start_realtime_ns),
			SD_JSON_BUILD_PAIR_CONDITION(e->end_realtime_ns != 0, "end",
						     SD_JSON_BUILD_INTEGER(e->end_realtime_ns)),
			SD_JSON_BUILD_PAIR_REAL("score", cli_float(e->score)),
			SD_JSON_BUILD_PAIR_REAL("limit", cli_float(e->limit)),
			SD_JSON_BUILD_PAIR_REAL("peak", cli_float(e->peak)),
			SD_JSON_BUILD_PAIR_VARIANT("channels", channels),
			SD_JSON_BUILD_PAIR_STRING("detail", cli_utf8(e->detail)),
			SD_JSON_BUILD_PAIR_UNSIGNED("window_rows", e->window_rows),
			SD_JSON_BUILD_PAIR_BOOLEAN("trusted", e->trusted));
	sd_json_variant_unref(channels);
	return r;
}

static int on_event(void *user, const struct store_event *event)
{
	struct list *l = user;
	struct store_event e = *event;

	if (!l->left)
		return 1;
	if ((l->pipeline && strcmp(l->pipeline, e.pipeline)) ||
	    (l->kind && strcmp(l->kind, e.kind)) ||
	    e.start_realtime_ns < l->since_ns || e.start_realtime_ns >= l->until_ns)
		return 0;
	l->left--;
	if (l->c->format == CLI_TEXT)
		event_print(&e);
	else
		l->r = one_json(&l->json, &e);
	return l->r < 0;
}

/* Unix seconds, or -N: so many before now. */
static int time_value(struct cli *c, const char *name, int64_t otherwise, int64_t *ns)
{
	const char *s = cli_value(c, name);
	struct timespec now;
	double v;

	*ns = otherwise;
	if (!s)
		return 0;
	if (!word_number(s, &v) || v > 9e9 || v < -9e9)
		return cli_usage(c, "%s \"%s\": not a number of seconds", name, s);
	clock_gettime(CLOCK_REALTIME, &now);
	*ns = (int64_t)(v * 1e9) + (v < 0 ? now.tv_sec * 1000000000ll + now.tv_nsec : 0);
	return 0;
}

static int open_store(struct cli *c, struct store **s)
{
	char dir[PATH_MAX];
	struct why why = { "" };
	int err;

	link_state_dir(c, dir, sizeof(dir));
	err = store_open(s, dir, true, &why);
	return err ? cli_error(c, "%s", why.text) : 0;
}

int event_list(struct cli *c, int argc, char **argv)
{
	struct list l = { .c = c, .left = LIST_DEFAULT, .kind = cli_value(c, "kind"),
			  .pipeline = cli_value(c, "pipeline") };
	sd_json_variant *v = NULL;
	struct why why = { "" };
	struct store *s = NULL;
	double n;
	int r;

	if (argc && (!word_number(argv[0], &n) || n < 1 || n > UINT_MAX))
		return cli_usage(c, "\"%s\": not a number of events", argv[0]);
	if (argc)
		l.left = n;
	r = time_value(c, "since", INT64_MIN, &l.since_ns);
	if (!r)
		r = time_value(c, "until", INT64_MAX, &l.until_ns);
	if (!r)
		r = open_store(c, &s);
	if (r)
		return r;
	if (store_list(s, UINT_MAX, on_event, &l, &why))
		r = cli_error(c, "%s", why.text);
	store_close(s);
	if (!r && c->format != CLI_TEXT) {
		if (l.r >= 0 && !l.json)
			l.r = sd_json_build(&l.json, SD_JSON_BUILD_EMPTY_ARRAY);
		if (l.r >= 0)
			l.r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_VARIANT("events", l.json));
		r = cli_json(c, l.r, &v);
	}
	sd_json_variant_unref(l.json);
	return r;
}

static int window_json(struct cli *c, int64_t id, const struct store_window *w)
{
	sd_json_variant *names = NULL, *rows = NULL, *values = NULL, *v = NULL;
	int r = sd_json_build(&rows, SD_JSON_BUILD_EMPTY_ARRAY);

	for (unsigned i = 0; r >= 0 && i < w->channels; i++)
		r = sd_json_variant_append_arrayb(&names,
						  SD_JSON_BUILD_STRING(cli_utf8(w->name[i])));
	for (unsigned i = 0; r >= 0 && i < w->rows; i++) {
		const float *row = w->value + (size_t)i * w->channels;

		for (unsigned k = 0; r >= 0 && k < w->channels; k++)
			r = sd_json_variant_append_arrayb(&values, SD_JSON_BUILD_REAL(
				w->valid[i] >> k & 1 ? cli_float(row[k]) : NAN));
		if (r >= 0)
			r = sd_json_variant_append_arraybo(&rows,
				SD_JSON_BUILD_PAIR_UNSIGNED("tick", w->tick[i]),
				SD_JSON_BUILD_PAIR_INTEGER("realtime_ns", w->realtime_ns[i]),
				SD_JSON_BUILD_PAIR_REAL("score", cli_float(w->score[i])),
				SD_JSON_BUILD_PAIR_REAL("limit", cli_float(w->limit[i])),
				SD_JSON_BUILD_PAIR_BOOLEAN("alarm", w->alarm[i]),
				SD_JSON_BUILD_PAIR_VARIANT("values", values));
		values = sd_json_variant_unref(values);
	}
	if (r >= 0)
		r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_INTEGER("event", id),
				   SD_JSON_BUILD_PAIR_VARIANT("channels", names),
				   SD_JSON_BUILD_PAIR_VARIANT("rows", rows));
	sd_json_variant_unref(names);
	sd_json_variant_unref(rows);
	return cli_json(c, r, &v);
}

static void window_csv(const struct store_window *w)
{
	printf("time");
	for (unsigned k = 0; k < w->channels; k++)
		printf(",%s", w->name[k]);
	putchar('\n');
	for (unsigned i = 0; i < w->rows; i++) {
		printf("%.6f", (w->realtime_ns[i] - w->realtime_ns[0]) / 1e9);
		for (unsigned k = 0; k < w->channels; k++) {
			if (w->valid[i] >> k & 1)
				printf(",%.9g", w->value[(size_t)i * w->channels + k]);
			else
				putchar(',');
		}
		putchar('\n');
	}
}

int event_window(struct cli *c, int argc, char **argv)
{
	struct store_window *w = NULL;
	struct why why = { "" };
	struct store *s = NULL;
	double id;
	int r;

	if (!word_number(argv[0], &id) || id < 1 || id > 1e15)
		return cli_usage(c, "\"%s\": not the number of an event", argv[0]);
	r = open_store(c, &s);
	if (r)
		return r;
	if (store_window_read(s, id, &w, &why))
		r = cli_error(c, "%s", why.text);
	else if (c->format == CLI_TEXT)
		window_csv(w);
	else
		r = window_json(c, id, w);
	store_window_free(w);
	store_close(s);
	return r;
}
