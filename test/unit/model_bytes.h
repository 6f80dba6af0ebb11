/* SPDX-License-Identifier: MIT */
/*
 * model_bytes: model files taken apart without the code under test: what offset a tensor
 * has is read out of the header's text by strstr.
 */
#ifndef SONDE_TEST_MODEL_BYTES_H
#define SONDE_TEST_MODEL_BYTES_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "test/test.h"

/* A file in the test's own folder; two answers are good at a time. */
static char dir[] = "/tmp/sonde-model-XXXXXX";

static inline const char *in_dir(const char *name)
{
	static char path[2][128];
	static unsigned turn;

	turn ^= 1;
	snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
	return path[turn];
}

struct bytes {
	uint8_t *p;
	size_t len;
};

static inline struct bytes bytes_read(const char *path)
{
	struct bytes b = { malloc(64 << 20), 0 };
	FILE *f = fopen(path, "rb");

	CHECK(f && b.p);
	b.len = fread(b.p, 1, 64 << 20, f);
	CHECK(b.len < 64 << 20);
	fclose(f);
	b.p = realloc(b.p, b.len + 1);
	return b;
}

static inline void bytes_write(const char *path, const void *p, size_t len)
{
	FILE *f = fopen(path, "wb");

	CHECK(f && fwrite(p, 1, len, f) == len && fclose(f) == 0);
}

static inline uint64_t header_length(const struct bytes *b)
{
	uint64_t n = 0;

	CHECK(b->len >= 8);
	for (unsigned i = 0; i < 8; i++)
		n |= (uint64_t)b->p[i] << 8 * i;
	CHECK(n <= b->len - 8);
	return n;
}

/* The header as a C string of its own. */
static inline char *header_copy(const struct bytes *b)
{
	return strndup((char *)b->p + 8, header_length(b));
}

/* A file of this header, padded to `align`, and the data section of b. */
static inline struct bytes with_header(const struct bytes *b, const char *header, size_t align)
{
	size_t len = strlen(header), padded = (8 + len + align - 1) / align * align - 8;
	size_t data = 8 + header_length(b);
	struct bytes r = { malloc(8 + padded + b->len - data), 8 + padded + b->len - data };

	CHECK(r.p);
	for (unsigned i = 0; i < 8; i++)
		r.p[i] = (uint8_t)(padded >> 8 * i);
	memset(r.p + 8, ' ', padded);
	memcpy(r.p + 8, header, len);
	memcpy(r.p + 8 + padded, b->p + data, b->len - data);
	return r;
}

/* The same with the first `from` in the header become `to`. */
static inline struct bytes edited(const struct bytes *b, const char *from, const char *to)
{
	char *header = header_copy(b), *at = strstr(header, from), *longer;
	struct bytes r;

	if (!at)
		fprintf(stderr, "no %s in %s\n", from, header);
	CHECK(at);
	longer = malloc(strlen(header) + strlen(to) + 1);
	CHECK(longer);
	sprintf(longer, "%.*s%s%s", (int)(at - header), header, to, at + strlen(from));
	r = with_header(b, longer, 64);
	free(longer);
	free(header);
	return r;
}

/* Where a tensor lies in the file. */
static inline size_t tensor_offset(const struct bytes *b, const char *name, size_t *size)
{
	char *header = header_copy(b), key[64], *at;
	uint64_t begin, end;

	snprintf(key, sizeof key, "\"%s\":{", name);
	at = strstr(header, key);
	CHECK(at);
	at = strstr(at, "\"data_offsets\":[");
	CHECK(at);
	CHECK_EQ(sscanf(at, "\"data_offsets\":[%" SCNu64 ",%" SCNu64 "]", &begin, &end), 2);
	CHECK(begin <= end && 8 + header_length(b) + end <= b->len);
	free(header);
	if (size)
		*size = end - begin;
	return 8 + header_length(b) + begin;
}

#endif
