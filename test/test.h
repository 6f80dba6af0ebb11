/* SPDX-License-Identifier: MIT */
/* test: what unit tests share. A check that fails says where and what, and ends the test. */
#ifndef SONDE_TEST_H
#define SONDE_TEST_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKIP 77

#define CHECK(x)                                                                     \
	do {                                                                         \
		if (!(x)) {                                                          \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #x); \
			exit(1);                                                     \
		}                                                                    \
	} while (0)

#define CHECK_EQ(a, b)                                                               \
	do {                                                                         \
		long long check_a = (long long)(a), check_b = (long long)(b);        \
		if (check_a != check_b) {                                            \
			fprintf(stderr, "%s:%d: %s is %lld, not %s = %lld\n", __FILE__, \
				__LINE__, #a, check_a, #b, check_b);                 \
			exit(1);                                                     \
		}                                                                    \
	} while (0)

#define CHECK_STR(a, b)                                                              \
	do {                                                                         \
		const char *check_a = (a), *check_b = (b);                           \
		if (strcmp(check_a, check_b)) {                                      \
			fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, \
				__LINE__, #a, check_a, check_b);                     \
			exit(1);                                                     \
		}                                                                    \
	} while (0)

#define CHECK_NEAR(a, b, eps)                                                        \
	do {                                                                         \
		double check_a = (a), check_b = (b);                                 \
		if (!(fabs(check_a - check_b) <= (eps))) {                           \
			fprintf(stderr, "%s:%d: %s is %.9g, not %s = %.9g within %g\n", __FILE__, \
				__LINE__, #a, check_a, #b, check_b, (double)(eps));  \
			exit(1);                                                     \
		}                                                                    \
	} while (0)

#define SKIP_BECAUSE(...)                                                            \
	do {                                                                         \
		printf(__VA_ARGS__);                                                 \
		putchar('\n');                                                       \
		exit(SKIP);                                                          \
	} while (0)

#endif
