// SPDX-License-Identifier: MIT
/*
 * model_lies: a model file that is cut, flipped, or has one thing wrong in it is
 * refused, with a reason that names the file, the place and the value. Each
 * check of the loader has a line here.
 */
#include "models/model.h"

#include <errno.h>

#include "kernels/why.h"
#include "test/unit/model_fixture.h"

static int parse_copy(const uint8_t *p, size_t len, struct why *why)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct model *m;
	int err;

	memcpy(copy, p, len);
	err = model_parse(&m, copy, len, "FILE", why);
	if (!err)
		model_free(m);
	free(copy);
	return err;
}

static void cut_and_flipped(const struct bytes *b)
{
	unsigned accepted = 0, refused = 0;
	struct why why;

	for (size_t len = 0; len < b->len; len++) {
		why.text[0] = '\0';
		CHECK_EQ(parse_copy(b->p, len, &why), -EINVAL);
		CHECK(!strncmp(why.text, "FILE: ", 6) && strlen(why.text) > 10);
	}
	for (size_t i = 0; i < b->len; i++) {
		static const uint8_t flips[] = { 0x01, 0x80, 0xff };
		uint8_t was = b->p[i];

		for (unsigned k = 0; k < 3; k++) {
			b->p[i] = was ^ flips[k];
			if (parse_copy(b->p, b->len, &why))
				refused++;
			else
				accepted++;
		}
		b->p[i] = was;
	}
	CHECK(accepted > 100);
	CHECK(refused > 1000);
}

static void expect(const struct bytes *b, const char *what, const char *reason)
{
	struct why why = { "" };
	int err = parse_copy(b->p, b->len, &why);

	if (err == -EINVAL && !strncmp(why.text, "FILE: ", 6) && strstr(why.text, reason))
		return;
	fprintf(stderr, "%s: gave %d \"%s\", expected \"%s\"\n", what, err, why.text, reason);
	exit(1);
}

static void lies_in_header(const struct bytes *good)
{
	static const struct {
		const char *from, *to, *reason;
	} all[] = {
		{ "\"sonde\":", "\"probe\":", "__metadata__ has no \"sonde\"" },
		{ "{\\\"schema", "[\\\"schema", "not JSON" },
		{ "\\\"schema\\\":1", "\\\"schema\\\":2", "schema 2: this sonde reads schema 1" },
		{ "\\\"schema\\\":1,", "", "has no \"schema\"" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":2,\\\"lags\\\":2", "has \"lags\" twice" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":0", "0 lags of 3 channels" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":21846", "21846 lags of 3 channels" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":1431655766", "too large" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":4294967298", "too large" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":2.5", "\"lags\" is not a whole number" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":-2", "\"lags\" is not a whole number" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":3",
		  "tensor linear.weight has shape [3, 6], expected [3, 9]" },
		{ "\\\"hidden\\\":4", "\\\"hidden\\\":4097", "too large" },
		{ "\\\"hidden\\\":4", "\\\"hidden\\\":5",
		  "tensor gates.weight has shape [16, 7], expected [20, 8]" },
		{ "\\\"hidden\\\":4", "\\\"hidden\\\":0",
		  "tensor gates.weight in a model with hidden 0" },
		{ "\\\"int8\\\"", "\\\"int4\\\"", "precision \"int4\" is neither" },
		{ "\\\"int8\\\"", "\\\"float32\\\"", "tensor linear.weight is I8, expected F32" },
		{ "\\\"max\\\":127", "\\\"max\\\":63", "10 in 63 steps, expected 10 in 127" },
		{ "\\\"z_clip\\\":10", "\\\"z_clip\\\":8", "8 in 127 steps" },
		{ "\\\"quantisation\\\"", "\\\"q\\\"", "has no \"quantisation\"" },
		{ "\\\"rate_hz\\\":49.98", "\\\"rate_hz\\\":0", "rate_hz is 0" },
		{ "\\\"rate_hz\\\":49.98", "\\\"rate_hz\\\":-1", "rate_hz is -1" },
		{ "\\\"rate_hz\\\":49.98", "\\\"rate_hz\\\":1e999", "\"rate_hz\" is not a number" },
		{ "\\\"rate_hz\\\":49.98", "\\\"rate_hz\\\":\\\"50\\\"",
		  "\"rate_hz\" is not a number" },
		{ "\\\"forecast\\\":0.4", "\\\"forecast\\\":0", "smooth.forecast is 0" },
		{ "\\\"level\\\":0.1", "\\\"level\\\":1.5", "smooth.level is 1.5" },
		{ "\\\"smooth\\\":{", "\\\"smooth\\\":1,\\\"s\\\":{",
		  "smooth is not a JSON object" },
		{ "\\\"channels\\\":[", "\\\"channels\\\":1,\\\"c\\\":[", "no list of channels" },
		{ "\\\"channels\\\":[", "\\\"channels\\\":[],\\\"c\\\":[", "0 channels" },
		{ "{\\\"name\\\":\\\"chan.1\\\"", "7,{\\\"name\\\":\\\"chan.1\\\"",
		  "channel 1 is not a JSON object" },
		{ "\\\"chan.1\\\"", "\\\"chan.0\\\"", "two channels have the name chan.0" },
		{ "\\\"chan.1\\\"", "\\\"\\\"", "channel 1: name is empty" },
		{ "\\\"chan.1\\\"", "\\\"a\\\\u001b[2J\\\"",
		  "channel 1: \"name\" has unprintable" },
		{ "\\\"chan.1\\\"", "\\\"a\\\\u0000\\\"", "not JSON" },
		{ "\\\"chan.1\\\"", "\\\"12345678901234567890123456789012\\\"",
		  "longer than 31 bytes" },
		{ "\\\"°C\\\"", "\\\"123456789012\\\"", "longer than 11 bytes" },
		{ "\\\"°C\\\"", "12", "\"unit\" is not a string" },
		{ "{\\\"name\\\":\\\"chan.2\\\",\\\"unit\\\":\\\"\\\"}",
		  "{\\\"name\\\":\\\"c\\\"},{\\\"name\\\":\\\"d\\\"}",
		  "tensor norm.mean has shape [3], expected [4]" },
		{ "\\\"name\\\":\\\"pump \\\\\\\"A\\\\\\\"\\\"", "\\\"name\\\":\\\"\\\"",
		  "model's name is empty" },
		{ "\\\"data_sha256\\\":\\\"a", "\\\"data_sha256\\\":\\\"A", "data_sha256 is not" },
		{ "\\\"data_sha256\\\":\\\"a", "\\\"data_sha256\\\":\\\"", "data_sha256 is not" },
		{ "\\\"loss_net\\\":0.3", "\\\"loss_net\\\":-0.3", "a loss of 0.5 or -0.3" },
		{ "\\\"rows\\\":3000", "\\\"rows\\\":\\\"many\\\"",
		  "\"rows\" is not a whole number" },
		{ "\"norm.mean\"", "\"norm.men\"", "tensor norm.mean is missing" },
		{ "\"gates.scale\"", "\"gates.scales\"", "tensor gates.scale is missing" },
		{ "\"test.x\"", "\"test.y\"", "tensor test.x is missing" },
		{ "\"test.score\"", "\"test.scores\"", "tensor test.score is missing" },
		{ "\"test.score\":{\"dtype\":\"F32\",\"shape\":[5]",
		  "\"test.score\":{\"dtype\":\"F32\",\"shape\":[5,1]", "test.score is not a list" },
		{ "\"test.x\":{\"dtype\":\"F32\",\"shape\":[5,3]",
		  "\"test.x\":{\"dtype\":\"F32\",\"shape\":[3,5]",
		  "tensor test.x has shape [3, 5], expected [5, 3]" },
		{ "\"gates.weight\":{\"dtype\":\"I8\",\"shape\":[16,7]",
		  "\"gates.weight\":{\"dtype\":\"I8\",\"shape\":[8,14]",
		  "tensor gates.weight has shape [8, 14], expected [16, 7]" },
		{ "\"skip\":{\"dtype\":\"F32\"", "\"skip\":{\"dtype\":\"I32\"",
		  "tensor skip is I32, expected F32" },
		{ "\"skip\":{\"dtype\":\"F32\",\"shape\":[3]",
		  "\"skip\":{\"dtype\":\"F32\",\"shape\":[3,1]",
		  "tensor skip has shape [3, 1], expected [3]" },
		{ "\"tail.score\":{\"dtype\":\"F32\",\"shape\":[9]",
		  "\"tail.score\":{\"dtype\":\"F32\",\"shape\":[3,3]",
		  "tensor tail.score has shape [3, 3], expected [9]" },
	};

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		struct bytes b = edited(good, all[i].from, all[i].to);

		expect(&b, all[i].to, all[i].reason);
		free(b.p);
	}
}

static void lies_in_numbers(const struct bytes *good)
{
	static const struct {
		const char *tensor;
		unsigned element;
		float value;
		const char *reason;
	} all[] = {
		{ "norm.mean", 2, NAN,
		  "tensor norm.mean: element 2 is nan, must be a finite number" },
		{ "norm.inv_std", 0, 0,
		  "norm.inv_std: element 0 is 0, must be finite and above 0" },
		{ "norm.inv_std", 1, -1, "norm.inv_std: element 1 is -1" },
		{ "norm.inv_std", 1, INFINITY, "norm.inv_std: element 1 is inf" },
		{ "skip", 1, 0.5f, "skip: element 1 is 0.5, must be 0 or 1" },
		{ "skip", 2, 1, "level.weight: element 2 is 1.29" },
		{ "skip", 0, NAN, "skip: element 0 is nan" },
		{ "white.inv_sigma", 1, -1, "white.inv_sigma: element 1 is -1" },
		{ "level.weight", 2, NAN, "level.weight: element 2 is nan" },
		{ "level.weight", 0, 1, "level.weight: element 0 is 1 where skip is 1" },
		{ "departure", 0, -2, "departure: element 0 is -2" },
		{ "linear.scale", 2, 0, "linear.scale: element 2 is 0, must be a normal float" },
		{ "gates.scale", 15, 1e-40f,
		  "gates.scale: element 15 is 9.99995e-41, must be a normal" },
		{ "head.scale", 0, INFINITY, "head.scale: element 0 is inf" },
		{ "linear.bias", 0, NAN, "linear.bias: element 0 is nan" },
		{ "gates.bias", 3, -INFINITY, "gates.bias: element 3 is -inf" },
		{ "head.bias", 2, NAN, "head.bias: element 2 is nan" },
		{ "tail.forecast", 3, -1, "tail.forecast: knot 3 is -1, below knot 2" },
		{ "tail.level", 7, NAN, "tail.level: element 7 is nan" },
		{ "tail.level", 8, 0, "tail.level: the slope is 0" },
		{ "tail.score", 8, INFINITY, "tail.score: the slope is inf" },
		{ "test.x", 14, INFINITY, "test.x: element 14 is inf, must be finite or NaN" },
		{ "test.score", 4, NAN, "test.score: element 4 is nan" },
		{ "test.score", 0, -1, "test.score: element 0 is -1" },
	};

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		struct bytes b = edited(good, "{", "{");

		memcpy(b.p + tensor_offset(&b, all[i].tensor, NULL) +
		       all[i].element * sizeof(float), &all[i].value, sizeof(float));
		expect(&b, all[i].tensor, all[i].reason);
		free(b.p);
	}
	for (unsigned i = 0; i < 3; i++) {
		static const char *const tensor[] = { "linear.weight", "gates.weight",
						      "head.weight" };
		struct bytes b = edited(good, "{", "{");

		b.p[tensor_offset(&b, tensor[i], NULL) + 5] = 0x80;
		expect(&b, tensor[i], "element 5 is -128, must be at least -127");
		free(b.p);
	}
}

/* What has no provenance and no units is still a model. */
static void leaves_out(const struct bytes *good)
{
	struct bytes a = edited(good, "\\\"provenance\\\"", "\\\"later\\\"");
	struct bytes b = edited(&a, ",\\\"unit\\\":\\\"\\\"", "");
	struct model *m;
	struct why why;

	CHECK_EQ(model_parse(&m, b.p, b.len, "FILE", &why), 0);
	CHECK_STR(m->created, "");
	CHECK(!m->rows && !m->seed);
	model_free(m);
	free(a.p);
	free(b.p);
}

int main(void)
{
	struct fixture f;
	struct bytes b;

	CHECK(mkdtemp(dir));
	fixture_make(&f, 3, 2, 4, 5, true);
	CHECK_EQ(model_save(&f.m, in_dir("a"), NULL), 0);
	b = bytes_read(in_dir("a"));
	unlink(in_dir("a"));
	rmdir(dir);
	CHECK_EQ(parse_copy(b.p, b.len, NULL), 0);
	lies_in_header(&b);
	lies_in_numbers(&b);
	leaves_out(&b);
	cut_and_flipped(&b);
	free(b.p);
	fixture_free(&f);
	return 0;
}
