// SPDX-License-Identifier: MIT
/*
 * limit_memory: the file is a few hundred bytes, little-endian: "SONDELIM", version, number of
 * entries, entries, and FNV-1a (64 bit) of all before it. A file that a dying card has
 * bent is refused whole: a limit that begins anew beats a wrong one.
 */
#include "agent/limit_memory.h"

#include <errno.h>
#include <string.h>

#include "bpf/stats.h"
#include "kernels/why.h"
#include "models/file.h"

#define MAGIC 0x4d494c45444e4f53u	/* "SONDELIM" */
#define VERSION 1
#define FILE_MAX 4096

_Static_assert(LIMIT_RUNGS == SONDE_RUNGS_MAX, "the page has room for every rung");

struct kept {
	uint64_t key, promise, ticks, alarms;
	uint32_t k, n, rungs, pad;
	uint32_t hits[LIMIT_RUNGS];
	float rung[LIMIT_RUNGS];
};

struct kept_file {
	uint64_t magic;
	uint32_t version, entries;
	struct kept entry[LIMIT_MEMORIES];
	uint64_t sum;			/* directly behind the last entry */
};

_Static_assert(sizeof(struct kept) == 96 && offsetof(struct kept_file, entry) == 16,
	       "the layout of the file");

static uint64_t checksum(const void *data, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ ((const uint8_t *)data)[i]) * 0x100000001b3;
	return hash;
}

static size_t length(uint32_t entries)
{
	return offsetof(struct kept_file, entry) + entries * sizeof(struct kept);
}

int limit_memory_parse(struct limit_memory *m, const void *data, size_t len, struct why *why)
{
	struct kept_file f = { 0 };
	uint64_t sum;

	memset(m, 0, sizeof *m);
	if (len < length(0))
		return why_set(why, -EBADMSG, "%zu bytes are too few", len);
	memcpy(&f, data, length(0));
	if (f.magic != MAGIC)
		return why_set(why, -EBADMSG, "not what a limit has learned");
	if (f.version != VERSION)
		return why_set(why, -EBADMSG, "version %u, not %u", f.version, VERSION);
	if (f.entries > LIMIT_MEMORIES || len != length(f.entries) + sizeof sum)
		return why_set(why, -EBADMSG, "%zu bytes for %u entries", len, f.entries);
	memcpy(&sum, (const uint8_t *)data + length(f.entries), sizeof sum);
	if (sum != checksum(data, length(f.entries)))
		return why_set(why, -EBADMSG, "the checksum does not fit");
	memcpy(f.entry, (const uint8_t *)data + length(0), f.entries * sizeof *f.entry);
	for (unsigned i = 0; i < f.entries; i++) {
		const struct kept *k = &f.entry[i];
		struct limit_state *s = &m->entry[i].state;

		m->entry[i].key = k->key;
		*s = (struct limit_state){ .promise = k->promise, .ticks = k->ticks,
			.alarms = k->alarms, .k = k->k, .n = k->n, .rungs = k->rungs };
		memcpy(s->hits, k->hits, sizeof s->hits);
		memcpy(s->rung, k->rung, sizeof s->rung);
	}
	m->n = f.entries;
	return 0;
}

int limit_memory_read(struct limit_memory *m, const char *path, struct why *why)
{
	const void *data;
	size_t len;
	struct why inner;
	int err;

	memset(m, 0, sizeof *m);
	err = file_read(&data, &len, path, FILE_MAX, why);
	if (err)
		return err == -ENOENT ? 0 : err;
	err = limit_memory_parse(m, data, len, &inner);
	file_free(data, len);
	return err ? why_set(why, err, "%s: %s", path, inner.text) : 0;
}

int limit_memory_write(const struct limit_memory *m, const char *path, struct why *why)
{
	struct kept_file f = { .magic = MAGIC, .version = VERSION, .entries = m->n };
	struct iovec part[2] = { { &f, length(m->n) }, { &f.sum, sizeof f.sum } };

	for (unsigned i = 0; i < m->n; i++) {
		const struct limit_state *s = &m->entry[i].state;
		struct kept *k = &f.entry[i];

		*k = (struct kept){ .key = m->entry[i].key, .promise = s->promise,
			.ticks = s->ticks, .alarms = s->alarms, .k = s->k, .n = s->n,
			.rungs = s->rungs };
		memcpy(k->hits, s->hits, sizeof k->hits);
		memcpy(k->rung, s->rung, sizeof k->rung);
	}
	f.sum = checksum(&f, length(m->n));
	return file_replace(path, part, 2, why);
}

const struct limit_state *limit_memory_find(const struct limit_memory *m, uint64_t key)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->entry[i].key == key)
			return &m->entry[i].state;
	return NULL;
}

void limit_memory_put(struct limit_memory *m, uint64_t key, const struct limit_state *s)
{
	unsigned at = 0;

	while (at < m->n && m->entry[at].key != key)
		at++;
	if (at == m->n && m->n < LIMIT_MEMORIES)
		m->n++;
	at = at < LIMIT_MEMORIES ? at : LIMIT_MEMORIES - 1;
	memmove(&m->entry[1], &m->entry[0], at * sizeof *m->entry);
	m->entry[0].key = key;
	m->entry[0].state = *s;
}

void limit_publish(const struct limit *l, float start, uint64_t key, struct sonde_limit *out)
{
	*out = (struct sonde_limit){
		.follows = limit_follows(l), .frozen = l->frozen, .start = start,
		.rungs = l->rungs, .k = l->config.k, .n = l->config.n,
		.promise = l->config.promise, .ticks = l->ticks, .alarms = l->alarms, .key = key,
	};
	memcpy(out->rung, l->rung, sizeof out->rung);
	memcpy(out->hits, l->hits, sizeof out->hits);
}

bool limit_published(const struct sonde_limit *page, struct limit_state *s)
{
	*s = (struct limit_state){
		.promise = page->promise, .ticks = page->ticks, .alarms = page->alarms,
		.k = page->k, .n = page->n, .rungs = page->rungs,
	};
	memcpy(s->rung, page->rung, sizeof s->rung);
	memcpy(s->hits, page->hits, sizeof s->hits);
	return page->follows;
}
