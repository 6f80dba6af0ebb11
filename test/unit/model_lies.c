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
	size_t header = 8 + header_length(b);
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
		/* Text minds every bit; of a number the ends do. */
		unsigned some = i < header ? 3 : 1;

		for (unsigned k = 0; k < some; k++) {
			b->p[i] = was ^ flips[(i + k) % 3];
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
		{ "\\\"schema\\\":2", "\\\"schema\\\":1", "schema 1: this sonde reads schema 2" },
		{ "\\\"schema\\\":2,", "", "has no \"schema\"" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":2,\\\"lags\\\":2", "has \"lags\" twice" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":0", "0 lags of 3 channels" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":21846", "21846 lags of 3 channels" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":1431655766", "too large" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":4294967298", "too large" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":2.5", "\"lags\" is not a whole number" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":-2", "\"lags\" is not a whole number" },
		{ "\\\"lags\\\":2", "\\\"lags\\\":3",
		  "tensor linear.weight has shape [3, 6], expected [3, 9]" },
		{ "\\\"lags\\\":3,\\\"rank\\\":4", "\\\"lags\\\":0,\\\"rank\\\":4",
		  "0 subspace lags of 3 channels" },
		{ "\\\"lags\\\":3,\\\"rank\\\":4", "\\\"lags\\\":21846,\\\"rank\\\":4",
		  "21846 subspace lags of 3 channels" },
		{ "\\\"lags\\\":3,\\\"rank\\\":4", "\\\"lags\\\":3,\\\"rank\\\":10",
		  "subspace of rank 10 in 9 columns" },
		{ "\\\"lags\\\":3,\\\"rank\\\":4", "\\\"lags\\\":3,\\\"rank\\\":0",
		  "subspace of rank 0" },
		{ "\\\"lags\\\":3,\\\"rank\\\":4", "\\\"lags\\\":3,\\\"rank\\\":5",
		  "tensor code.start has shape [4], expected [5]" },
		{ "\\\"lags\\\":3,\\\"rank\\\":4", "\\\"lags\\\":4,\\\"rank\\\":4",
		  "tensor subspace.encode.weight has shape [4, 9], expected [4, 12]" },
		{ "\\\"code_clip\\\":7.5", "\\\"code_clip\\\":0",
		  "subspace.code_clip is 0" },
		{ "\\\"code_clip\\\":7.5", "\\\"clip\\\":7.5",
		  "has no \"code_clip\"" },
		{ "\\\"subspace\\\":{\\\"lags\\\"", "\\\"s\\\":{\\\"lags\\\"",
		  "has no \"subspace\"" },
		{ "\\\"kind\\\":\\\"forecast\\\"", "\\\"kind\\\":\\\"oracle\\\"",
		  "kind \"oracle\" is neither forecast nor autoencoder" },
		{ "\\\"kind\\\":\\\"forecast\\\"", "\\\"kind\\\":\\\"autoencoder\\\"",
		  "layers" },
		{ "\\\"hidden\\\":4", "\\\"hidden\\\":4097",
		  "hidden 4097, expected 1 to 4096" },
		{ "\\\"hidden\\\":4", "\\\"hidden\\\":65537",
		  "\"hidden\" of 65537 is too large" },
		{ "\\\"hidden\\\":4", "\\\"hidden\\\":5",
		  "tensor gates.weight has shape [16, 7], expected [20, 8]" },
		{ "\\\"hidden\\\":4", "\\\"hidden\\\":0",
		  "hidden 0" },
		{ "\\\"layers\\\":2", "\\\"layers\\\":1,\\\"window\\\":3",
		  "has \"window\" twice" },
		{ "\\\"layers\\\":2", "\\\"layers\\\":3",
		  "3 layers" },
		{ "\\\"layers\\\":2", "\\\"layers\\\":0",
		  "0 layers" },
		{ "\\\"window\\\":0", "\\\"window\\\":9",
		  "window of 9 rows" },
		{ "\\\"features\\\":2", "\\\"features\\\":17",
		  "a graph of degree 2 with 17 features" },
		{ "\\\"features\\\":2", "\\\"features\\\":0",
		  "a graph of degree 2 with 0 features" },
		{ "\\\"features\\\":2", "\\\"features\\\":1",
		  "tensor node.weight has shape [6, 4], expected [3, 4]" },
		{ "\\\"degree\\\":2", "\\\"degree\\\":33",
		  "a graph of degree 33" },
		{ "\\\"degree\\\":2", "\\\"degree\\\":1",
		  "tensor graph.neighbour has shape [3, 2], expected [3, 1]" },
		{ "\\\"recurrent\\\":{\\\"kind\\\"", "\\\"r\\\":{\\\"kind\\\"",
		  "tensor gates.weight in a model without a net" },
		{ "\\\"margin\\\":2.944439", "\\\"margin\\\":1e9",
		  "quick.margin is 1e+09" },
		{ "\\\"quick\\\":{", "\\\"quick\\\":[],\\\"q\\\":{",
		  "quick is not a JSON object" },
		{ "\\\"int8\\\"", "\\\"int4\\\"",
		  "precision \"int4\" is neither" },
		{ "\\\"int8\\\"", "\\\"float32\\\"",
		  "tensor linear.weight is I8, expected F32" },
		{ "\\\"max\\\":127", "\\\"max\\\":63",
		  "quantised in 63 steps, expected 127" },
		{ "\\\"static\\\"", "\\\"lazy\\\"",
		  "activation \"lazy\" is neither static nor dynamic" },
		{ "\\\"quantisation\\\"", "\\\"q\\\"",
		  "has no \"quantisation\"" },
		{ "\\\"z_clip\\\":10", "\\\"z_clip\\\":0",
		  "z_clip is 0, expected 0.1 to 1000" },
		{ "\\\"z_clip\\\":10", "\\\"z\\\":10",
		  "has no \"z_clip\"" },
		{ "\\\"online\\\":0", "\\\"online\\\":65537",
		  "\"online\" of 65537 is too large" },
		{ "\\\"spread_rate\\\":0.04", "\\\"spread_rate\\\":1.5",
		  "spread_rate is 1.5" },
		{ "\\\"point_limit\\\":2.125", "\\\"point_limit\\\":-2",
		  "point_limit is -2" },
		{ "\\\"rate_hz\\\":49.98", "\\\"rate_hz\\\":0", "rate_hz is 0" },
		{ "\\\"rate_hz\\\":49.98", "\\\"rate_hz\\\":-1", "rate_hz is -1" },
		{ "\\\"rate_hz\\\":49.98", "\\\"rate_hz\\\":1e999", "\"rate_hz\" is not a number" },
		{ "\\\"rate_hz\\\":49.98", "\\\"rate_hz\\\":\\\"50\\\"",
		  "\"rate_hz\" is not a number" },
		{ "\\\"level\\\":{\\\"weight\\\":1,", "\\\"level\\\":{\\\"weight\\\":-1,",
		  "view level: weight -1" },
		{ "\\\"level\\\":{\\\"weight\\\":1,\\\"smooth\\\":0.9",
		  "\\\"level\\\":{\\\"weight\\\":1,\\\"smooth\\\":0",
		  "view level: smooth is 0" },
		{ "\\\"level\\\":{\\\"weight\\\":1,\\\"smooth\\\":0.9",
		  "\\\"level\\\":{\\\"weight\\\":1,\\\"smooth\\\":1.5",
		  "view level: smooth is 1.5" },
		{ "\\\"level\\\":{\\\"weight\\\":1,\\\"smooth\\\":0.9,\\\"scale\\\":0.7",
		  "\\\"level\\\":{\\\"weight\\\":1,\\\"smooth\\\":0.9,\\\"scale\\\":-1",
		  "view level: scale is -1" },
		{ "\\\"left\\\":{\\\"weight\\\":1,", "\\\"left\\\":{",
		  "has no \"weight\"" },
		{ "\\\"subspace\\\":{\\\"weight\\\":1,", "\\\"subspace\\\":{\\\"weight\\\":0,",
		  "tensor code.start has shape [4], expected [0]" },
		{ "\\\"spread\\\":{\\\"weight\\\"",
		  "\\\"spread\\\":{\\\"weight\\\":1},\\\"s\\\":{\\\"weight\\\"",
		  "has no \"smooth\"" },
		{ "\\\"spread\\\":{\\\"weight\\\"", "\\\"s\\\":{\\\"weight\\\"",
		  "has no \"spread\"" },
		{ "\\\"views\\\":{", "\\\"views\\\":1,\\\"v\\\":{",
		  "views is not a JSON object" },
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
		{ "\"wanders\":{\"dtype\":\"F32\"", "\"wanders\":{\"dtype\":\"I32\"",
		  "tensor wanders is I32, expected F32" },
		{ "\"wanders\":{\"dtype\":\"F32\",\"shape\":[3]",
		  "\"wanders\":{\"dtype\":\"F32\",\"shape\":[3,1]",
		  "tensor wanders has shape [3, 1], expected [3]" },
		{ "\"graph.neighbour\":{\"dtype\":\"I32\"",
		  "\"graph.neighbour\":{\"dtype\":\"U32\"",
		  "tensor graph.neighbour is U32, expected I32" },
		{ "\"gates2.weight\"", "\"gates3.weight\"", "tensor gates2.weight is missing" },
		{ "\"spread.start\"", "\"spread.begin\"", "tensor spread.start is missing" },
		{ "\"quick.bias\"", "\"quick.b\"", "tensor quick.bias is missing" },
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
		  "tensor norm.mean: element 2 is nan, must be finite" },
		{ "norm.inv_std", 0, 0,
		  "norm.inv_std: element 0 is 0, must be finite and above 0" },
		{ "norm.inv_std", 1, -1, "norm.inv_std: element 1 is -1" },
		{ "norm.inv_std", 1, INFINITY, "norm.inv_std: element 1 is inf" },
		{ "wanders", 1, 0.5f, "wanders: element 1 is 0.5, must be 0 or 1" },
		{ "wanders", 0, NAN, "wanders: element 0 is nan" },
		{ "white.inv_sigma", 1, -1, "white.inv_sigma: element 1 is -1" },
		{ "white.inv_sigma", 1, 2e6f, "element 1 is 2e+06, must be 0 to 1e+06" },
		{ "level.weight", 2, NAN, "level.weight: element 2 is nan" },
		{ "level.weight", 2, -1, "level.weight: element 2 is -1" },
		{ "departure", 0, -2, "departure: element 0 is -2" },
		{ "spread.start", 1, -1, "spread.start: element 1 is -1, must be 0 to 1e+06" },
		{ "left.center", 1, NAN, "left.center: element 1 is nan, must be -100 to 100" },
		{ "left.center", 0, 3e38f, "left.center: element 0 is 3e+38, must be -100 to 100" },
		{ "code.inv_dev", 3, 1e7f, "code.inv_dev: element 3 is 1e+07" },
		{ "subspace.inv_sigma", 8, -1, "subspace.inv_sigma: element 8 is -1" },
		{ "subspace.inv_usual", 0, INFINITY, "subspace.inv_usual: element 0 is inf" },
		{ "recurrent.inv_sigma", 0, NAN, "recurrent.inv_sigma: element 0 is nan" },
		{ "graph.edge", 5, NAN, "graph.edge: element 5 is nan" },
		{ "graph.own", 5, INFINITY, "graph.own: element 5 is inf" },
		{ "graph.mix", 3, NAN, "graph.mix: element 3 is nan" },
		{ "graph.mix_bias", 1, NAN, "graph.mix_bias: element 1 is nan" },
		{ "graph.fuse", 0, -INFINITY, "graph.fuse: element 0 is -inf" },
		{ "quick.weight", 19, NAN, "quick.weight: element 19 is nan" },
		{ "quick.bias", 1, NAN, "quick.bias: element 1 is nan" },
		{ "linear.scale", 2, 0, "linear.scale: element 2 is 0, must be normal" },
		{ "gates.scale", 15, 1e-40f,
		  "gates.scale: element 15 is 9.99995e-41, must be normal" },
		{ "head.scale", 0, INFINITY, "head.scale: element 0 is inf" },
		{ "linear.bias", 0, NAN, "linear.bias: element 0 is nan" },
		{ "gates2.bias", 3, -INFINITY, "gates2.bias: element 3 is -inf" },
		{ "subspace.decode.bias", 8, NAN, "subspace.decode.bias: element 8 is nan" },
		{ "node.bias", 5, NAN, "node.bias: element 5 is nan" },
		{ "tail.score", 3, -1, "tail.score: knot 3 is -1, below knot 2" },
		{ "tail.score", 7, NAN, "tail.score: element 7 is nan" },
		{ "tail.score", 8, 0, "tail.score: the slope is 0" },
		{ "tail.score", 8, INFINITY, "tail.score: the slope is inf" },
		{ "test.x", 14, INFINITY, "test.x: element 14 is inf, must be finite or NaN" },
		{ "test.score", 4, NAN, "test.score: element 4 is nan" },
		{ "test.score", 0, -1, "test.score: element 0 is -1" },
	};
	static const int32_t nodes[] = { -2, 3, INT32_MAX };

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		struct bytes b = edited(good, "{", "{");

		memcpy(b.p + tensor_offset(&b, all[i].tensor, NULL) +
		       all[i].element * sizeof(float), &all[i].value, sizeof(float));
		expect(&b, all[i].tensor, all[i].reason);
		free(b.p);
	}
	for (unsigned i = 0; i < 3; i++) {
		struct bytes b = edited(good, "{", "{");

		memcpy(b.p + tensor_offset(&b, "graph.neighbour", NULL) + 4, &nodes[i], 4);
		expect(&b, "graph.neighbour", "graph.neighbour: element 1 is ");
		free(b.p);
	}
	for (unsigned i = 0; i < 7; i++) {
		static const char *const tensor[] = {
			"linear.weight", "gates.weight", "gates2.weight", "head.weight",
			"node.weight", "subspace.encode.weight", "subspace.decode.weight" };
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
	static const struct fixture_shape shape = {
		.n = 3, .lags = 2, .rank = 4, .spread = true, .kind = RECURRENT_FORECAST,
		.hidden = 4, .layers = 2, .features = 2, .degree = 2, .quick = true, .rows = 5,
		.int8 = true,
	};
	struct fixture f;
	struct bytes b;

	CHECK(mkdtemp(dir));
	fixture_shaped(&f, &shape);
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
