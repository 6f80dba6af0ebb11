// SPDX-License-Identifier: MIT
/*
 * What is deployed, and what is told of a file: the sizes of its parts add up to the file, the
 * products are those of its matrices (counted by hand), a model without a self-test gets one
 * that can fail, one with more rows than it needs loses the rest, and a model that is
 * deployed twice is the same file.
 */
#include "models/train/deploy.h"

#include <errno.h>

#include "models/train/about.h"
#include "test/unit/model_fixture.h"

static void deploy(struct deploy *c, const struct model *m)
{
	struct why why = { "" };

	if (deploy_model(c, m, NULL, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
}

static void about_of(struct about *a, const struct model *m)
{
	struct bytes b;

	CHECK_EQ(model_save(m, in_dir("m"), NULL), 0);
	b = bytes_read(in_dir("m"));
	CHECK_EQ(about_file(a, b.p, b.len, NULL), 0);
	CHECK_EQ(a->bytes, b.len);
	free(b.p);
}

static const struct about_part *part(const struct about *a, const char *name)
{
	for (unsigned i = 0; i < a->parts; i++)
		if (!strcmp(a->part[i].name, name))
			return &a->part[i];
	fprintf(stderr, "there is no part %s\n", name);
	exit(1);
}

/* 3 channels, 2 lags, 4 hidden units, 90 rows. */
static void parts(void)
{
	struct fixture f;
	struct about a;
	uint64_t sum, products = 0;

	fixture_make(&f, 3, 2, 4, 90, true);
	fixture_score(&f);
	about_of(&a, &f.m);
	sum = a.header_bytes + a.padding_bytes;
	for (unsigned i = 0; i < a.parts; i++) {
		sum += a.part[i].bytes;
		products += a.part[i].products;
		CHECK(*a.part[i].what);
	}
	CHECK_EQ(sum, a.bytes);
	CHECK_EQ(products, a.products);
	CHECK_EQ(a.header_bytes % 64, 0);
	CHECK_EQ(part(&a, "linear")->products, 3 * 2 * 3);
	CHECK_EQ(part(&a, "linear")->bytes, 3 * 2 * 3 + 3 * 4 + 3 * 4);
	CHECK_EQ(part(&a, "linear")->tensors, 3);
	CHECK_EQ(part(&a, "gates")->products, 16 * 7);
	CHECK_EQ(part(&a, "head")->products, 3 * 4);
	CHECK_EQ(part(&a, "norm")->products, 0);
	CHECK_EQ(part(&a, "test")->products, 0);	/* a matrix, but none that is multiplied */
	CHECK_EQ(part(&a, "test")->bytes, 90 * 3 * 4 + 90 * 4);
	CHECK_EQ(a.sign.state, SIGN_NONE);
	CHECK_EQ(strlen(a.sha256), 64);
	fixture_free(&f);
}

static void tests_itself(void)
{
	struct fixture f;
	struct about a = { 0 };
	struct why why;

	fixture_make(&f, 3, 2, 4, 90, true);
	fixture_score(&f);
	about_test(&a, &f.m);
	CHECK_EQ(a.kinds, FC_KINDS);
	CHECK_STR(a.kind[FC_REF].name, "reference");
	for (unsigned i = 0; i < a.kinds; i++)
		CHECK(a.kind[i].err != -EBADMSG);
	CHECK_EQ(a.kind[FC_REF].err, 0);
	CHECK_EQ(about_cost(&a, &f.m, &why), 0);
	CHECK(a.row_ns > 0 && a.row_ns < 1e8);
	/* A bit of the last score. */
	((uint32_t *)(uintptr_t)f.m.test_score)[89] ^= 1;
	about_test(&a, &f.m);
	for (unsigned i = 0; i < a.kinds; i++)
		CHECK(a.kind[i].err);
	CHECK_EQ(a.kind[FC_REF].err, -EBADMSG);
	CHECK(strstr(a.kind[FC_REF].why.text, "row 90"));
	fixture_free(&f);

	fixture_make(&f, 3, 2, 4, 90, false);
	fixture_score(&f);
	about_test(&a, &f.m);
	CHECK_EQ(a.kinds, 1);
	CHECK_STR(a.kind[0].name, "float");
	fixture_free(&f);
}

static void deploys(void)
{
	struct bytes once, twice;
	struct deploy c, again;
	struct fixture f;
	struct about a = { 0 };

	/* Float: quantised, and its self-test is the int8 model's own. */
	fixture_make(&f, 3, 2, 4, 200, false);
	fixture_score(&f);
	deploy(&c, &f.m);
	CHECK(c.quantised && !c.test_made);
	CHECK_STR(model_precision(&c.out.m), "int8");
	CHECK_STR(model_precision(&f.m), "float32");
	about_test(&a, &c.out.m);
	CHECK_EQ(a.kind[FC_REF].err, 0);
	/* 200 rows are more than it needs, and the silence at the start is not all that it has. */
	CHECK(c.out.m.test_rows < 200 && c.out.m.test_rows > 64);
	CHECK(c.out.m.test_score[c.out.m.test_rows - 64] > 0);
	CHECK(c.out.m.test_score[c.out.m.test_rows - 1] > 0);
	CHECK_EQ(f.m.test_rows, 200);

	/* int8 already: nothing changes any more. */
	CHECK_EQ(model_save(&c.out.m, in_dir("once"), NULL), 0);
	deploy(&again, &c.out.m);
	CHECK(!again.quantised && !again.test_made);
	CHECK_EQ(model_save(&again.out.m, in_dir("twice"), NULL), 0);
	once = bytes_read(in_dir("once"));
	twice = bytes_read(in_dir("twice"));
	CHECK_EQ(once.len, twice.len);
	CHECK(!memcmp(once.p, twice.p, once.len));
	free(once.p);
	free(twice.p);
	deploy_close(&again);
	deploy_close(&c);
	fixture_free(&f);
}

static void makes_a_test(bool int8)
{
	struct deploy c, again;
	struct fixture f;
	struct about a = { 0 };
	float *score;
	bool differs = false;
	unsigned rows;

	fixture_make(&f, 3, 2, 4, 0, int8);
	CHECK_EQ(f.m.test_rows, 0);
	deploy(&c, &f.m);
	CHECK(c.test_made);
	rows = c.out.m.test_rows;
	CHECK(rows > 64);
	about_test(&a, &c.out.m);
	CHECK_EQ(a.kind[FC_REF].err, 0);
	for (unsigned i = rows - 63; i < rows; i++) {
		CHECK(c.out.m.test_score[i] >= 0);
		differs |= c.out.m.test_score[i] != c.out.m.test_score[i - 1];
	}
	CHECK(differs);
	/* It is always the same one, */
	deploy(&again, &f.m);
	CHECK(!memcmp(again.out.m.test_x, c.out.m.test_x, rows * 3 * sizeof(float)));
	deploy_close(&again);
	/* and another weight would be seen. */
	score = (float *)(uintptr_t)c.out.m.spec.linear.bias;
	score[2] += 1;
	about_test(&a, &c.out.m);
	CHECK_EQ(a.kind[FC_REF].err, -EBADMSG);
	score[2] -= 1;
	deploy_close(&c);
	fixture_free(&f);
}

int main(void)
{
	CHECK(mkdtemp(dir));
	parts();
	tests_itself();
	deploys();
	makes_a_test(true);
	makes_a_test(false);
	unlink(in_dir("m"));
	unlink(in_dir("once"));
	unlink(in_dir("twice"));
	CHECK_EQ(rmdir(dir), 0);
	return 0;
}
