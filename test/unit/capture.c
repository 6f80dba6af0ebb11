// SPDX-License-Identifier: MIT
/*
 * The capture: the floats of a file are the floats that were recorded, bit for bit; a file
 * under its own name is whole; a disk that fills up leaves whole rows and says so.
 */
#include "agent/capture.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/queue.h"
#include "kernels/why.h"
#include "test/test.h"

static char top[] = "/tmp/sonde-capture-XXXXXX";
static const char *const names[64] = {
	"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r",
	"s", "t", "u", "v", "w", "x", "y", "z", "a1", "b1", "c1", "d1", "e1", "f1", "g1", "h1",
	"i1", "j1", "k1", "l1", "m1", "n1", "o1", "p1", "q1", "r1", "s1", "t1", "u1", "v1", "w1",
	"x1", "y1", "z1", "a2", "b2", "c2", "d2", "e2", "f2", "g2", "h2", "i2", "j2", "k2", "l2",
};

static void tidy(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -rf %s", top);
	if (system(command))
		fprintf(stderr, "%s stays\n", top);
}

static const char *place(const char *name)
{
	static char path[8][128];
	static unsigned which;

	which = (which + 1) % 8;
	snprintf(path[which], sizeof path[which], "%s/%s", top, name);
	return path[which];
}

static struct record *new_row(unsigned channels)
{
	struct record *r = calloc(1, sizeof *r + channels * 9);

	CHECK(r);
	memset(r->data + 2 * channels, 1, channels);
	return r;
}

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	CHECK(f);
	CHECK(getdelim(&text, &size, 0, f) >= 0 || feof(f));
	fclose(f);
	return text;
}

static uint32_t bits_of(float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof bits);
	return bits;
}

static void text(void)
{
	struct capture *c;
	struct record *r = new_row(3);
	uint8_t *valid = (uint8_t *)(r->data + 6);
	uint64_t rows = 0;
	char *got;

	CHECK_EQ(capture_open(&c, place("t.csv"), names, 3, 50, NULL), 0);
	r->t_ns = 5000000003;
	r->data[0] = 1;
	r->data[1] = -0.0f;
	r->data[2] = -12345;
	CHECK_EQ(capture_row(c, r), 0);
	r->t_ns += 20000000;
	r->data[0] = NAN;
	r->data[1] = 0.1f;
	r->data[2] = 1e9f;
	CHECK_EQ(capture_row(c, r), 0);
	r->t_ns += 3600000000000 - 20000000 + 1;
	r->data[0] = 7;
	r->data[1] = INFINITY;
	r->data[2] = 0;
	valid[0] = 0;
	CHECK_EQ(capture_row(c, r), 0);
	CHECK_EQ(access(place("t.csv"), F_OK), -1);
	CHECK_EQ(capture_close(c, &rows, NULL), 0);
	CHECK_EQ(rows, 3);
	CHECK_EQ(access(place("t.csv.part"), F_OK), -1);
	got = slurp(place("t.csv"));
	CHECK_STR(got, "time,a,b,c\n0,1,-0,-12345\n0.02,,0.100000001,1e+09\n3600.000000001,,,0\n");
	free(got);
	free(r);
}

/* Floats of every exponent and the edges of the short form, back through strtof. */
static void exact(void)
{
	struct record *r = new_row(64);
	static float want[4000][64];
	struct capture *c;
	uint32_t seed = 1;
	char *got, *p;

	CHECK_EQ(capture_open(&c, place("e.csv"), names, 64, 1000, NULL), 0);
	for (unsigned i = 0; i < 4000; i++) {
		for (unsigned k = 0; k < 64; k++) {
			static const float edge[] = { 1e9f, 999999936, -999999936, 16777217, 0.5f,
						      1e-45f, 3.4028235e38f, -2147483648.0f };
			uint32_t bits = seed = seed * 1664525 + 1013904223;
			float v;

			if (k % 4 == 1)
				v = (float)((int)bits % 100000);
			else if (k % 4 == 2)
				v = edge[bits >> 29];
			else if (k % 4 == 3)
				v = (float)(bits % 100000) / 100;
			else
				memcpy(&v, &bits, sizeof v);
			want[i][k] = r->data[k] = isfinite(v) ? v : 1;
		}
		r->t_ns = 1000000ull * i;
		CHECK_EQ(capture_row(c, r), 0);
	}
	CHECK_EQ(capture_close(c, NULL, NULL), 0);
	got = slurp(place("e.csv"));
	p = strchr(got, '\n');
	for (unsigned i = 0; i < 4000; i++) {
		CHECK(p && *p == '\n');
		CHECK_NEAR(strtod(p, &p), i / 1000.0, 1e-9);
		for (unsigned k = 0; k < 64; k++) {
			CHECK_EQ(*p++, ',');
			CHECK_EQ(bits_of(strtof(p, &p)), bits_of(want[i][k]));
		}
	}
	CHECK_STR(p, "\n");
	free(got);
	free(r);
}

/* The writer is killed: what it wrote up to the last second is in .part, whole rows or not. */
static void killed(void)
{
	struct capture *c;
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		struct record *r = new_row(1);

		CHECK_EQ(capture_open(&c, place("k.csv"), names, 1, 10, NULL), 0);
		for (unsigned i = 0; i < 25; i++) {
			r->t_ns += 100000000;
			CHECK_EQ(capture_row(c, r), 0);
		}
		kill(getpid(), SIGKILL);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(access(place("k.csv"), F_OK), -1);
	{
		char *got = slurp(place("k.csv.part"));

		CHECK(strstr(got, "\n1.9,0\n") && !strstr(got, "\n2,0"));
		free(got);
	}
	/* The next one of that name begins anew. */
	CHECK_EQ(capture_open(&c, place("k.csv"), names, 1, 10, NULL), 0);
	CHECK_EQ(capture_close(c, NULL, NULL), 0);
	{
		char *got = slurp(place("k.csv"));

		CHECK_STR(got, "time,a\n");
		free(got);
	}
}

static void refused(void)
{
	struct capture *c;
	struct why why;

	CHECK_EQ(capture_open(&c, place("no/such.csv"), names, 1, 1, &why), -ENOENT);
	CHECK(!c && strstr(why.text, "no/such.csv.part: No such file"));
	CHECK_EQ(capture_open(&c, place("n.csv"), (const char *[]){ "a,b" }, 1, 1, &why), -EINVAL);
	CHECK(strstr(why.text, "\"a,b\""));
	CHECK_EQ(capture_open(&c, place("n.csv"), names, 0, 1, &why), -EINVAL);
	CHECK_EQ(capture_open(&c, place("n.csv"), names, 65, 1, &why), -EINVAL);
	CHECK_EQ(access(place("n.csv.part"), F_OK), -1);
	/* A disk that is full from the start. */
	CHECK_EQ(symlink("/dev/full", place("f.csv.part")), 0);
	CHECK_EQ(capture_open(&c, place("f.csv"), names, 1, 1, &why), -ENOSPC);
	CHECK(strstr(why.text, "No space left"));
	/* A name that is taken by a folder. */
	CHECK_EQ(mkdir(place("d.csv"), 0755), 0);
	CHECK_EQ(capture_open(&c, place("d.csv"), names, 1, 1, NULL), 0);
	CHECK_EQ(capture_close(c, NULL, &why), -EISDIR);
	CHECK(strstr(why.text, "d.csv"));
	CHECK_EQ(capture_close(NULL, NULL, NULL), 0);
}

/* No room in the middle of a row. */
static void full(void)
{
	struct rlimit limit = { 30000, RLIM_INFINITY };
	struct record *r = new_row(20);
	struct capture *c;
	struct why why;
	uint64_t rows;
	char *got, *p;
	int err = 0;

	signal(SIGXFSZ, SIG_IGN);
	CHECK_EQ(capture_open(&c, place("full.csv"), names, 20, 50, NULL), 0);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (unsigned i = 0; i < 2000 && !err; i++) {
		r->t_ns += 20000000;
		err = capture_row(c, r);
	}
	CHECK_EQ(err, -EFBIG);
	CHECK_EQ(capture_row(c, r), -EFBIG);
	limit.rlim_cur = RLIM_INFINITY;
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	CHECK_EQ(capture_close(c, &rows, &why), -EFBIG);
	CHECK(rows >= 100 && rows % 50 == 0);
	CHECK(strstr(why.text, "full.csv.part") && strstr(why.text, "rows stay"));
	CHECK_EQ(access(place("full.csv"), F_OK), -1);
	got = slurp(place("full.csv.part"));
	for (p = got; (p = strchr(p, '\n')); p++)
		rows--;
	CHECK_EQ(rows, -1);
	CHECK_EQ(got[strlen(got) - 1], '\n');
	free(got);
	free(r);
}

int main(void)
{
	CHECK(mkdtemp(top));
	atexit(tidy);
	text();
	exact();
	killed();
	refused();
	full();
	return 0;
}
