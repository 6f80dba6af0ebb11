// SPDX-License-Identifier: MIT
/*
 * What a tick may cost: over 100,000 of them, decoding included, no allocation and no
 * page fault. malloc and its kin are this program's own here, and count.
 */
#include <sys/resource.h>

#include "agent/decode.h"
#include "agent/pipeline.h"
#include "test/unit/pipeline_fixture.h"

#define TICKS 100000
#define WARM 200

static unsigned long allocations;

#ifndef SONDE_SANITIZED
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void *malloc(size_t n) { allocations++; return __libc_malloc(n); }
void *calloc(size_t n, size_t s) { allocations++; return __libc_calloc(n, s); }
void *realloc(void *p, size_t n) { allocations++; return __libc_realloc(p, n); }
void *aligned_alloc(size_t a, size_t n) { allocations++; return __libc_memalign(a, n); }
#endif

static long faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_minflt + u.ru_majflt;
}

/* One tick from bytes: a text file of two fields and a binary scan of three. */
static void tick(struct pipeline *p, unsigned i, const struct text_field *field,
		 const struct scan_element *element, struct pipeline_result *r)
{
	static const char text[] = "cpu 1 2 3\ncpu0 10 11 12 13\nctxt 12345678\n";
	uint64_t t = i * FIXTURE_PERIOD_NS;
	uint8_t scan[8] = { i, 0, (uint8_t)(i >> 8), 0, 12, 0 };
	double v;

	for (unsigned c = 0; c < 2; c++) {
		CHECK(!decode_text(&field[c], text, sizeof text - 1, &v));
		frame_put(&p->frame, c, (float)v + (float)(i % 7), t);
	}
	for (unsigned c = 0; c < 3; c++)
		frame_put(&p->frame, 2 + c, (float)decode_scan(&element[c], scan), t);
	pipeline_step(p, t, r);
}

int main(void)
{
	struct pipeline_config *c = fixture_config(50);
	struct scan_element element[3];
	struct text_field field[2];
	struct pipeline_model *pm;
	struct pipeline_result r;
	static struct pipeline p;
	unsigned long before, allocated;
	long fault;
	float *probe;

	CHECK(!decode_text_parse(&field[0], "cpu0:1+2", NULL));
	CHECK(!decode_text_parse(&field[1], "ctxt:1", NULL));
	for (unsigned i = 0; i < 3; i++)
		CHECK(!decode_scan_parse(&element[i], "le:u16/16>>0", NULL));
	decode_scan_layout(element, 3);
	CHECK_EQ(pipeline_model_open(&pm, fixture_model(50), c, FC_XNN, NULL), 0);
	pipeline_init(&p, FIXTURE_CHANNELS, 1000000000);
	pipeline_swap(&p, pm);
	for (unsigned i = 0; i < WARM; i++)
		tick(&p, i, field, element, &r);
#ifndef SONDE_SANITIZED
	CHECK(allocations > 0);		/* the counter counts */
#endif
	before = allocations;
	fault = faults();
	for (unsigned i = WARM; i < WARM + TICKS; i++)
		tick(&p, i, field, element, &r);
	CHECK(r.scored);
	/* Taken before printf, which allocates its buffer. */
	allocated = allocations - before;
	fault = faults() - fault;
	printf("%lu allocations, %ld page faults in %d ticks\n", allocated, fault, TICKS);
	pipeline_swap(&p, NULL);
	pipeline_model_close(pm);
	fixture_free(c);
#ifdef SONDE_SANITIZED
	SKIP_BECAUSE("a sanitizer owns malloc and maps its shadow as it goes: not counted here");
#endif
	CHECK_EQ(allocated, 0);
	CHECK_EQ(fault, 0);

	/* And a fault would be seen: the same count over one fresh page is not 0. */
	fault = faults();
	probe = malloc(1 << 24);
	CHECK(probe != NULL);
	probe[1 << 20] = 1;
	CHECK(faults() > fault && allocations > before + allocated);
	free(probe);
	return 0;
}
