// SPDX-License-Identifier: MIT
/*
 * board NAME OUT LIMIT QEMU ARGUMENT...: run one virtual board and be its outside world. The guest
 * has the scenario (guest/init); whatever it wants done to its sensors it asks for on its
 * console, a line "@NUMBER VERB ...", and reads "NUMBER ok" or "NUMBER error ..." there:
 *
 *	qom ID PROPERTY VALUE		a device's property, over QMP
 *	wander ID PROPERTY VALUE BY	from now on, five times a second: VALUE and up to BY around it
 *	still				no more wandering and no more pulses
 *	gpio CHIP LINE LEVEL		an input of the SoC, over qtest
 *	pulse CHIP LINE HZ		a square wave on it
 *	say TEXT
 *	row KIND|DEVICE|READ|RATE_HZ|HELD|FAULT|RECOVERED|NOTE	a line of the table: yes, no or -
 *	check WHAT|FOUND|NOTE		what is no device: yes or no; it is not in the JSON
 *	skip KIND|DEVICE|REASON
 *	done
 *
 * OUT.rows gets the rows as JSON, OUT.log all that the console said. No answer and no judgement
 * is made up here: a cell is what the guest found. Ends 0 if the guest came to "done" and
 * no cell is "no". A guest that others keep from running loses time, which looks like a fault: how
 * long it waited for a processor is said. One that says nothing for SILENCE_S or takes longer than
 * LIMIT is killed.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/vm/board.h"

#define SILENCE_S 90
#define WANDERERS_MAX 8
#define WANDER_S 0.2
#define CELLS 8

struct wanderer {
	char id[32], property[32];
	long value, by;
};

struct world {
	const char *name;
	FILE *log, *rows;
	struct emulator emulator;
	char line[4096];
	unsigned len;
	struct wanderer wanderer[WANDERERS_MAX];
	unsigned wanderers;
	double wander_s;		/* when next */
	char pulse_chip[32];
	int pulse_line, pulse_level;
	double pulse_hz, pulse_s;
	unsigned good, bad, skipped;
	bool done;
	double begin_s, heard_s;
};

__attribute__((format(printf, 2, 3))) static void say(const struct world *w, const char *format, ...)
{
	va_list ap;

	printf("%-11s %5.1fs  ", w->name, now_s() - w->begin_s);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* ---- what the guest asks for ------------------------------------------------------------ */

static void put_json(FILE *f, const char *s)
{
	for (; *s; s++)
		if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if ((unsigned char)*s >= ' ')
			fputc(*s, f);
}

static const char *json_of(const char *cell)
{
	return !strcmp(cell, "yes") ? "true" : !strcmp(cell, "no") ? "false" : "null";
}

static unsigned split(char *text, char **cell, unsigned cells)
{
	unsigned n = 0;
	char *p;

	while (n < cells && (p = strsep(&text, "|")))
		cell[n++] = p;
	return n;
}

static int take_row(struct world *w, char *text)
{
	char *cell[CELLS], *end;
	bool good = true;
	unsigned i;

	if (split(text, cell, CELLS) != CELLS)
		return -EINVAL;
	for (i = 2; i < CELLS - 1; i++) {
		if (i == 3)
			continue;
		if (strcmp(cell[i], "yes") && strcmp(cell[i], "no") && strcmp(cell[i], "-"))
			return -EINVAL;
		good = good && strcmp(cell[i], "no");
	}
	if (strcmp(cell[3], "-") && (strtod(cell[3], &end), end == cell[3] || *end))
		return -EINVAL;
	fprintf(w->rows, "{\"board\":\"%s\",\"kind\":\"", w->name);
	put_json(w->rows, cell[0]);
	fputs("\",\"device\":\"", w->rows);
	put_json(w->rows, cell[1]);
	fprintf(w->rows, "\",\"read\":%s,\"rate_hz\":%s,\"rate_held\":%s,\"fault_seen\":%s,"
		"\"recovered\":%s,\"note\":\"", json_of(cell[2]),
		strcmp(cell[3], "-") ? cell[3] : "null", json_of(cell[4]), json_of(cell[5]),
		json_of(cell[6]));
	put_json(w->rows, cell[7]);
	fputs("\"}\n", w->rows);
	*(good ? &w->good : &w->bad) += 1;
	say(w, "%-6s %-8s %-22s read %-3s  rate %8s %-3s  fault %-3s  back %-3s  %s",
	    good ? "ok" : "FAILED", cell[0], cell[1], cell[2], cell[3], cell[4], cell[5], cell[6],
	    cell[7]);
	return 0;
}

static int take_check(struct world *w, char *text)
{
	char *cell[3];
	bool good;

	if (split(text, cell, 3) != 3)
		return -EINVAL;
	good = !strcmp(cell[1], "yes");
	if (!good && strcmp(cell[1], "no"))
		return -EINVAL;
	*(good ? &w->good : &w->bad) += 1;
	say(w, "%-6s %-8s %s%s%s", good ? "ok" : "FAILED", "check", cell[0], *cell[2] ? ": " : "",
	    cell[2]);
	return 0;
}

static int take_skip(struct world *w, char *text)
{
	char *cell[3];

	if (split(text, cell, 3) != 3)
		return -EINVAL;
	w->skipped++;
	say(w, "%-6s %-8s %-22s %s", "skip", cell[0], cell[1], cell[2]);
	return 0;
}

static int start_wandering(struct world *w, const struct wanderer *asked)
{
	unsigned i;

	for (i = 0; i < w->wanderers; i++)
		if (!strcmp(w->wanderer[i].id, asked->id) &&
		    !strcmp(w->wanderer[i].property, asked->property))
			break;
	if (i == WANDERERS_MAX)
		return -ENOSPC;
	w->wanderer[i] = *asked;
	if (i == w->wanderers)
		w->wanderers++;
	return 0;
}

static int obey(struct world *w, char *verb, char *rest)
{
	struct wanderer wander = { .by = 0 };
	char id[32], property[32], value[32];
	int line, level;
	double hz;

	if (!strcmp(verb, "qom") && sscanf(rest, "%31s %31s %31s", id, property, value) == 3)
		return emulator_property(&w->emulator, id, property, value);
	if (!strcmp(verb, "wander") && sscanf(rest, "%31s %31s %ld %ld", wander.id, wander.property,
					      &wander.value, &wander.by) == 4)
		return start_wandering(w, &wander);
	if (!strcmp(verb, "still")) {
		w->wanderers = 0;
		w->pulse_hz = 0;
		return 0;
	}
	if (!strcmp(verb, "gpio") && sscanf(rest, "%31s %d %d", id, &line, &level) == 3)
		return emulator_line(&w->emulator, id, line, level);
	if (!strcmp(verb, "pulse") && sscanf(rest, "%31s %d %lf", id, &line, &hz) == 3) {
		snprintf(w->pulse_chip, sizeof(w->pulse_chip), "%s", id);
		w->pulse_line = line;
		w->pulse_hz = hz;
		w->pulse_s = now_s();
		return 0;
	}
	if (!strcmp(verb, "say")) {
		say(w, "%s", rest);
		return 0;
	}
	if (!strcmp(verb, "row"))
		return take_row(w, rest);
	if (!strcmp(verb, "check"))
		return take_check(w, rest);
	if (!strcmp(verb, "skip"))
		return take_skip(w, rest);
	if (!strcmp(verb, "done")) {
		w->done = true;
		return 0;
	}
	return -EINVAL;
}

static void hear(struct world *w, char *line)
{
	char *at = strchr(line, '@'), *rest, answer[96];
	char verb[16];
	int number, used = 0, rc;

	fprintf(w->log, "%8.3f %s\n", now_s() - w->begin_s, line);
	fflush(w->log);
	/* A kernel message may stand before it on the same line. */
	if (!at || sscanf(at, "@%d%*1[ ]%15[a-z]%n", &number, verb, &used) != 2)
		return;
	rest = at + used;
	rest += *rest == ' ';
	rc = obey(w, verb, rest);
	if (rc) {
		snprintf(answer, sizeof(answer), "%d error %s\n", number, strerror(-rc));
		say(w, "the guest asked for \"%s\": %s", at, strerror(-rc));
	} else {
		snprintf(answer, sizeof(answer), "%d ok\n", number);
	}
	if (write(w->emulator.in, answer, strlen(answer)) < 0)
		fprintf(w->log, "[the console takes no input: %m]\n");
}

static void hear_bytes(struct world *w, const char *p, ssize_t n)
{
	while (n-- > 0) {
		char c = *p++;

		if (c == '\n' || w->len == sizeof(w->line) - 1) {
			w->line[w->len] = 0;
			w->len = 0;
			hear(w, w->line);
		} else if (c != '\r') {
			w->line[w->len++] = c;
		}
	}
}

/* ---- time ------------------------------------------------------------------------------- */

static void wander(struct world *w)
{
	char value[24];
	unsigned i;

	for (i = 0; i < w->wanderers; i++) {
		const struct wanderer *x = &w->wanderer[i];

		/* The sum of two dice: the middle is likelier than the ends. */
		snprintf(value, sizeof(value), "%ld",
			 x->value + (random() % (x->by + 1) + random() % (x->by + 1)) - x->by);
		emulator_property(&w->emulator, x->id, x->property, value);
	}
}

/* Does what is due; returns milliseconds until something is. */
static int keep_time(struct world *w)
{
	double now = now_s(), next = now + 1;

	if (w->wanderers) {
		if (now >= w->wander_s) {
			wander(w);
			w->wander_s = now + WANDER_S;
		}
		next = w->wander_s < next ? w->wander_s : next;
	}
	if (w->pulse_hz > 0) {
		if (now >= w->pulse_s) {
			w->pulse_level = !w->pulse_level;
			emulator_line(&w->emulator, w->pulse_chip, w->pulse_line, w->pulse_level);
			w->pulse_s += 0.5 / w->pulse_hz;
		}
		next = w->pulse_s < next ? w->pulse_s : next;
	}
	now = now_s();
	return next <= now ? 0 : (int)((next - now) * 1e3) + 1;
}

/* Until the guest is done, the emulator ends, or patience does. */
static void run(struct world *w, double limit_s)
{
	w->heard_s = now_s();
	while (!w->done) {
		struct pollfd p = { .fd = w->emulator.out, .events = POLLIN };
		char bytes[4096];
		ssize_t n;

		if (poll(&p, 1, keep_time(w)) > 0) {
			n = read(w->emulator.out, bytes, sizeof(bytes));
			if (n <= 0) {
				say(w, "the emulator ended before the guest was done");
				return;
			}
			w->heard_s = now_s();
			hear_bytes(w, bytes, n);
		}
		if (now_s() - w->heard_s > SILENCE_S) {
			say(w, "nothing heard for %d s", SILENCE_S);
			return;
		}
		if (now_s() - w->begin_s > limit_s) {
			say(w, "not done after %.0f s", limit_s);
			return;
		}
	}
}

static FILE *open_beside(const char *out, const char *suffix)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s.%s", out, suffix);
	f = fopen(path, "w");
	if (!f)
		perror(path);
	return f;
}

int main(int argc, char **argv)
{
	char unfinished[] = "the scenario|no|the guest did not come to its end";
	struct world w = { .len = 0 };
	double waited = 0;
	FILE *count;
	int rc;

	if (argc < 5) {
		fprintf(stderr, "usage: board NAME OUT LIMIT QEMU ARGUMENT...\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	srandom(1);
	w.name = argv[1];
	w.begin_s = now_s();
	w.log = open_beside(argv[2], "log");
	w.rows = open_beside(argv[2], "rows");
	count = open_beside(argv[2], "count");
	if (!w.log || !w.rows || !count)
		return 1;
	rc = emulator_start(&w.emulator, w.log, argv + 4, argc - 4);
	if (rc)
		say(&w, "the emulator did not start: %s", strerror(-rc));
	else
		run(&w, atof(argv[3]));
	if (!rc)
		waited = emulator_waited_s(&w.emulator) / (now_s() - w.begin_s);
	emulator_end(&w.emulator);
	if (!w.done)
		take_check(&w, unfinished);
	fprintf(count, "%u %u %u\n", w.good, w.bad, w.skipped);
	say(&w, "%u passed, %u failed, %u skipped; it waited for a processor %.1f %% of the time", w.good,
	    w.bad, w.skipped, waited * 100);
	fclose(w.rows);
	fclose(w.log);
	fclose(count);
	return w.bad || !w.good;
}
