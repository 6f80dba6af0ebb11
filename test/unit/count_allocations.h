/* SPDX-License-Identifier: MIT */
/*
 * count_allocations: the allocator's functions are the including program's own, in front of
 * the C library's, and counted. Not under sanitizers, which bring allocators of their own.
 */
#ifndef SONDE_TEST_COUNT_ALLOCATIONS_H
#define SONDE_TEST_COUNT_ALLOCATIONS_H

#include <errno.h>
#include <stdlib.h>

#ifndef SONDE_SANITIZED
static unsigned long allocations;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *p);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	allocations++;
	return __libc_realloc(p, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	allocations++;
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	allocations++;
	*out = __libc_memalign(alignment, size);
	return *out ? 0 : ENOMEM;
}

void free(void *p)
{
	allocations += !!p;	/* giving back is as forbidden */
	__libc_free(p);
}
#endif

#endif
