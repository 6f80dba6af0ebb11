// SPDX-License-Identifier: MIT
/*
 * latency: the histograms of the stats page as text. Buckets are a quarter of an octave; when
 * those that are filled would not fit on a screen they are drawn an octave a line.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "agent/cli/page.h"
#include "agent/stats.h"

#define LINES_MAX 32
#define BAR 40

static const struct kind {
	const char *name, *what;
	bool host;
	size_t offset;
} kinds[] = {
	{ "latency", "tick's time to verdict", false, offsetof(struct sonde_tick, latency) },
	{ "lateness", "tick's time to the thread running", false,
	  offsetof(struct sonde_tick, lateness) },
	{ "step", "decoding, model and verdict", false, offsetof(struct sonde_tick, step) },
	{ "wakeup", "runnable to running", true, offsetof(struct sonde_host, wakeup) },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static const char *kind_name(const void *from, unsigned i)
{
	return i < KINDS ? kinds[i].name : NULL;
}

static const struct sonde_hist *histogram(const struct sonde_stats *s, unsigned k)
{
	const char *base = kinds[k].host ? (const char *)&s->host : (const char *)&s->tick;

	return (const struct sonde_hist *)(base + kinds[k].offset);
}

static void draw_bar(double part)
{
	unsigned eighths = part * BAR * 8, full;

	if (part > 0 && !eighths)
		eighths = 1;
	full = cli_unicode() ? eighths / 8 : (eighths + 7) / 8;
	for (unsigned i = 0; i < full; i++)
		fputs(cli_unicode() ? "\u2588" : "#", stdout);
	if (cli_unicode() && eighths % 8)
		printf("\xe2\x96%c", (char)(0x90 - eighths % 8));	/* U+2590 - n */
}

static void draw(const struct sonde_hist *h)
{
	unsigned first = SONDE_HIST_BUCKETS, last = 0, step = 1;
	unsigned long long most = 0;
	char from[16], to[16];

	for (unsigned i = 0; i < SONDE_HIST_BUCKETS; i++)
		if (h->bucket[i]) {
			first = first < i ? first : i;
			last = i;
		}
	if (first == SONDE_HIST_BUCKETS)
		return;
	if (last - first + 1 > LINES_MAX) {
		step = 4;
		first -= first % step;
	}
	for (int pass = 0; pass < 2; pass++)
		for (unsigned i = first; i <= last; i += step) {
			unsigned long long n = 0;

			for (unsigned k = i; k < i + step && k < SONDE_HIST_BUCKETS; k++)
				n += h->bucket[k];
			if (!pass) {
				most = n > most ? n : most;
				continue;
			}
			printf("  %8s .. %8s %10llu ", cli_duration(from, stats_bucket_floor(i)),
			       i + step < SONDE_HIST_BUCKETS ?
			       cli_duration(to, stats_bucket_floor(i + step)) : "", n);
			draw_bar((double)n / most);
			putchar('\n');
		}
}

static void summary(const struct kind *k, const struct sonde_hist *h)
{
	char p50[16], p99[16], p999[16], max[16];

	if (!h->count) {
		printf("  %-9s %10s  (%s)\n", k->name, "none", k->what);
		return;
	}
	printf("  %-9s %10llu %9s %9s %9s %9s  %s\n", k->name, h->count,
	       cli_duration(p50, stats_hist_quantile(h, 0.5)),
	       cli_duration(p99, stats_hist_quantile(h, 0.99)),
	       cli_duration(p999, stats_hist_quantile(h, 0.999)), cli_duration(max, h->max_ns),
	       k->what);
}

static void latency_text(const struct sonde_stats *s, unsigned shown)
{
	char at[16];

	printf("%s:\n  %-9s %10s %9s %9s %9s %9s\n", s->host.name, "", "count", "p50", "p99",
	       "p99.9", "max");
	for (unsigned k = 0; k < KINDS; k++)
		summary(&kinds[k], histogram(s, k));
	if (s->host.worst_ns)
		printf("  longest wait %s, while %s (%u) ran\n", cli_duration(at, s->host.worst_ns),
		       s->host.worst_comm, s->host.worst_pid);
	printf("\n%s (%s):\n", kinds[shown].name, kinds[shown].what);
	draw(histogram(s, shown));
}

static int histogram_json(sd_json_variant **out, const struct sonde_hist *h)
{
	sd_json_variant *buckets = NULL;
	int r = sd_json_build(&buckets, SD_JSON_BUILD_EMPTY_ARRAY);

	for (unsigned i = 0; r >= 0 && i < SONDE_HIST_BUCKETS; i++)
		if (h->bucket[i])
			r = sd_json_variant_append_arraybo(&buckets,
				SD_JSON_BUILD_PAIR_UNSIGNED("from_ns", stats_bucket_floor(i)),
				SD_JSON_BUILD_PAIR_UNSIGNED("count", h->bucket[i]));
	if (r >= 0)
		r = sd_json_buildo(out, SD_JSON_BUILD_PAIR_UNSIGNED("count", h->count),
			SD_JSON_BUILD_PAIR_UNSIGNED("sum_ns", h->sum_ns),
			SD_JSON_BUILD_PAIR_UNSIGNED("p50_ns", stats_hist_quantile(h, 0.5)),
			SD_JSON_BUILD_PAIR_UNSIGNED("p99_ns", stats_hist_quantile(h, 0.99)),
			SD_JSON_BUILD_PAIR_UNSIGNED("p999_ns", stats_hist_quantile(h, 0.999)),
			SD_JSON_BUILD_PAIR_UNSIGNED("max_ns", h->max_ns),
			SD_JSON_BUILD_PAIR_VARIANT("buckets", buckets));
	sd_json_variant_unref(buckets);
	return r;
}

static int latency_json(sd_json_variant **list, const struct sonde_stats *s, int only)
{
	sd_json_variant *v = NULL, *one = NULL;
	int r = sd_json_variant_set_field_string(&v, "pipeline", s->host.name);

	for (unsigned k = 0; r >= 0 && k < KINDS; k++) {
		if (only >= 0 && (unsigned)only != k)
			continue;
		r = histogram_json(&one, histogram(s, k));
		if (r >= 0)
			r = sd_json_variant_set_field(&v, kinds[k].name, one);
		one = sd_json_variant_unref(one);
	}
	if (r >= 0)
		r = sd_json_variant_append_array(list, v);
	sd_json_variant_unref(v);
	return r;
}

int latency_show(struct cli *c, int argc, char **argv)
{
	sd_json_variant *list = NULL;
	char text[200];
	struct page p;
	int only = -1, r;

	if (argc) {
		only = word_find(argv[0], kind_name, NULL, "histogram", text, sizeof(text));
		if (only < 0)
			return cli_usage(c, "%s", text);
	}
	r = page_open(c, &p, cli_value(c, "pipeline"));
	if (r)
		return r;
	for (unsigned i = 0; r >= 0 && i < p.n; i++) {
		if (c->format == CLI_TEXT)
			latency_text(&p.s[i], only < 0 ? 0 : only);
		else
			r = latency_json(&list, &p.s[i], only);
	}
	if (c->format != CLI_TEXT)
		r = page_json(c, &p, r, "latencies", list);
	page_close(&p);
	return r;
}
