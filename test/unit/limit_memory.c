// SPDX-License-Identifier: MIT
/*
 * What limits have learned, as a file: it comes back as it went, for the model it is of; the oldest
 * of too many goes; damage is refused whole; a file that can not be written leaves the old one.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/limit_memory.h"
#include "bpf/stats.h"
#include "kernels/why.h"
#include "test/test.h"

static char dir[] = "/tmp/sonde-limit-XXXXXX", path[64];

static struct limit_state state(unsigned i)
{
	return (struct limit_state){
		.promise = 86400 * i, .ticks = 1ull << 40 | i, .alarms = i,
		.k = 5, .n = 8, .rungs = 5,
		.hits = { i, 2, 3, 4, 5 }, .rung = { i + .5f, 2.5f, 3.25f, 4, 1e9f },
	};
}

static void same(const struct limit_state *a, const struct limit_state *b)
{
	CHECK(a && b);
	CHECK_EQ(a->promise, b->promise);
	CHECK_EQ(a->ticks, b->ticks);
	CHECK_EQ(a->alarms, b->alarms);
	CHECK(a->k == b->k && a->n == b->n && a->rungs == b->rungs);
	CHECK(!memcmp(a->hits, b->hits, sizeof a->hits));
	CHECK(!memcmp(a->rung, b->rung, sizeof a->rung));
}

static void there_and_back(void)
{
	struct limit_memory m, back;
	struct why why = { "" };

	CHECK_EQ(limit_memory_read(&m, path, &why), 0);
	CHECK_EQ(m.n, 0);
	CHECK(!limit_memory_find(&m, 0));
	for (unsigned i = 1; i <= LIMIT_MEMORIES + 2; i++) {
		struct limit_state s = state(i);

		limit_memory_put(&m, 1000 + i, &s);
		CHECK_EQ(limit_memory_write(&m, path, &why), 0);
		CHECK_EQ(limit_memory_read(&back, path, &why), 0);
		CHECK_EQ(back.n, i < LIMIT_MEMORIES ? i : LIMIT_MEMORIES);
		same(limit_memory_find(&back, 1000 + i), &s);
		CHECK_EQ(back.entry[0].key, 1000 + i);
		m = back;
	}
	CHECK(!limit_memory_find(&m, 1001) && !limit_memory_find(&m, 1002));
	/* One that is known moves to the front; nobody goes. */
	for (unsigned i = 3; i <= LIMIT_MEMORIES + 2; i++) {
		struct limit_state s = state(i + 10), old = state(3 + LIMIT_MEMORIES - 1);

		limit_memory_put(&m, 1000 + i, &s);
		CHECK_EQ(m.entry[0].key, 1000 + i);
		same(limit_memory_find(&m, 1000 + i), &s);
		CHECK_EQ(m.n, LIMIT_MEMORIES);
		if (i < LIMIT_MEMORIES + 2)
			same(limit_memory_find(&m, 1000 + LIMIT_MEMORIES + 2), &old);
	}
}

static void damage(void)
{
	struct limit_memory m;
	uint8_t file[4096], bent[4096];
	struct why why = { "" };
	FILE *f = fopen(path, "rb");
	size_t n;

	CHECK(f != NULL);
	n = fread(file, 1, sizeof file, f);
	fclose(f);
	CHECK_EQ(limit_memory_parse(&m, file, n, &why), 0);
	for (size_t i = 0; i < n; i++) {
		memcpy(bent, file, n);
		bent[i] ^= 1 << i % 8;
		CHECK_EQ(limit_memory_parse(&m, bent, n, &why), -EBADMSG);
		CHECK_EQ(m.n, 0);
		CHECK_EQ(limit_memory_parse(&m, file, i, &why), -EBADMSG);
	}
	CHECK_EQ(limit_memory_parse(&m, file, n + 1, &why), -EBADMSG);
	memset(bent, 0xff, sizeof bent);
	CHECK_EQ(limit_memory_parse(&m, bent, sizeof bent, &why), -EBADMSG);
	CHECK(strstr(why.text, "not what a limit has learned") != NULL);

	f = fopen(path, "wb");
	CHECK(f != NULL && fwrite(file, 1, n / 2, f) == n / 2 && !fclose(f));
	CHECK_EQ(limit_memory_read(&m, path, &why), -EBADMSG);
	CHECK(strstr(why.text, path) != NULL);
	CHECK_EQ(m.n, 0);
	CHECK_EQ(limit_memory_write(&m, "/nowhere/at/all", &why), -ENOENT);
}

/* By the page, as the daemon has it: main sees no more of a running limit. */
static void by_the_page(void)
{
	const struct limit_config c = {
		.promise = 86400, .k = 3, .n = 5, .freeze = 100,
		.tail = { { 0, 1, 2, 3, 4, 5, 6, 7 }, 2 },
	};
	struct sonde_limit page;
	struct limit_state s, direct;
	struct limit l, other;

	limit_init(&l, &c);
	for (unsigned i = 0; i < 50000; i++)
		limit_step(&l, 1, true, i % 7000 > 6990);
	limit_step(&l, 1, false, false);
	limit_publish(&l, 11.5f, 42, &page);
	CHECK(page.follows && page.frozen);
	CHECK(page.start == 11.5f && page.key == 42);
	CHECK(page.rung[page.rungs - 1] == limit_value(&l));
	CHECK_EQ(page.alarms, 7);
	CHECK(limit_published(&page, &s));
	limit_save(&l, &direct);
	same(&s, &direct);
	limit_init(&other, &c);
	CHECK(limit_restore(&other, &s));
	CHECK_NEAR(limit_value(&other), limit_value(&l), 1e-5);

	memset(&l, 0, sizeof l);
	limit_publish(&l, 3, 42, &page);
	CHECK(!limit_published(&page, &s));
}

int main(void)
{
	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/p.limit", dir);
	there_and_back();
	damage();
	by_the_page();
	unlink(path);
	CHECK_EQ(rmdir(dir), 0);	/* and nothing else lies there */
	return 0;
}
