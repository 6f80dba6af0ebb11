// SPDX-License-Identifier: MIT
/* A pipeline that is given the general model: its own channels, its own rate, a minute of measuring. */
#include <errno.h>

#include "agent/general.h"
#include "agent/shadow.h"
#include "models/expand.h"
#include "test/unit/pipeline_fixture.h"

#define SHIPPED "models/general.safetensors"
#define RATE 10

static struct model *shipped(void)
{
	struct model *m;
	struct why why;

	if (model_load(&m, SHIPPED, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	CHECK(model_is_general(m));
	return m;
}

static void deliver(struct pipeline *p, uint64_t t_ns, uint32_t *seed, float off)
{
	for (unsigned i = 0; i < FIXTURE_CHANNELS; i++) {
		float v = (float)fixture_random(seed) * 0x1p-24f;

		frame_put(&p->frame, i, v * (float)(1 + 100 * i) + (i == 3 ? off : 0), t_ns);
	}
}

static void judges(void)
{
	struct pipeline_config *c = fixture_config(RATE);
	struct pipeline_model *pm;
	struct pipeline_result r;
	struct pipeline p;
	uint32_t seed = 3;
	unsigned departed[8];

	CHECK_EQ(pipeline_model_open(&pm, shipped(), c, FC_XNN, NULL), 0);
	CHECK_EQ(pm->model->spec.channels, FIXTURE_CHANNELS);
	CHECK_EQ(pm->model->spec.online, 60 * RATE);
	CHECK_STR(pm->model->channel[4].name, "e");
	pipeline_init(&p, FIXTURE_CHANNELS, 1000000000);
	pipeline_swap(&p, pm);
	for (unsigned i = 1; i <= 3000; i++) {
		uint64_t t = i * 100000000ull;

		deliver(&p, t, &seed, i > 2900 ? 1e4f : 0);
		pipeline_step(&p, t, &r);
		CHECK_EQ(r.scored, i > 60 * RATE + pm->model->spec.lags);
		CHECK(i > 2900 || !r.alarm);
	}
	CHECK(r.alarm);
	CHECK_EQ(pipeline_departed(&p, departed, 8), 1);
	CHECK_EQ(departed[0], 3);
	pipeline_model_close(pipeline_swap(&p, NULL));
	fixture_free(c);
}

/* The same rate for everyone: a shadow of it, and a slow pipeline. */
static void any_rate(void)
{
	static const double rates[] = { 0.1, 1, 50, 1000 };

	for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++) {
		struct pipeline_config *c = fixture_config(rates[i]);
		struct pipeline_model *pm;
		struct shadow *s;
		unsigned rows = (unsigned)(60 * rates[i] + 0.5);

		CHECK_EQ(pipeline_model_open(&pm, shipped(), c, FC_REF, NULL), 0);
		CHECK_EQ(pm->model->spec.online, rows > 128 ? rows : 128);
		CHECK(isfinite(pm->verdict.limit) && pm->verdict.limit > 0);
		CHECK_EQ(shadow_open(&s, shipped(), c, 1, NULL), 0);
		shadow_close(s);
		pipeline_model_close(pm);
		fixture_free(c);
	}
}

static void put_file(const char *path)
{
	FILE *f = fopen(path, "w");

	CHECK(f && !fclose(f));
}

/* Where it is found: beside the sensor library, unless somebody is trusted by name. */
static void found(void)
{
	char top[] = "/tmp/sonde-general-XXXXXX", path[256], file[64];
	struct config *c = calloc(1, sizeof *c);

	CHECK(c && mkdtemp(top));
	snprintf(c->sensors_dir, sizeof c->sensors_dir, "%s/sensors", top);
	snprintf(file, sizeof file, "%s/general.safetensors", top);
	strcpy(path, "as it was");
	CHECK(!general_path(c, path, sizeof path));
	put_file(file);
	CHECK(!general_path(c, path, strlen(file)));
	CHECK_STR(path, "as it was");
	CHECK(general_path(c, path, sizeof path));
	CHECK_STR(path, file);
	strcpy(c->trusted_key, "/k");
	CHECK(!general_path(c, path, sizeof path));
	strcpy(c->trusted_key, "");
	strcpy(c->trusted_keys, "/k");
	CHECK(!general_path(c, path, sizeof path));
	unlink(file);
	rmdir(top);
	free(c);
}

int main(void)
{
	judges();
	any_rate();
	found();
	return 0;
}
