/* SPDX-License-Identifier: MIT */
/*
 * page: the stats page as the commands see it: a copy of every pipeline's part and
 * whether anybody is still writing it. No call to the daemon is made, so that a
 * wedged or dead one can be looked at as well.
 */
#ifndef SONDE_CLI_PAGE_H
#define SONDE_CLI_PAGE_H

#include "agent/cli/cli.h"
#include "bpf/stats.h"

struct stats_page;

enum page_life {
	PAGE_RUNNING,
	PAGE_SILENT,	/* the process is there, its heartbeat is old */
	PAGE_DEAD,	/* it is gone and did not say good-bye */
	PAGE_STOPPED,	/* it left in good order */
};

struct page {
	struct stats_page *map;
	unsigned n;			/* pipelines shown, after `pipeline NAME` */
	struct sonde_stats *s;		/* [n] copies */
	unsigned *index;		/* [n] where each is on the page */
	enum page_life life;
	double heartbeat_age_s;
};

/*
 * Attach and copy; on failure the error is printed and CLI_FAILED returned. A daemon
 * that is not running is a remark, not a failure. pipeline: NULL for all.
 */
int page_open(struct cli *c, struct page *p, const char *pipeline);
/* The same without a word: the reason is in text. */
int page_attach(struct cli *c, struct page *p, const char *pipeline, char *text, size_t size);
void page_close(struct page *p);

/* Copy again. */
void page_refresh(struct page *p);

/* "running", "silent", "dead", "stopped", and a sentence for people (text mode). */
const char *page_life(const struct page *p);
void page_sentence(const struct page *p, char *text, size_t size);

/* {"state", "pid", "heartbeat_age_s"}: the "daemon" field of every answer made from the page. */
int page_daemon_json(const struct page *p, sd_json_variant **out);

/* An answer {"daemon": ..., NAME: array}; drops array. r: the result of building it. */
int page_json(struct cli *c, const struct page *p, int r, const char *name,
	      sd_json_variant *array);
/* The same with two arrays; without the second when its name is NULL. */
int page_json_two(struct cli *c, const struct page *p, int r, const char *name,
		  sd_json_variant *array, const char *name2, sd_json_variant *array2);

const char *page_channel_state(unsigned state);
/* enum dev_path: "inline", "poll", "worker", "bus". */
const char *page_path(unsigned path);

/* CLOCK_MONOTONIC now. */
uint64_t page_now_ns(void);

#endif
