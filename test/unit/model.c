// SPDX-License-Identifier: MIT
/*
 * model: what is saved comes back bit for bit, and lies in the file as FORMAT.md has
 * it; the self-test catches a changed bit. Saves that fail are model_save.c's,
 * files that are damaged or lie model_lies.c's.
 *
 * `model --seeds DIR` writes the seeds of the fuzz target instead.
 */
#include "models/model.h"

#include <errno.h>
#include <sys/stat.h>

#include "kernels/why.h"
#include "test/unit/model_fixture.h"

/* ---- round trip ---- */

static void round_trip(const struct fixture_shape *shape)
{
	struct fixture f;
	struct model *m;
	struct bytes first, second;
	struct why why;

	fixture_shaped(&f, shape);
	/* A missing value may be in a row. */
	if (shape->rows)
		((float *)(uintptr_t)f.m.test_x)[0] = NAN;
	CHECK_EQ(model_save(&f.m, in_dir("a"), &why), 0);
	CHECK_EQ(model_load(&m, in_dir("a"), &why), 0);
	same_model(&f.m, m);
	CHECK_STR(model_precision(m), shape->int8 ? "int8" : "float32");
	CHECK_STR(model_precision(&f.m), shape->int8 ? "int8" : "float32");
	CHECK_EQ(model_save(m, in_dir("b"), &why), 0);
	model_free(m);
	first = bytes_read(in_dir("a"));
	second = bytes_read(in_dir("b"));
	CHECK(first.len == second.len && !memcmp(first.p, second.p, first.len));
	free(first.p);
	free(second.p);
	fixture_free(&f);
}

/* Rates and smoothing whose decimal text is awkward; the file is stable after one save. */
static void awkward_numbers(void)
{
	static const double rates[] = { 1e-3, 1.0 / 3, 49.9800079968, 50, 1e6, 999999.999999 };
	struct fixture f;
	struct model *m, *again;
	struct view_spec *view;
	struct why why;
	char text[32];

	fixture_make(&f, 2, 1, 0, 0, true);
	view = &f.m.spec.view[VIEW_FORECAST];
	for (unsigned i = 0; i < 200; i++) {
		f.m.rate_hz = i < 6 ? rates[i] : 100 + 99 * (double)fixture_random(&f);
		view->smooth = (fixture_random(&f) + 1) / 2.1f + 1e-6f;
		view->scale = (fixture_random(&f) + 1) * 1e-3f;
		f.m.spec.z_clip = fixture_random(&f) + 1.3f;
		f.m.loss_net = (fixture_random(&f) + 1) * 1e-5f;
		CHECK_EQ(model_save(&f.m, in_dir("a"), &why), 0);
		CHECK_EQ(model_load(&m, in_dir("a"), &why), 0);
		CHECK_NEAR(m->rate_hz / f.m.rate_hz, 1, 1e-11);
		snprintf(text, sizeof text, "%.12g", f.m.rate_hz);
		CHECK(m->rate_hz == strtod(text, NULL));
		CHECK(!memcmp(m->spec.view, f.m.spec.view, sizeof f.m.spec.view));
		CHECK(m->spec.z_clip == f.m.spec.z_clip);
		CHECK(m->loss_net == f.m.loss_net);
		CHECK_EQ(model_save(m, in_dir("a"), &why), 0);
		CHECK_EQ(model_load(&again, in_dir("a"), &why), 0);
		CHECK(again->rate_hz == m->rate_hz);
		model_free(again);
		model_free(m);
	}
	fixture_free(&f);
}

/* The file as FORMAT.md has it, without our reader. */
static void by_hand(void)
{
	static const struct fixture_shape shape = {
		.n = 3, .lags = 2, .rank = 5, .spread = true, .kind = RECURRENT_FORECAST,
		.hidden = 4, .layers = 2, .features = 2, .degree = 2, .quick = true, .rows = 5,
		.int8 = true,
	};
	static const char *const text[] = {
		"{\\\"schema\\\":2,\\\"name\\\":\\\"pump \\\\\\\"A\\\\\\\"\\\",",
		"\\\"precision\\\":\\\"int8\\\",\\\"rate_hz\\\":49.98,"
		"\\\"point_limit\\\":2.125,"
		"\\\"lags\\\":2,\\\"online\\\":0,\\\"z_clip\\\":10,",
		"\\\"quantisation\\\":{\\\"max\\\":127,\\\"activation\\\":\\\"static\\\"},",
		"\\\"views\\\":{\\\"level\\\":{"
		"\\\"weight\\\":1,\\\"smooth\\\":0.9,\\\"scale\\\":0.7},",
		"\\\"spread_rate\\\":0.04,",
		"\\\"subspace\\\":{\\\"lags\\\":3,\\\"rank\\\":5,\\\"code_clip\\\":7.5},",
		"\\\"recurrent\\\":{\\\"kind\\\":\\\"forecast\\\",\\\"hidden\\\":4,"
		"\\\"layers\\\":2,"
		"\\\"window\\\":0,\\\"features\\\":2,\\\"degree\\\":2},",
		"\\\"quick\\\":{\\\"margin\\\":2.944439},",
		"{\\\"name\\\":\\\"chan.1\\\",\\\"unit\\\":\\\"°C\\\"}",
		"\"linear.weight\":{\"dtype\":\"I8\",\"shape\":[3,6],",
		"\"subspace.encode.weight\":{\"dtype\":\"I8\",\"shape\":[5,9],",
		"\"subspace.decode.weight\":{\"dtype\":\"I8\",\"shape\":[9,5],",
		"\"subspace.decode.scale\":{\"dtype\":\"F32\",\"shape\":[9],",
		"\"subspace.inv_sigma\":{\"dtype\":\"F32\",\"shape\":[9],",
		"\"subspace.inv_usual\":{\"dtype\":\"F32\",\"shape\":[3],",
		"\"spread.inv_dev\":{\"dtype\":\"F32\",\"shape\":[3],",
		"\"left.start\":{\"dtype\":\"F32\",\"shape\":[3],",
		"\"code.center\":{\"dtype\":\"F32\",\"shape\":[5],",
		"\"gates.weight\":{\"dtype\":\"I8\",\"shape\":[16,7],",
		"\"gates2.weight\":{\"dtype\":\"I8\",\"shape\":[16,8],",
		"\"head.weight\":{\"dtype\":\"I8\",\"shape\":[3,4],",
		"\"recurrent.inv_sigma\":{\"dtype\":\"F32\",\"shape\":[3],",
		"\"graph.neighbour\":{\"dtype\":\"I32\",\"shape\":[3,2],",
		"\"graph.edge\":{\"dtype\":\"F32\",\"shape\":[3,2],",
		"\"node.weight\":{\"dtype\":\"I8\",\"shape\":[6,4],",
		"\"graph.own\":{\"dtype\":\"F32\",\"shape\":[3,2],",
		"\"graph.mix\":{\"dtype\":\"F32\",\"shape\":[2,2],",
		"\"graph.mix_bias\":{\"dtype\":\"F32\",\"shape\":[2],",
		"\"graph.fuse\":{\"dtype\":\"F32\",\"shape\":[3,2],",
		"\"quick.weight\":{\"dtype\":\"F32\",\"shape\":[2,10],",
		"\"quick.bias\":{\"dtype\":\"F32\",\"shape\":[2],",
		"\"test.x\":{\"dtype\":\"F32\",\"shape\":[5,3],",
	};
	struct fixture f;
	struct bytes b;
	char *header;
	size_t size, at;

	fixture_shaped(&f, &shape);
	CHECK_EQ(model_save(&f.m, in_dir("a"), NULL), 0);
	b = bytes_read(in_dir("a"));
	header = header_copy(&b);
	CHECK_EQ((8 + strlen(header)) % 64, 0);
	for (unsigned i = 0; i < sizeof text / sizeof *text; i++)
		if (!strstr(header, text[i])) {
			fprintf(stderr, "no %s in %s\n", text[i], header);
			exit(1);
		}
	at = tensor_offset(&b, "gates.weight", &size);
	CHECK_EQ(at % 64, 0);
	CHECK_EQ(size, 16 * 7);
	CHECK(!memcmp(b.p + at, f.m.spec.recurrent.gates[0].weight, size));
	at = tensor_offset(&b, "graph.neighbour", &size);
	CHECK_EQ(size, 3 * 2 * 4);
	CHECK(!memcmp(b.p + at, f.m.spec.recurrent.graph.neighbour, size));
	at = tensor_offset(&b, "tail.score", &size);
	CHECK_EQ(at % 64, 0);
	CHECK_EQ(size, 36);
	CHECK(!memcmp(b.p + at, f.m.tail.knot, 32));
	CHECK(!memcmp(b.p + at + 32, &f.m.tail.slope, 4));
	free(header);
	free(b.p);
	fixture_free(&f);
}

static void bad_paths(void)
{
	struct model *m;
	struct why why;

	CHECK_EQ(model_load(&m, in_dir("absent"), &why), -ENOENT);
	CHECK(strstr(why.text, "absent: No such file"));
	CHECK_EQ(model_load(&m, dir, &why), -EINVAL);
	CHECK(strstr(why.text, "not a regular file"));
	CHECK_EQ(mkfifo(in_dir("fifo"), 0600), 0);
	CHECK_EQ(model_load(&m, in_dir("fifo"), &why), -EINVAL);
	CHECK(strstr(why.text, "not a regular file"));
	unlink(in_dir("fifo"));
	bytes_write(in_dir("empty"), "", 0);
	CHECK_EQ(model_load(&m, in_dir("empty"), &why), -EINVAL);
	CHECK(strstr(why.text, "empty: 0 bytes: too short"));
	CHECK_EQ(truncate(in_dir("empty"), (off_t)MODEL_FILE_MAX + 1), 0);
	CHECK_EQ(model_load(&m, in_dir("empty"), &why), -EFBIG);
	unlink(in_dir("empty"));
	model_free(NULL);
}

/* ---- on this machine ---- */

static void self_test(const struct fixture_shape *shape)
{
	enum fc_kind kind = FC_KINDS;
	struct detector_result r;
	struct detector *d;
	struct fixture f;
	struct model *m;
	struct why why;
	unsigned n = shape->n;
	uint8_t valid[64];
	float *score, was;

	memset(valid, 1, sizeof valid);
	CHECK(n <= sizeof valid && shape->rows == 40);
	fixture_shaped(&f, shape);
	((float *)(uintptr_t)f.m.test_x)[10] = NAN;
	fixture_score(&f);
	CHECK(f.m.test_score[39] > 0);
	CHECK_EQ(model_save(&f.m, in_dir("a"), &why), 0);
	CHECK_EQ(model_load(&m, in_dir("a"), &why), 0);
	CHECK_EQ(model_detector(&d, m, FC_REF, &why), 0);
	/* It comes back reset: the same rows give the same scores. */
	for (unsigned i = 0; i < m->test_rows; i++) {
		detector_step(d, m->test_x + n * i, valid, &r);
		CHECK(!memcmp(&r.score, &f.m.test_score[i], sizeof r.score));
	}
	detector_close(d);
	CHECK_EQ(model_detector_best(&d, m, &kind, &why), 0);
	CHECK(kind < FC_KINDS);
	detector_close(d);
	CHECK_EQ(model_detector_best(&d, m, NULL, &why), 0);
	detector_close(d);
	model_free(m);

	score = (float *)(uintptr_t)f.m.test_score;
	was = score[30];
	score[30] = nextafterf(was, INFINITY);
	CHECK_EQ(model_detector(&d, &f.m, FC_REF, &why), -EBADMSG);
	CHECK(strstr(why.text, "self-test row 31 of 40"));
	CHECK_EQ(model_detector_best(&d, &f.m, &kind, &why), -EBADMSG);
	score[30] = was;
	fixture_free(&f);
}

static const struct seed {
	const char *name;
	struct fixture_shape shape;
} seed[] = {
	{ "level", { .n = 1, .lags = 1, .rows = 4 } },
	{ "subspace", { .n = 3, .lags = 1, .rank = 2, .spread = true, .rows = 6 } },
	{ "net", { .n = 2, .lags = 1, .kind = RECURRENT_FORECAST, .hidden = 2, .quick = true,
		   .rows = 6 } },
	{ "net-int8", { .n = 3, .lags = 2, .kind = RECURRENT_FORECAST, .hidden = 4, .layers = 2,
			.rows = 6, .int8 = true } },
	{ "graph-int8", { .n = 3, .lags = 1, .rank = 2, .kind = RECURRENT_FORECAST, .hidden = 2,
			  .features = 2, .degree = 3, .quick = true, .int8 = true } },
	{ "autoencoder-int8", { .n = 2, .lags = 1, .kind = RECURRENT_AUTOENCODER, .hidden = 2,
				.window = 3, .rows = 6, .int8 = true } },
	{ "dynamic", { .n = 2, .lags = 2, .rank = 3, .kind = RECURRENT_FORECAST, .hidden = 2,
		       .features = 1, .degree = 2, .int8 = true, .dynamic = true } },
	{ "online", { .n = 2, .lags = 1, .spread = true, .online = 5, .rows = 12, .int8 = true } },
};
#define SEEDS (sizeof seed / sizeof *seed)

static int write_seeds(const char *to)
{
	for (unsigned i = 0; i < SEEDS; i++) {
		char path[512];
		struct fixture f;

		fixture_shaped(&f, &seed[i].shape);
		fixture_score(&f);
		snprintf(path, sizeof path, "%s/%s", to, seed[i].name);
		CHECK_EQ(model_save(&f.m, path, NULL), 0);
		fixture_free(&f);
	}
	return 0;
}

static struct model *load_seed(const char *name)
{
	struct model *m = NULL;
	struct why why;
	char path[128];

	snprintf(path, sizeof path, "test/fuzz/corpus/model/%s", name);
	if (model_load(&m, path, &why))
		fprintf(stderr, "%s\n", why.text);
	CHECK(m);
	return m;
}

/*
 * The committed seeds are files of schema 2 as well: they must stay readable, and mean the same.
 * "-python" are two of them as rewritten by the Python package safetensors: other order, other
 * padding, the same model.
 */
static void old_files(void)
{
	static const char *const python[] = { "net", "graph-int8" };

	for (unsigned i = 0; i < SEEDS; i++) {
		struct model *m = load_seed(seed[i].name);
		struct fixture f;

		fixture_shaped(&f, &seed[i].shape);
		fixture_score(&f);
		same_model(&f.m, m);
		model_free(m);
		fixture_free(&f);
	}
	for (unsigned i = 0; i < sizeof python / sizeof *python; i++) {
		char name[64];
		struct model *m = load_seed(python[i]), *other;

		snprintf(name, sizeof name, "%s-python", python[i]);
		other = load_seed(name);
		same_model(m, other);
		model_free(other);
		model_free(m);
	}
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--seeds"))
		return write_seeds(argv[2]);
	old_files();
	CHECK(mkdtemp(dir));
	for (unsigned i = 0; i < SEEDS; i++)
		for (unsigned form = 0; form < 3; form++) {
			struct fixture_shape shape = seed[i].shape;

			shape.int8 = form > 0;
			shape.dynamic = form > 1;
			round_trip(&shape);
			shape.n = 17;
			shape.lags = 5;
			shape.rows = 40;
			round_trip(&shape);
			self_test(&shape);
		}
	round_trip(&(struct fixture_shape){ .n = 4096, .lags = 1, .int8 = true });
	awkward_numbers();
	by_hand();
	bad_paths();
	unlink(in_dir("a"));
	unlink(in_dir("b"));
	CHECK_EQ(rmdir(dir), 0);
	return 0;
}
