// SPDX-License-Identifier: MIT
/*
 * safetensors: what the writer lays down, read by hand; and every way a header can
 * lie, each with the reason it is refused for. Files are heap blocks of exact
 * size, so that a sanitizer sees a read beyond.
 */
#include "models/safetensors.h"

#include <errno.h>

#include "kernels/why.h"
#include "test/unit/model_fixture.h"

static int open_header(const char *header, const void *data, size_t len, struct why *why)
{
	struct bytes nothing = { (uint8_t[8]){ 0 }, 8 }, b;
	struct st_file f;
	int err;

	b = with_header(&nothing, header, 8);
	b.p = realloc(b.p, b.len + len);
	memcpy(b.p + b.len, data, len);
	err = st_open(&f, b.p, b.len + len, why);
	if (!err)
		st_close(&f);
	free(b.p);
	return err;
}

#define T(name, dtype, shape, begin, end)                                                    \
	"\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" #begin \
	"," #end "]}"

static void refuses(void)
{
	static const struct {
		const char *header, *reason;
	} all[] = {
		{ " {}", "does not begin with '{'" },
		{ "{\"a\":1}", "tensor a is not a JSON object" },
		{ "{\"a\":[]}", "tensor a is not a JSON object" },
		{ "{", "not JSON" },
		{ "{} {}", "not JSON" },
		{ "{\"a\\u0000b\":{}}", "not JSON" },
		{ "{\"a\\u0007\":{}}", "unprintable" },
		{ "{\"\\u0085\":{}}", "unprintable" },
		{ "{\"\":{}}", "no name" },
		{ "{\"\xff\":{}}", "not UTF-8" },
		{ "{\"\xc0\x80\":{}}", "not UTF-8" },
		{ "{\"\xed\xa0\x80\":{}}", "not UTF-8" },
		{ "{\"\xf4\x90\x80\x80\":{}}", "not UTF-8" },
		{ "{\"\xe2\x82", "not UTF-8" },
		{ "{\"__metadata__\":{\"x\":1}}", "\"x\" is not a string" },
		{ "{\"__metadata__\":\"x\"}", "__metadata__ is not a JSON object" },
		{ "{\"__metadata__\":{\"x\":\"\",\"x\":\"\"}}", "\"x\" twice" },
		{ "{" T("a", "U8", "8", 0, 8) "," T("a", "U8", "8", 8, 16) "}", "\"a\" twice" },
		{ "{\"a\":{\"shape\":[],\"data_offsets\":[0,1]}}", "no dtype" },
		{ "{" T("a", "I9", "16", 0, 16) "}", "unknown dtype \"I9\"" },
		{ "{" T("a", "U8", "1.5", 0, 16) "}", "shape is not" },
		{ "{" T("a", "U8", "-1", 0, 16) "}", "shape is not" },
		{ "{" T("a", "U8", "\"16\"", 0, 16) "}", "shape is not" },
		{ "{" T("a", "U8", "1,1,1,1,1,1,1,1,16", 0, 16) "}", "shape is not" },
		{ "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,16]}}", "shape is not" },
		{ "{\"a\":{\"dtype\":\"U8\",\"shape\":[16]}}", "data_offsets is not" },
		{ "{\"a\":{\"dtype\":\"U8\",\"shape\":[16],\"data_offsets\":[0,8,16]}}",
		  "data_offsets is not" },
		{ "{" T("a", "U8", "16", -1, 15) "}", "data_offsets is not" },
		{ "{" T("a", "U8", "16", 0, 18446744073709551616) "}", "data_offsets is not" },
		{ "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[16],"
		  "\"data_offsets\":[0,16]}}", "\"dtype\" twice" },
		{ "{" T("a", "F32", "4611686018427387904", 0, 0) "}", "overflows" },
		{ "{" T("a", "U8", "4294967296,4294967296", 0, 0) "}", "overflows" },
		{ "{" T("a", "U8", "17", 0, 17) "}", "lies at 0 to 17 of 16" },
		{ "{" T("a", "U8", "16", 16, 0) "}", "lies at 16 to 0" },
		{ "{" T("a", "U8", "18446744073709551615", 0, 18446744073709551615) "}",
		  "lies at 0 to 18446744073709551615 of 16" },
		{ "{" T("a", "U8", "15", 0, 16) "}", "has 16 bytes, U8 of shape [15] needs 15" },
		{ "{" T("a", "F32", "2, 3", 0, 16) "}", "F32 of shape [2, 3] needs 24" },
		{ "{" T("a", "U8", "8", 0, 8) "}", "8 bytes after the last tensor" },
		{ "{}", "16 bytes after the last tensor" },
		{ "{" T("a", "U8", "8", 0, 8) "," T("b", "U8", "9", 7, 16) "}",
		  "tensor b begins at 7, the one before it ends at 8" },
		{ "{" T("a", "U8", "7", 0, 7) "," T("b", "U8", "8", 8, 16) "}",
		  "tensor b begins at 8, the one before it ends at 7" },
		{ "{" T("a", "U8", "1", 0, 1) "," T("b", "F32", "3", 1, 13) ","
		  T("c", "U8", "3", 13, 16) "}", "tensor b lies at 1, not at a multiple" },
		{ "{\"a\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}", "nested deeper" },
	};
	uint8_t data[16] = { 0 };

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		struct why why = { "" };
		int err = open_header(all[i].header, data, sizeof data, &why);

		if (err != -EINVAL || !strstr(why.text, all[i].reason)) {
			fprintf(stderr, "%s\ngave %d \"%s\", expected \"%s\"\n", all[i].header, err,
				why.text, all[i].reason);
			exit(1);
		}
	}
}

static void accepts(void)
{
	static const char *const all[] = {
		/* Order in the header does not matter; a scalar has no dimension; 0 is a size. */
		"{" T("b", "U8", "8", 8, 16) "," T("a", "F64", "", 0, 8) "}",
		"{" T("a", "F32", "0,5", 0, 0) "," T("b", "I32", "2,2", 0, 16) ","
		T("c", "U8", "0", 16, 16) "}",
		"{\"__metadata__\":{\"other\":\"[\"},\"a\":{\"later\":[{}],\"dtype\":\"BF16\","
		"\"shape\":[8],\"data_offsets\":[0,16]}}",
		"{" T("brackets [[[[[[[[[[[[[[[[[[[[ \\\"{{{{{{{{{{{{{{{{{{{{", "U8", "16", 0, 16) "}",
		"{" T("\xf0\x9f\x8c\xa1", "U8", "16", 0, 16) "}",
	};
	uint8_t data[16] = { 0 };

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		struct why why = { "" };

		if (open_header(all[i], data, sizeof data, &why)) {
			fprintf(stderr, "%s\nrefused: %s\n", all[i], why.text);
			exit(1);
		}
	}
	CHECK_EQ(open_header("{}", data, 0, NULL), 0);
}

static void refuses_lengths(void)
{
	static const struct {
		uint64_t length;
		size_t file;
		const char *reason;
	} all[] = {
		{ 2, 0, "too short" }, { 2, 7, "too short" }, { 0, 8, "'{'" },
		{ 2, 9, "has 2 bytes, the file ends after 1" },
		{ UINT64_MAX, 64, "not a model file" }, { UINT64_MAX - 7, 64, "not a model file" },
		{ 1u << 31, 64, "not a model file" },
		{ ST_HEADER_MAX, 64, "the file ends after 56" },
	};

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		uint8_t *p = malloc(all[i].file + 1), whole[64] = { 0 };
		struct why why = { "" };
		struct st_file f;

		memcpy(whole, &all[i].length, 8);
		memcpy(whole + 8, "{}", 2);
		memcpy(p, whole, all[i].file);
		p = realloc(p, all[i].file ? all[i].file : 1);
		CHECK_EQ(st_open(&f, p, all[i].file, &why), -EINVAL);
		if (!strstr(why.text, all[i].reason))
			fprintf(stderr, "%s, expected %s\n", why.text, all[i].reason);
		CHECK(strstr(why.text, all[i].reason));
		free(p);
	}
}

/* A NUL in the middle must not hide what comes after it. */
static void refuses_nul(void)
{
	uint8_t p[16] = { 8, 0, 0, 0, 0, 0, 0, 0, '{', '}', 0, 0, 0, 0, 0, 0 };
	struct st_file f;
	struct why why;

	CHECK_EQ(st_open(&f, p, sizeof p, &why), -EINVAL);
	CHECK(strstr(why.text, "UTF-8"));
}

/* 2 MiB of brackets or of numbers: refused, and without a gigabyte of memory. */
static void refuses_floods(void)
{
	static const char *const what[] = { "[", "{\"a\":", "0,", "\"a\":0," };

	for (unsigned i = 0; i < sizeof what / sizeof *what; i++) {
		size_t n = strlen(what[i]), at = 9;
		uint8_t *p = malloc(8 + ST_HEADER_MAX);
		uint64_t length = ST_HEADER_MAX;
		struct st_file f;

		memcpy(p, &length, 8);
		p[8] = '{';
		for (; at + n <= 8 + ST_HEADER_MAX; at += n)
			memcpy(p + at, what[i], n);
		memset(p + at, ' ', 8 + ST_HEADER_MAX - at);
		CHECK_EQ(st_open(&f, p, 8 + ST_HEADER_MAX, NULL), -EINVAL);
		free(p);
	}
}

static void writes(void)
{
	float f32[5] = { 1, 2, 3, 4, 5 };
	int8_t i8[3] = { -1, 0, 1 };
	double f64 = 0.1;
	struct st_tensor t[] = {
		{ .name = "x.f", .dtype = ST_F32, .dims = 1, .shape = { 5 }, .data = f32 },
		{ .name = "x.i", .dtype = ST_I8, .dims = 2, .shape = { 1, 3 }, .data = i8 },
		{ .name = "empty", .dtype = ST_I8, .dims = 1, .shape = { 0 }, .data = i8 },
		{ .name = "scalar", .dtype = ST_F64, .data = &f64 },
	};
	struct st_file f;
	struct bytes b;
	const char *path = in_dir("a");
	char *header;
	size_t size;
	struct why why;

	CHECK_EQ(st_write(path, t, 4, "a \"quoted\" °\n", &why), 0);
	b = bytes_read(path);
	CHECK_EQ((8 + header_length(&b)) % 64, 0);
	header = header_copy(&b);
	CHECK(strstr(header, "{\"__metadata__\":{\"sonde\":\"a \\\"quoted\\\" °\\n\"},\"x.f\":") ==
	      header);
	CHECK(strstr(header, "\"x.f\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[0,20]}"));
	CHECK(strstr(header, "\"pad.0\":{\"dtype\":\"U8\",\"shape\":[44],"
			     "\"data_offsets\":[20,64]}"));
	CHECK(strstr(header, "\"x.i\":{\"dtype\":\"I8\",\"shape\":[1,3],"
			     "\"data_offsets\":[64,67]}"));
	CHECK(strstr(header, "\"scalar\":{\"dtype\":\"F64\",\"shape\":[],"
			     "\"data_offsets\":[128,136]}"));
	free(header);
	CHECK_EQ(tensor_offset(&b, "scalar", &size) % 64, 0);
	CHECK_EQ(size, 8);
	CHECK(!memcmp(b.p + tensor_offset(&b, "x.f", &size), f32, sizeof f32));
	CHECK_EQ(b.len, tensor_offset(&b, "scalar", NULL) + 8);
	for (unsigned i = 20; i < 64; i++)
		CHECK_EQ(b.p[8 + header_length(&b) + i], 0);

	CHECK_EQ(st_open(&f, b.p, b.len, &why), 0);
	CHECK_STR(f.text, "a \"quoted\" °\n");
	CHECK_EQ(f.tensors, 6);
	CHECK(!st_find(&f, "x"));
	CHECK_EQ(st_find(&f, "x.i")->shape[1], 3);
	CHECK(!memcmp(st_find(&f, "scalar")->data, &f64, sizeof f64));
	st_close(&f);
	free(b.p);
	unlink(path);
}

/* As PyTorch's tools write: no padding, PyTorch's mark in place of our text. */
static void writes_plain(void)
{
	float f32[5] = { 1, 2, 3, 4, 5 };
	int8_t i8[3] = { -1, 0, 1 };
	struct st_tensor t[] = {
		{ .name = "b", .dtype = ST_F32, .dims = 1, .shape = { 5 }, .data = f32 },
		{ .name = "a", .dtype = ST_I8, .dims = 2, .shape = { 3, 1 }, .data = i8 },
	};
	struct st_tensor swapped[] = { t[1], t[0] };
	const char *path = in_dir("plain");
	struct st_file f;
	struct bytes b;
	struct why why;
	char *header;

	CHECK_EQ(st_write_plain(path, t, 2, &why), 0);
	b = bytes_read(path);
	header = header_copy(&b);
	CHECK(strstr(header, "{\"__metadata__\":{\"format\":\"pt\"},"
		     "\"b\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[0,20]},"
		     "\"a\":{\"dtype\":\"I8\",\"shape\":[3,1],\"data_offsets\":[20,23]}} ") == header);
	CHECK_EQ(b.len, 8 + strlen(header) + 23);
	CHECK(!memcmp(b.p + b.len - 23, f32, 20) && !memcmp(b.p + b.len - 3, i8, 3));
	free(header);
	CHECK_EQ(st_open(&f, b.p, b.len, &why), 0);
	CHECK_EQ(f.tensors, 2);
	CHECK(!f.text);
	st_close(&f);
	free(b.p);
	CHECK_EQ(unlink(path), 0);

	CHECK_EQ(st_write_plain(path, swapped, 2, &why), -EINVAL);
	CHECK(strstr(why.text, "tensor b has no place at 3"));
	t[0].shape[0] = UINT64_MAX / 2;
	CHECK_EQ(st_write_plain(path, t, 2, &why), -EINVAL);
	CHECK(access(path, F_OK));
}

int main(void)
{
	CHECK(mkdtemp(dir));
	refuses();
	accepts();
	refuses_lengths();
	refuses_nul();
	refuses_floods();
	writes();
	writes_plain();
	rmdir(dir);
	return 0;
}
