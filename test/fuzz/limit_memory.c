// SPDX-License-Identifier: MIT
/*
 * Fuzz: bytes as what limits have learned. The checksum is made right, or nothing would get
 * past it. What comes out, a limit takes or leaves, and works on in either case.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/limit_memory.h"
#include "kernels/why.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void work_on(const struct limit_state *s)
{
	const struct limit_config c = {
		.promise = s->promise % 7 ? s->promise : 86400, .k = s->k % 64 + 1, .n = 64,
		.tail = { { 0, 1, 2, 3, 4, 5, 6, 7 }, 2 }, .freeze = 10,
	};
	struct limit l;

	limit_init(&l, &c);
	limit_restore(&l, s);
	for (unsigned i = 0; i < 600 && limit_follows(&l); i++) {
		limit_step(&l, (float)(i % 13), true, i % 100 > 70);
		if (!isfinite(limit_value(&l)))
			abort();
		for (unsigned j = 1; j < l.rungs; j++)
			if (l.rung[j] < l.rung[j - 1])
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct limit_memory m;
	struct why why;
	uint64_t sum = 0xcbf29ce484222325;
	uint8_t *copy = malloc(size + sizeof sum);

	if (!copy)
		return 0;
	if (limit_memory_parse(&m, data, size, &why) && (m.n || !*why.text))
		abort();
	if (size)
		memcpy(copy, data, size);
	for (size_t i = 0; i < size; i++)
		sum = (sum ^ data[i]) * 0x100000001b3;
	memcpy(copy + size, &sum, sizeof sum);
	if (!limit_memory_parse(&m, copy, size + sizeof sum, &why)) {
		if (m.n > LIMIT_MEMORIES)
			abort();
		for (unsigned i = 0; i < m.n; i++)
			work_on(&m.entry[i].state);
	}
	free(copy);
	return 0;
}
