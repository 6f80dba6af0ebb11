// SPDX-License-Identifier: MIT
/*
 * A fuzz target without libFuzzer: every file of its corpus, test/fuzz/corpus/NAME/,
 * goes through LLVMFuzzerTestOneInput, then 20,000 seeded mutations of them. So
 * the corpus is checked by every `make test`, under gcc and its sanitizers too.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUTATIONS 20000
#define SIZE_MAX_IN 65536

static uint64_t seed = 0x9e3779b97f4a7c15u;

static uint64_t next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Exact-size copies, so that a sanitizer sees the first byte beyond. */
static void one(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		exit(1);
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

int main(int argc, char **argv)
{
	static uint8_t seeds[256][SIZE_MAX_IN];
	static size_t size[256];
	const char *slash = strrchr(argv[0], '/');
	char dir[512], path[1024];
	unsigned n = 0;
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof dir, "test/fuzz/corpus/%s", slash ? slash + 1 : argv[0]);
	d = opendir(dir);
	if (!d) {
		fprintf(stderr, "%s: %s\n", dir, strerror(errno));
		return 1;
	}
	while ((e = readdir(d)) && n < 256) {
		FILE *f;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		f = fopen(path, "rb");
		if (!f)
			continue;
		size[n] = fread(seeds[n], 1, SIZE_MAX_IN, f);
		fclose(f);
		one(seeds[n], size[n]);
		n++;
	}
	closedir(d);
	if (!n) {
		fprintf(stderr, "%s: empty corpus\n", dir);
		return 1;
	}
	for (unsigned i = 0; i < MUTATIONS; i++) {
		static uint8_t m[SIZE_MAX_IN];
		unsigned from = next() % n;
		size_t len = size[from];

		memcpy(m, seeds[from], len);
		for (unsigned k = 1 + next() % 8; len && k; k--) {
			switch (next() % 4) {
			case 0:
				m[next() % len] = next();
				break;
			case 1:
				m[next() % len] ^= 1u << next() % 8;
				break;
			case 2:
				len = next() % (len + 1);
				break;
			default:
				m[next() % len] = "0 \n-+*:/.x,\"{}[]\xff"[next() % 18];
			}
		}
		one(m, len);
	}
	printf("%u seeds, %u mutations\n", n, MUTATIONS);
	return 0;
}
