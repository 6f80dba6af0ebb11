// SPDX-License-Identifier: MIT
/*
 * model_save: what could not be read again is never written; a save that is refused or
 * runs out of disk leaves the old file whole and nothing beside it; a loaded
 * model does not care what becomes of its file.
 */
#include "models/model.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "kernels/why.h"
#include "test/unit/model_fixture.h"

static unsigned files_in_dir(void)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	CHECK(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

/* A model in use does not care what becomes of its file. */
static void outlives_its_file(void)
{
	struct fixture f;
	struct model *m;

	fixture_make(&f, 3, 2, 4, 5, true);
	CHECK_EQ(model_save(&f.m, in_dir("a"), NULL), 0);
	CHECK_EQ(model_load(&m, in_dir("a"), NULL), 0);
	bytes_write(in_dir("a"), "x", 1);
	same_model(&f.m, m);
	model_free(m);
	fixture_free(&f);
}

static void save_refuses(void)
{
	struct fixture f, g;
	struct bytes before, after;
	struct why why;

	fixture_make(&f, 3, 2, 4, 5, true);
	fixture_make(&g, 3, 2, 4, 5, false);
	CHECK_EQ(model_save(&f.m, in_dir("a"), NULL), 0);
	before = bytes_read(in_dir("a"));

#define REFUSES(change, reason)                                                              \
	do {                                                                                 \
		struct model m = f.m;                                                        \
		change;                                                                      \
		why.text[0] = '\0';                                                          \
		CHECK_EQ(model_save(&m, in_dir("a"), &why), -EINVAL);                        \
		if (!strstr(why.text, reason))                                               \
			fprintf(stderr, "%s\n", why.text);                                   \
		CHECK(strstr(why.text, reason));                                             \
		CHECK(!strncmp(why.text, dir, strlen(dir)));                                 \
	} while (0)

	REFUSES(m.spec.channels = 0, "0 channels");
	REFUSES(m.spec.channels = 4097, "4097 channels");
	REFUSES(m.spec.lags = 0x55555556u, "lags of 3 channels");
	REFUSES(m.spec.hidden = 5000, "hidden 5000");
	REFUSES(m.test_rows = 70000, "70000 self-test rows");
	REFUSES(m.spec.lags = 3, "tensor linear.weight has shape [3, 6], expected [3, 9]");
	REFUSES(m.spec.gates.out = 12, "tensor gates.weight has shape [12, 7]");
	REFUSES(m.spec.head = g.m.spec.head, "tensor head.weight is F32, the linear part is not");
	REFUSES(m.spec.linear = g.m.spec.linear,
		"tensor gates.weight is I8, the linear part is not");
	REFUSES(m.spec.head.weight_f32 = g.m.spec.head.weight_f32, "both I8 and F32");
	REFUSES(m.spec.linear.scale = NULL, "tensor linear.scale is missing");
	REFUSES(m.spec.linear.weight = NULL, "tensor linear.weight is missing");
	REFUSES(m.spec.mean = NULL, "tensor norm.mean is missing");
	REFUSES(m.test_x = NULL, "tensor test.x is missing");
	REFUSES(m.channel = NULL, "no channel names");
	REFUSES(m.rate_hz = NAN, "rate_hz is nan");
	REFUSES(m.spec.level_smooth = NAN, "smooth.level is nan");
	REFUSES(strcpy(m.name, "a\nb"), "unprintable");
	REFUSES(memset(m.name, 'x', sizeof m.name), "unprintable");
	REFUSES(m.loss_net = INFINITY, "a loss of");
	REFUSES(m.tail.slope = -1, "tail.score: the slope is -1");
	after = bytes_read(in_dir("a"));
	CHECK(before.len == after.len && !memcmp(before.p, after.p, before.len));
	free(before.p);
	free(after.p);
	fixture_free(&f);
	fixture_free(&g);
}

/* The disk fills up in the middle: the old file stays whole and nothing is left beside it. */
static void save_fails(void)
{
	struct rlimit was, small;
	struct fixture f;
	struct model *m;
	unsigned files;
	struct why why;

	fixture_make(&f, 3, 2, 4, 5, true);
	CHECK_EQ(model_save(&f.m, in_dir("a"), NULL), 0);
	files = files_in_dir();
	CHECK(!getrlimit(RLIMIT_FSIZE, &was));
	signal(SIGXFSZ, SIG_IGN);
	for (rlim_t limit = 0; limit < 4000; limit += 777) {
		small = (struct rlimit){ limit, was.rlim_max };
		CHECK(!setrlimit(RLIMIT_FSIZE, &small));
		CHECK_EQ(model_save(&f.m, in_dir("a"), &why), -EFBIG);
		CHECK(!setrlimit(RLIMIT_FSIZE, &was));
		CHECK(strstr(why.text, "/a: File too large"));
		CHECK_EQ(files_in_dir(), files);
		CHECK_EQ(model_load(&m, in_dir("a"), &why), 0);
		same_model(&f.m, m);
		model_free(m);
	}
	CHECK_EQ(model_save(&f.m, in_dir("none/a"), &why), -ENOENT);
	CHECK(strstr(why.text, "No such file"));
	CHECK_EQ(mkdir(in_dir("folder"), 0700), 0);
	CHECK(model_save(&f.m, in_dir("folder"), &why) < 0);
	CHECK_EQ(files_in_dir(), files + 1);
	CHECK_EQ(rmdir(in_dir("folder")), 0);
	fixture_free(&f);
}

static void save_here(void)
{
	struct fixture f;
	struct model *m;

	fixture_make(&f, 3, 2, 0, 0, true);
	CHECK_EQ(chdir(dir), 0);
	CHECK_EQ(model_save(&f.m, "here", NULL), 0);
	CHECK_EQ(model_load(&m, in_dir("here"), NULL), 0);
	model_free(m);
	CHECK_EQ(unlink("here"), 0);
	CHECK_EQ(chdir("/"), 0);
	fixture_free(&f);
}

int main(void)
{
	CHECK(mkdtemp(dir));
	outlives_its_file();
	save_refuses();
	save_fails();
	save_here();
	unlink(in_dir("a"));
	CHECK_EQ(rmdir(dir), 0);
	return 0;
}
