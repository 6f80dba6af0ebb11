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

static void round_trip(unsigned n, unsigned lags, unsigned hidden, unsigned rows, bool int8)
{
	struct fixture f;
	struct model *m;
	struct bytes first, second;
	struct why why;

	fixture_make(&f, n, lags, hidden, rows, int8);
	/* A missing value may be in a row. */
	if (rows)
		((float *)(uintptr_t)f.m.test_x)[0] = NAN;
	CHECK_EQ(model_save(&f.m, in_dir("a"), &why), 0);
	CHECK_EQ(model_load(&m, in_dir("a"), &why), 0);
	same_model(&f.m, m);
	CHECK_STR(model_precision(m), int8 ? "int8" : "float32");
	CHECK_STR(model_precision(&f.m), int8 ? "int8" : "float32");
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
	struct why why;
	char text[32];

	fixture_make(&f, 2, 1, 0, 0, true);
	for (unsigned i = 0; i < 200; i++) {
		f.m.rate_hz = i < 6 ? rates[i] : 100 + 99 * (double)fixture_random(&f);
		f.m.spec.forecast_smooth = (fixture_random(&f) + 1) / 2.1f + 1e-6f;
		f.m.loss_net = (fixture_random(&f) + 1) * 1e-5f;
		CHECK_EQ(model_save(&f.m, in_dir("a"), &why), 0);
		CHECK_EQ(model_load(&m, in_dir("a"), &why), 0);
		CHECK_NEAR(m->rate_hz / f.m.rate_hz, 1, 1e-11);
		snprintf(text, sizeof text, "%.12g", f.m.rate_hz);
		CHECK(m->rate_hz == strtod(text, NULL));
		CHECK(m->spec.forecast_smooth == f.m.spec.forecast_smooth);
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
	struct fixture f;
	struct bytes b;
	char *header;
	size_t size, at;

	fixture_make(&f, 3, 2, 4, 5, true);
	CHECK_EQ(model_save(&f.m, in_dir("a"), NULL), 0);
	b = bytes_read(in_dir("a"));
	header = header_copy(&b);
	CHECK_EQ((8 + strlen(header)) % 64, 0);
	CHECK(strstr(header, "{\\\"schema\\\":1,\\\"name\\\":\\\"pump \\\\\\\"A\\\\\\\"\\\","));
	CHECK(strstr(header, "\\\"precision\\\":\\\"int8\\\",\\\"rate_hz\\\":49.98,\\\"lags\\\":2,"
			     "\\\"hidden\\\":4,"));
	CHECK(strstr(header, "\\\"quantisation\\\":{\\\"z_clip\\\":10,\\\"max\\\":127}"));
	CHECK(strstr(header, "{\\\"name\\\":\\\"chan.1\\\",\\\"unit\\\":\\\"°C\\\"}"));
	CHECK(strstr(header, "\"gates.weight\":{\"dtype\":\"I8\",\"shape\":[16,7],"));
	CHECK(strstr(header, "\"linear.weight\":{\"dtype\":\"I8\",\"shape\":[3,6],"));
	CHECK(strstr(header, "\"test.x\":{\"dtype\":\"F32\",\"shape\":[5,3],"));
	at = tensor_offset(&b, "gates.weight", &size);
	CHECK_EQ(at % 64, 0);
	CHECK_EQ(size, 16 * 7);
	CHECK(!memcmp(b.p + at, f.m.spec.gates.weight, size));
	at = tensor_offset(&b, "tail.level", &size);
	CHECK_EQ(at % 64, 0);
	CHECK_EQ(size, 36);
	CHECK(!memcmp(b.p + at, f.m.spec.level_tail.knot, 32));
	CHECK(!memcmp(b.p + at + 32, &f.m.spec.level_tail.slope, 4));
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

static void self_test(unsigned hidden, bool int8)
{
	enum fc_kind kind = FC_KINDS;
	struct detector_result r;
	struct detector *d;
	struct fixture f;
	struct model *m;
	struct why why;
	uint8_t valid[3] = { 1, 1, 1 };
	float *score, was;

	fixture_make(&f, 3, 2, hidden, 40, int8);
	((float *)(uintptr_t)f.m.test_x)[10] = NAN;
	fixture_score(&f);
	CHECK(f.m.test_score[39] > 0);
	CHECK_EQ(model_save(&f.m, in_dir("a"), &why), 0);
	CHECK_EQ(model_load(&m, in_dir("a"), &why), 0);
	CHECK_EQ(model_detector(&d, m, FC_REF, &why), 0);
	/* It comes back reset: the same rows give the same scores. */
	for (unsigned i = 0; i < m->test_rows; i++) {
		detector_step(d, m->test_x + 3 * i, valid, &r);
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
	unsigned n, lags, hidden, rows;
	bool int8;
} seed[] = {
	{ "int8", 3, 2, 4, 6, true }, { "float32", 2, 1, 2, 6, false },
	{ "linear-int8", 4, 3, 0, 0, true }, { "linear-float32", 1, 1, 0, 4, false },
};
#define SEEDS (sizeof seed / sizeof *seed)

static int write_seeds(const char *to)
{
	for (unsigned i = 0; i < SEEDS; i++) {
		const struct seed *s = &seed[i];
		char path[512];
		struct fixture f;

		fixture_make(&f, s->n, s->lags, s->hidden, s->rows, s->int8);
		fixture_score(&f);
		snprintf(path, sizeof path, "%s/%s", to, s->name);
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
 * The committed seeds are files of schema 1 as well: they must stay readable.
 * "-python" are two of them as rewritten by the Python package safetensors 0.4.5:
 * other order, other padding, the same model.
 */
static void old_files(void)
{
	for (unsigned i = 0; i < SEEDS; i++) {
		struct model *m = load_seed(seed[i].name), *other;
		char name[64];

		CHECK_EQ(m->spec.channels, seed[i].n);
		CHECK_EQ(m->spec.hidden, seed[i].hidden);
		if (seed[i].hidden) {
			snprintf(name, sizeof name, "%s-python", seed[i].name);
			other = load_seed(name);
			same_model(m, other);
			model_free(other);
		}
		model_free(m);
	}
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--seeds"))
		return write_seeds(argv[2]);
	old_files();
	CHECK(mkdtemp(dir));
	for (unsigned int8 = 0; int8 < 2; int8++) {
		round_trip(3, 2, 4, 5, int8);
		round_trip(1, 1, 0, 0, int8);
		round_trip(17, 3, 0, 1, int8);
		round_trip(8, 5, 16, 300, int8);
	}
	round_trip(4096, 1, 0, 0, true);
	awkward_numbers();
	by_hand();
	bad_paths();
	for (unsigned int8 = 0; int8 < 2; int8++) {
		self_test(0, int8);
		self_test(8, int8);
	}
	unlink(in_dir("a"));
	unlink(in_dir("b"));
	CHECK_EQ(rmdir(dir), 0);
	return 0;
}
