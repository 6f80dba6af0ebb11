// SPDX-License-Identifier: MIT
/*
 * sonded: the daemon. main() reads from top to bottom in the order in which the
 * agent comes up; what is up is taken down in the opposite order. The loop is in
 * loop.c: it owns all that may block, so that no pipeline ever does.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/control.h"
#include "agent/daemon.h"
#include "agent/events.h"
#include "agent/log.h"
#include "agent/loop.h"
#include "agent/path.h"
#include "agent/profiler.h"
#include "agent/rights.h"
#include "agent/runner.h"
#include "agent/stats.h"
#include "agent/store.h"
#include "agent/version.h"

static const char usage[] =
	"Usage: sonded [OPTION]...\n"
	"Reads this machine's sensors and says when it stops behaving as usual.\n"
	"\n"
	"  -c, --config FILE     configuration (" CONFIG_DEFAULT_PATH ")\n"
	"      --check-config    report every mistake in it, and exit\n"
	"      --strict          a device or model that is not there is a mistake\n"
	"      --run-dir DIR     socket and statistics; instead of the configured one\n"
	"      --state-dir DIR   events, captures and models; likewise\n"
	"  -h, --help\n"
	"  -V, --version\n";

struct options {
	const char *config;
	bool check;
};

/* -1: go on; otherwise the exit status. */
static int options_read(int argc, char **argv, struct options *o, struct daemon *d)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 'k' },
		{ "strict", no_argument, NULL, 's' },
		{ "run-dir", required_argument, NULL, 'r' },
		{ "state-dir", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:hV", longs, NULL)) >= 0) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'k':
			o->check = true;
			break;
		case 's':
			d->strict = true;
			break;
		case 'r':
			d->run_dir = optarg;
			break;
		case 't':
			d->state_dir = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			puts("sonded " SONDE_VERSION);
			return 0;
		default:
			fputs("Try 'sonded --help'.\n", stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sonded: \"%s\": there are only options\nTry 'sonded --help'.\n",
			argv[optind]);
		return 2;
	}
	if ((d->run_dir && strlen(d->run_dir) >= CONFIG_PATH_MAX) ||
	    (d->state_dir && strlen(d->state_dir) >= CONFIG_PATH_MAX)) {
		fputs("sonded: a directory's name is too long\n", stderr);
		return 2;
	}
	return -1;
}

static void report_problem(void *user, bool error, const char *text)
{
	fprintf(stderr, "%s%s\n", error ? "" : "warning: ", text);
}

static void log_problem(void *user, bool error, const char *text)
{
	log_line(error ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s", text);
}

static int check_config(const struct options *o, bool strict)
{
	unsigned sensors = 0, channels = 0;
	struct config *c;

	if (config_load(&c, o->config, strict, report_problem, NULL))
		return 1;
	for (unsigned i = 0; i < c->pipelines; i++) {
		sensors += c->pipeline[i].sensors;
		channels += c->pipeline[i].channels;
	}
	printf("%s: %u pipeline%s, %u sensor%s, %u channel%s: good\n", o->config, c->pipelines,
	       c->pipelines == 1 ? "" : "s", sensors, sensors == 1 ? "" : "s", channels,
	       channels == 1 ? "" : "s");
	config_free(c);
	return 0;
}

/* Like mkdir -p. */
static int make_directory(const char *path, mode_t mode, struct why *why)
{
	char part[CONFIG_PATH_MAX];

	snprintf(part, sizeof part, "%s", path);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) && errno != EEXIST)
			return why_set(why, -errno, "%s: %s", part, strerror(errno));
		*slash = '/';
	}
	if (mkdir(part, mode) && errno != EEXIST)
		return why_set(why, -errno, "%s: %s", part, strerror(errno));
	return 0;
}

/*
 * One daemon a run directory. The lock goes with the process however it ends; the
 * file stays, since removing it would race with the next one's opening it.
 */
static int lock_run_dir(struct daemon *d, struct why *why)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[CONFIG_PATH_MAX + 16], pid[16] = "";

	snprintf(path, sizeof path, "%s/sonded.lock", d->config->run_dir);
	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (d->lock_fd < 0)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	if (fcntl(d->lock_fd, F_OFD_SETLK, &whole)) {
		if (errno != EAGAIN && errno != EACCES)
			return why_set(why, -errno, "%s: %s", path, strerror(errno));
		if (pread(d->lock_fd, pid, sizeof pid - 1, 0) > 0)
			pid[strcspn(pid, "\n")] = '\0';
		return why_set(why, -EBUSY, "%s: another sonded is running here (process %s)",
			       d->config->run_dir, pid);
	}
	snprintf(pid, sizeof pid, "%d\n", getpid());
	if (ftruncate(d->lock_fd, 0) || pwrite(d->lock_fd, pid, strlen(pid), 0) < 0)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

static int directories_open(struct daemon *d, struct why *why)
{
	int err = make_directory(d->config->run_dir, 0755, why);

	if (!err)
		err = make_directory(d->config->state_dir, 0750, why);
	return err ? err : lock_run_dir(d, why);
}

static int stats_open(struct daemon *d, struct why *why)
{
	int bpf = 0;
	int err = stats_create(&d->stats, d->config->run_dir, d->config->pipelines, &bpf,
			       &d->stats_why);

	if (err) {
		*why = d->stats_why;
		return err;
	}
	d->stats_bpf = bpf;
	if (!bpf)
		log_line(LOG_LEVEL_INFO, "statistics are in a file: %s", d->stats_why.text);
	return 0;
}

/* Without a store the agent watches on: a verdict that is only told beats none. */
static void events_store_open(struct daemon *d)
{
	struct why why = { "" };

	if (store_open(&d->store, d->config->state_dir, false, &why)) {
		log_line(LOG_LEVEL_ERROR, "events will not be kept: %s", why.text);
		return;
	}
	if (*why.text)
		log_line(LOG_LEVEL_WARNING, "%s", why.text);
	if (store_recover(d->store, &why))
		log_line(LOG_LEVEL_ERROR, "%s", why.text);
}

static int lines_open(struct daemon *d, struct why *why)
{
	int core[CONFIG_PIPELINES_MAX];

	for (unsigned i = 0; i < d->config->pipelines; i++) {
		struct line *l = &d->line[i];
		int err;

		l->daemon = d;
		l->config = &d->config->pipeline[i];
		l->stats = stats_pipeline(d->stats, i);
		err = events_open(&l->events, l->config, d->store, &loop_events_ops, l, why);
		if (!err)
			err = runner_open(&l->runner, d->config, l->config, l->stats, d->wake_fd,
					  why);
		d->lines++;
		if (err)
			return err;
		for (unsigned k = 0; runner_lost(l->runner, k); k++)
			log_line(LOG_LEVEL_WARNING, "%s: %s", l->config->name,
				 runner_lost(l->runner, k));
		if (d->profiler && profiler_track(d->profiler, i, runner_tid(l->runner)))
			log_line(LOG_LEVEL_WARNING, "%s: the profiler can not follow its thread",
				 l->config->name);
		host_begin(l);
		host_update(l);
		core[i] = runner_core(l->runner);
	}
	/* SQLite and the rest of what main does leave the pipelines' cores alone. */
	rights_avoid(core, d->lines);
	return 0;
}

/* Before the pipelines run: attaching takes the kernel up to two seconds of a core. */
static void profiler_start(struct daemon *d)
{
	if (!strcmp(d->config->profiler, "off")) {
		why_set(&d->profiler_why, 0, "switched off in the configuration");
	} else if (profiler_open(&d->profiler, &d->profiler_why)) {
		log_line(LOG_LEVEL_INFO, "no profiler: %s", d->profiler_why.text);
		d->profiler = NULL;
	}
}

/* Which reads the kernel gave to a worker: good to know, and nothing depends on it. */
static void path_start(struct daemon *d)
{
	struct why why;

	if (strcmp(d->config->profiler, "off") && path_open(&d->path, &why))
		log_line(LOG_LEVEL_INFO, "reads are not traced: %s", why.text);
}

static void models_start(struct daemon *d)
{
	for (unsigned i = 0; i < d->lines; i++) {
		struct line *l = &d->line[i];
		struct why why;
		int err = daemon_load_model(l, NULL, &why);

		if (err)
			log_line(err == -ENOENT && !*l->config->model ? LOG_LEVEL_NOTICE
								      : LOG_LEVEL_ERROR,
				 "%s: no scores: %s", l->config->name, why.text);
	}
}

/* What must not be lost or left on comes first: a driver may hold a reading, and then us. */
static void stop(struct daemon *d)
{
	for (unsigned i = 0; i < d->lines; i++) {
		struct line *l = &d->line[i];

		if (l->runner) {
			runner_stop(l->runner);
			events_drain(l->events, runner_queue(l->runner));
			daemon_limit_keep(l);
			host_end(l);
		}
		events_close(l->events);
	}
	daemon_plug_close(d);
	control_close(d->control);
	store_close(d->store);
	for (unsigned i = 0; i < d->lines; i++)
		runner_close(d->line[i].runner);
	profiler_close(d->profiler);
	path_close(d->path);
	loop_close(d);
	stats_close(d->stats);
	if (d->statm_fd >= 0)
		close(d->statm_fd);
	if (d->wake_fd >= 0)
		close(d->wake_fd);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	config_free(d->config);
}

static int start(struct daemon *d, struct why *why)
{
	struct timespec now;
	int err;

	clock_gettime(CLOCK_REALTIME, &now);
	d->start_realtime_ns = now.tv_sec * 1000000000LL + now.tv_nsec;
	d->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->wake_fd < 0)
		return why_set(why, -errno, "eventfd: %s", strerror(errno));
	err = directories_open(d, why);
	if (err)
		return err;
	err = stats_open(d, why);
	if (err)
		return err;
	events_store_open(d);
	err = loop_open(d, why);
	if (err)
		return err;
	err = daemon_plug_open(d, why);
	if (err)
		return err;
	profiler_start(d);
	path_start(d);
	err = lines_open(d, why);
	if (err)
		return err;
	models_start(d);
	return control_open(&d->control, d, why);
}

int main(int argc, char **argv)
{
	static struct daemon d = { .lock_fd = -1, .wake_fd = -1, .statm_fd = -1 };
	struct options o = { .config = CONFIG_DEFAULT_PATH };
	struct why why;
	int status = options_read(argc, argv, &o, &d);

	if (status >= 0)
		return status;
	if (o.check)
		return check_config(&o, d.strict);
	umask(022);
	loop_block_signals();	/* before there are threads to inherit the mask */
	if (config_load(&d.config, o.config, d.strict, log_problem, NULL))
		return 1;
	d.config_path = o.config;
	daemon_override(&d, d.config);
	status = start(&d, &why) ? 1 : 0;
	if (status)
		log_line(LOG_LEVEL_ERROR, "%s", why.text);
	else
		status = loop_run(&d);
	stop(&d);
	return status;
}
