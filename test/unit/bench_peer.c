// SPDX-License-Identifier: MIT
/* A contestant of the benchmark that answers, and those that do not; medians and differences. */
#include "test/bench/figures.h"
#include "test/bench/peer.h"
#include "test/test.h"

#define LOG "/dev/null"

/* Whatever it is asked, its case i takes i + 1 ns. */
#define GOOD "sh -c 'echo version 1; echo case a f32 1 -2.5e1; echo case b int8 0.5; echo ready; " \
	     "while read -r i; do echo $((i + 1)); done'"

static void good(void)
{
	struct peer p;

	peer_open(&p, "good", GOOD, "", LOG, -1, 10000);
	CHECK_STR(p.why, "");
	CHECK_STR(p.version, "1");
	CHECK_EQ(p.cases, 2);
	CHECK_STR(p.c[0].shape, "a");
	CHECK_STR(p.c[0].variant, "f32");
	CHECK_EQ(p.c[0].shown, 2);
	CHECK_NEAR(p.c[0].show[1], -25, 0);
	CHECK_STR(p.c[1].variant, "int8");
	for (unsigned i = 0; i < 20; i++)
		CHECK_NEAR(peer_turn(&p, i % 2, 10000), i % 2 + 1, 0);
	CHECK(p.pid > 0);
	peer_close(&p);
	CHECK_EQ(p.pid, 0);
	CHECK_STR(p.why, "");
}

/* What is wanted comes as two more words of the command. */
static void only(void)
{
	struct peer p;

	peer_open(&p, "only", "sh -c 'echo case $1 $2 1; echo ready; read -r i' sh", "lstm-64 int8",
		  LOG, -1, 10000);
	CHECK_STR(p.why, "");
	CHECK_STR(p.c[0].shape, "lstm-64");
	CHECK_STR(p.c[0].variant, "int8");
	peer_close(&p);
}

static void pinned(void)
{
	struct peer p;
	cpu_set_t mine;
	int core = CPU_SETSIZE - 1;

	CHECK_EQ(sched_getaffinity(0, sizeof mine, &mine), 0);
	while (!CPU_ISSET(core, &mine))
		core--;
	peer_open(&p, "pinned",
		  "sh -c 'echo case $(sed -n s/^Cpus_allowed_list:.//p /proc/self/status) x 1; "
		  "echo ready; read -r i'", "", LOG, core, 10000);
	CHECK_STR(p.why, "");
	CHECK_EQ(atoi(p.c[0].shape), core);
	CHECK(!strpbrk(p.c[0].shape, "-,"));
	peer_close(&p);
}

static void refuses(const char *command, int wait_ms, const char *why)
{
	struct peer p;

	peer_open(&p, "refuses", command, "", LOG, -1, wait_ms);
	CHECK_STR(p.why, why);
	CHECK_EQ(p.pid, 0);
	CHECK(peer_turn(&p, 0, wait_ms) < 0);
	CHECK_STR(p.why, why);
}

static void fails_later(const char *answer, int wait_ms, const char *why)
{
	char command[256];
	struct peer p;

	snprintf(command, sizeof command, "sh -c 'echo case a b 1; echo ready; read -r i; %s'",
		 answer);
	peer_open(&p, "fails", command, "", LOG, -1, 10000);
	CHECK_STR(p.why, "");
	CHECK(peer_turn(&p, 0, wait_ms) < 0);
	CHECK_STR(p.why, why);
	CHECK_EQ(p.pid, 0);
}

static void figures(void)
{
	double odd[] = { 3, 1, 2 }, even[] = { 4, 1, 3, 2 }, one[] = { 7 };
	const double truth[] = { 3, 4 }, near[] = { 3, 4.5 }, nan[] = { 3, NAN }, zero[] = { 0, 0 };

	CHECK_NEAR(median(odd, 3), 2, 0);
	CHECK_NEAR(median(even, 4), 2.5, 0);
	CHECK_NEAR(median(one, 1), 7, 0);
	CHECK_NEAR(difference(near, 2, truth, 2), 0.1, 1e-15);
	CHECK_NEAR(difference(truth, 2, truth, 2), 0, 0);
	CHECK(isinf(difference(near, 1, truth, 2)));
	CHECK(isinf(difference(nan, 2, truth, 2)));
	CHECK(isinf(difference(near, 2, zero, 2)));
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	good();
	only();
	pinned();
	refuses("sh -c 'echo skip \"no \\\"lib\\\"\"; exit 77'", 10000, "no  lib ");
	refuses("no-such-program", 10000, "ended with status 127");
	refuses("sh -c 'kill -9 $$'", 10000, "ended by signal 9");
	refuses("sh -c 'echo case a; echo ready'", 10000, "said  case a ");
	refuses("sleep 60", 50, "was silent for 0 s");
	refuses("sh -c 'head -c 5000 /dev/zero | tr \"\\0\" x; exec sleep 60'", 10000,
		"said a line too long to be an answer");
	fails_later("exit 3", 10000, "ended with status 3");
	fails_later("exec sleep 60", 50, "was silent for 0 s");
	fails_later("echo -5", 10000, "took  -5  ns");
	fails_later("echo nan", 10000, "took  nan  ns");
	figures();
	return 0;
}
