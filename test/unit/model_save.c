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

	struct fixture_shape shape = {
		.n = 3, .lags = 2, .rank = 5, .spread = true, .kind = RECURRENT_FORECAST,
		.hidden = 4, .features = 2, .degree = 2, .quick = true, .rows = 5, .int8 = true,
	};

	fixture_shaped(&f, &shape);
	shape.int8 = false;
	fixture_shaped(&g, &shape);
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
	REFUSES(m.spec.recurrent.hidden = 5000, "hidden 5000");
	REFUSES(m.spec.recurrent.layers = 3, "3 layers");
	REFUSES(m.spec.recurrent.layers = 2, "tensor gates2.weight has shape [0, 0]");
	REFUSES(m.spec.recurrent.window = 3, "window of 3 rows");
	REFUSES(m.spec.recurrent.kind = RECURRENT_AUTOENCODER, "window of 0 rows");
	REFUSES(m.spec.recurrent.kind = RECURRENT_NONE, "view recurrent has a weight but no net");
	REFUSES(m.spec.recurrent.graph.degree = 33, "a graph of degree 33");
	REFUSES(m.spec.recurrent.graph.features = 0, "a graph of degree 2 with 0 features");
	REFUSES(m.spec.quick.hidden = 3, "a quick head of 3 for 4 hidden");
	REFUSES(m.spec.quick.margin = NAN, "quick.margin is nan");
	REFUSES(m.spec.subspace.lags = 0, "0 subspace lags");
	REFUSES(m.spec.subspace.rank = 10, "subspace of rank 10 in 9 columns");
	REFUSES(m.spec.subspace.code_clip = 0, "subspace.code_clip is 0");
	REFUSES(m.spec.z_clip = 1e4f, "z_clip is 10000");
	REFUSES(m.spec.spread_rate = 2, "spread_rate is 2");
	REFUSES(m.spec.view[VIEW_SPREAD].weight = -1, "view spread: weight -1");
	REFUSES(m.spec.view[VIEW_CODE].scale = NAN, "view code: scale is nan");
	REFUSES(m.spec.view[VIEW_SUBSPACE].weight = 0, "view left reads a subspace");
	REFUSES(m.spec.inv_usual = NULL, "tensor subspace.inv_usual is missing");
	REFUSES(m.spec.left.start = NULL, "tensor left.start is missing");
	REFUSES(m.spec.recurrent.graph.neighbour = NULL, "tensor graph.neighbour is missing");
	REFUSES(m.point_limit = -1, "point_limit is -1");
	REFUSES(m.test_rows = 70000, "70000 self-test rows");
	REFUSES(m.spec.lags = 3, "tensor linear.weight has shape [3, 6], expected [3, 9]");
	REFUSES(m.spec.recurrent.gates[0].out = 12, "tensor gates.weight has shape [12, 7]");
	REFUSES(m.spec.recurrent.head = g.m.spec.recurrent.head,
		"tensor head.weight is F32, the linear part is not");
	REFUSES(m.spec.linear = g.m.spec.linear,
		"tensor subspace.encode.weight is I8, the linear part is not");
	REFUSES(m.spec.recurrent.head.weight_f32 = g.m.spec.recurrent.head.weight_f32,
		"both I8 and F32");
	REFUSES(m.spec.linear.scale = NULL, "tensor linear.scale is missing");
	REFUSES(m.spec.linear.weight = NULL, "tensor linear.weight is missing");
	REFUSES(m.spec.mean = NULL, "tensor norm.mean is missing");
	REFUSES(m.test_x = NULL, "tensor test.x is missing");
	REFUSES(m.channel = NULL, "no channel names");
	REFUSES(m.rate_hz = NAN, "rate_hz is nan");
	REFUSES(m.spec.view[VIEW_LEVEL].smooth = NAN, "view level: smooth is nan");
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
