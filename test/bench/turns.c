// SPDX-License-Identifier: MIT
/*
 * turns: turns LOG_DIR CORE ROUNDS NAME COMMAND [NAME COMMAND]... measures contestants
 * (contestant.h) against each other on one core and prints medians as JSON.
 *
 * All are started before the first turn and sleep in their pipes. A round goes through the
 * shapes, and within a shape through everybody who has it, a millisecond each: what is compared
 * was measured within a few milliseconds, and only one of them runs at a time. A ratio is the
 * median of the rounds' own ratios to the first contestant's first int8, not a ratio of medians.
 *
 * Who says on a shape something else than the first contestant's "naive" takes no part in it.
 * Memory and files are those of a process that has the int8 lstm-64 and nothing else.
 */
#include <sys/stat.h>

#include "test/bench/figures.h"
#include "test/bench/peer.h"

#define PEERS 8
#define TIMED (PEERS * PEER_CASES)
#define ALIKE 0.15		/* of the norm of what is shown */
#define START_MS 120000
#define TURN_MS 20000

struct timed {
	struct peer *peer;
	unsigned i;			/* which of its cases */
	double *ns, *ratio;		/* [rounds] */
	double error;			/* against "naive" */
};

struct footprint {
	unsigned long rss_kb;
	unsigned long long bytes;	/* files mapped, the C and C++ runtimes' not counted */
};

static struct peer peer[PEERS];
static struct footprint footprint[PEERS];
static unsigned peers;
static struct timed timed[TIMED];
static unsigned timeds;

static struct peer_case *case_of(const struct timed *t)
{
	return &t->peer->c[t->i];
}

static bool is(const struct timed *t, const char *shape, const char *variant)
{
	return !strcmp(case_of(t)->shape, shape) && !strcmp(case_of(t)->variant, variant);
}

static const struct timed *find(const char *shape, const char *variant)
{
	for (unsigned i = 0; i < timeds; i++)
		if (timed[i].peer == peer && is(&timed[i], shape, variant))
			return &timed[i];
	return NULL;
}

/* ---- memory and files ---- */
static bool is_runtime(const char *path)
{
	static const char *const names[] = {
		"/ld-linux", "/libc.so", "/libm.so", "/libgcc_s", "/libstdc++", "/libpthread.so",
		"/libdl.so", "/librt.so", "/locale/", "/gconv/",
	};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (strstr(path, names[i]))
			return true;
	return false;
}

/* Mappings of a file follow each other, so it is enough to know the last one. */
static unsigned long long mapped_bytes(pid_t pid)
{
	unsigned long long bytes = 0;
	char path[64], line[512], last[512] = "";
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f)) {
		char *name = strchr(line, '/');
		struct stat s;

		if (!name)
			continue;
		name[strcspn(name, "\n")] = '\0';
		if (!strcmp(name, last) || is_runtime(name))
			continue;
		snprintf(last, sizeof last, "%s", name);
		if (!stat(name, &s) && S_ISREG(s.st_mode))
			bytes += (unsigned long long)s.st_size;
	}
	if (f)
		fclose(f);
	return bytes;
}

static unsigned long rss_kb(pid_t pid)
{
	unsigned long kb = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "VmRSS: %lu", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

static struct footprint weigh(const char *name, const char *command, const char *log, int core)
{
	struct footprint f = { 0 };
	static struct peer p;

	peer_open(&p, name, command, "lstm-64 int8", log, core, START_MS);
	if (p.cases && peer_turn(&p, 0, TURN_MS) > 0) {
		f.rss_kb = rss_kb(p.pid);
		f.bytes = mapped_bytes(p.pid);
	}
	peer_close(&p);
	return f;
}

/* ---- the rounds ---- */

/* Sorted by shape in the order of the first contestant's. */
static void collect(unsigned rounds)
{
	for (unsigned s = 0; s < peer[0].cases; s++) {
		const struct peer_case *truth = &peer[0].c[s];

		if (strcmp(truth->variant, "naive"))
			continue;
		for (struct peer *p = peer; p < peer + peers; p++)
			for (unsigned i = 0; p->pid && i < p->cases; i++) {
				struct timed *t = &timed[timeds];

				if (strcmp(p->c[i].shape, truth->shape))
					continue;
				*t = (struct timed){ p, i, calloc(rounds, sizeof(double)),
						     calloc(rounds, sizeof(double)),
						     difference(p->c[i].show, p->c[i].shown,
								truth->show, truth->shown) };
				if (!t->ns || !t->ratio)
					abort();
				timeds++;
			}
	}
}

static void play(unsigned rounds)
{
	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned i = 0; i < timeds; i++)
			if (timed[i].error <= ALIKE)
				timed[i].ns[r] = peer_turn(timed[i].peer, timed[i].i, TURN_MS);
		for (unsigned i = 0; i < timeds; i++) {
			const struct timed *ours = find(case_of(&timed[i])->shape, "int8");

			timed[i].ratio[r] = ours && ours->ns[r] > 0 ?
					    timed[i].ns[r] / ours->ns[r] : 0;
		}
	}
}

static void print(unsigned rounds)
{
	const char *sep = "";

	printf("{\"rounds\":%u,\"contestants\":[", rounds);
	for (unsigned i = 0; i < peers; i++)
		printf("%s{\"name\":\"%s\",\"version\":\"%s\",\"why\":\"%s\",\"rss_kb\":%lu,"
		       "\"bytes\":%llu}", i ? "," : "", peer[i].name, peer[i].version, peer[i].why,
		       footprint[i].rss_kb, footprint[i].bytes);
	printf("],\"cases\":[");
	for (unsigned i = 0; i < timeds; i++, sep = ",") {
		struct timed *t = &timed[i];

		printf("%s{\"name\":\"%s\",\"shape\":\"%s\",\"variant\":\"%s\"", sep, t->peer->name,
		       case_of(t)->shape, case_of(t)->variant);
		if (*t->peer->why)
			printf(",\"why\":\"%s\"}", t->peer->why);
		else if (t->error <= ALIKE)
			printf(",\"ns\":%.1f,\"ratio\":%.3f,\"error\":%.2g}", median(t->ns, rounds),
			       median(t->ratio, rounds), t->error);
		else
			printf(",\"why\":\"computes something else\"}");
	}
	printf("]}\n");
}

int main(int argc, char **argv)
{
	unsigned rounds;
	int core;

	if (argc < 6 || argc % 2 || argc > 4 + 2 * PEERS) {
		fprintf(stderr, "usage: turns LOG_DIR CORE ROUNDS NAME COMMAND...\n");
		return 2;
	}
	core = atoi(argv[2]);
	rounds = (unsigned)atoi(argv[3]);
	if (rounds < 1 || rounds > 100000)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	for (char **a = argv + 4; *a; a += 2) {
		char log[512];

		snprintf(log, sizeof log, "%s/%s.log", argv[1], a[0]);
		footprint[peers] = weigh(a[0], a[1], log, core);
		peer_open(&peer[peers++], a[0], a[1], "", log, core, START_MS);
	}
	if (*peer->why) {
		fprintf(stderr, "turns: %s: %s\n", peer->name, peer->why);
		return 1;
	}
	collect(rounds);
	play(rounds);
	print(rounds);
	for (unsigned i = 0; i < peers; i++)
		peer_close(&peer[i]);
	for (unsigned i = 0; i < timeds; i++) {
		free(timed[i].ns);
		free(timed[i].ratio);
	}
	return 0;
}
