/* SPDX-License-Identifier: MIT */
/*
 * daemon: what the parts of main share: one struct daemon, made and taken down
 * in main.c. All of it belongs to the main thread; a pipeline's thread sees none of it.
 */
#ifndef SONDE_DAEMON_H
#define SONDE_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/config.h"
#include "kernels/why.h"

struct control;
struct daemon;
struct pipeline_model;
struct sd_event;
struct store_event;

/* What is worth telling about a model: the model itself belongs to a pipeline's thread. */
struct daemon_model {
	char path[CONFIG_PATH_MAX];
	char name[32], precision[16], kernel[24];
	unsigned channels, hidden, lags;
	uint64_t generation;		/* 0: none */
	uint64_t file_id[3];		/* inode, time of change: has it been replaced? */
};

/* One pipeline, as main sees it. */
struct line {
	struct daemon *daemon;
	struct pipeline_config *config;
	struct sonde_stats *stats;
	struct runner *runner;
	struct events *events;
	struct daemon_model offered, taken;
	struct daemon_model shadow;		/* wanted: path; judging: generation too */
	uint64_t generation, shadow_generation;
	uint64_t ticks, ticks_ns;	/* as last seen, and when they last moved */
	uint64_t limit_key, limit_ticks;	/* of what the limit had learned when last kept, */
	int64_t limit_kept_s;		/* ... when that was, CLOCK_MONOTONIC, */
	int limit_error;		/* ... and why it was not */
};

struct daemon {
	const char *config_path;
	const char *run_dir, *state_dir;	/* of the command line, or NULL */
	bool strict;
	struct config *config;
	struct stats_page *stats;
	bool stats_bpf;
	struct why stats_why, profiler_why;
	struct store *store;
	struct profiler *profiler;
	struct path *path;			/* NULL: not allowed to trace */
	struct control *control;
	struct sd_event *loop;
	struct uevent *uevent;			/* NULL: the kernel tells nothing */
	struct actuator **output;		/* config->outputs of them */
	struct sd_event_source *output_timer, *settle_timer;
	struct line line[CONFIG_PIPELINES_MAX];
	unsigned lines;
	int lock_fd, wake_fd, statm_fd;
	int64_t start_realtime_ns;
};

/* The pipeline of this name; NULL or "": the only one. NULL with the reason: no such. */
struct line *daemon_line(struct daemon *d, const char *name, struct why *why);

/*
 * daemon_model.c: load, match, check, put up for the next tick. On an error the model that
 * is running stays. path NULL: the configured one, STATE_DIR/PIPELINE.safetensors, or the
 * general one; -ENOENT when there is none. line->offered tells what was put up.
 */
int daemon_load_model(struct line *l, const char *path, struct why *why);

/*
 * Have another model judged beside the running one, or, path "", none any more. On an
 * error, also when no model runs, nothing has changed. line->shadow tells.
 */
int daemon_set_shadow(struct line *l, const char *path, struct why *why);

/* The model that runs, under the configuration's limits: what it has seen is kept. */
int daemon_set_limits(struct line *l, struct why *why);
/* A pipeline has taken up what was offered; old is freed. */
void daemon_model_taken(struct line *l, struct pipeline_model *old);
/* Is the file of the running model another one by now? */
bool daemon_model_changed(const struct line *l);

/*
 * daemon_plug.c: what comes and goes. After the loop is there and before the lines are: lines of
 * [output] sections, and the kernel's news of devices. Only memory and configuration fail.
 */
int daemon_plug_open(struct daemon *d, struct why *why);
void daemon_plug_close(struct daemon *d);
/* An alarm of this line has begun or is over. */
void daemon_plug_alarm(struct line *l, bool on);

/* daemon_limit.c: what the limit of this model had learned, for pm, which is about to be offered. */
void daemon_limit_recall(struct line *l, struct pipeline_model *pm);
/* Write what the running one has learned: now; or when it is time, asked about once a second. */
void daemon_limit_keep(struct line *l);
void daemon_limit_tick(struct line *l);

/* Texts collected for somebody: problems of a configuration, what a reload did. */
#define DAEMON_NOTES_MAX 32
struct daemon_notes {
	unsigned n;
	char text[DAEMON_NOTES_MAX][256];
};
void daemon_note(struct daemon_notes *notes, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * daemon_reload.c: read the configuration again and apply what can be changed in a
 * running agent. -EINVAL: it is bad (problems says why) and nothing was changed.
 */
int daemon_reload(struct daemon *d, struct daemon_notes *problems,
		  struct daemon_notes *applied, struct daemon_notes *restart);
/* Command line over configuration. */
void daemon_override(const struct daemon *d, struct config *c);

/* host.c: main's section of the stats page. */
void host_begin(struct line *l);	/* what does not change */
void host_update(struct line *l);	/* once a second */
void host_end(struct line *l);		/* left in good order */

#endif
