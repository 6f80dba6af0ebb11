// SPDX-License-Identifier: MIT
/* order: see order.h. */
#include "models/train/order.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static int ascending_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static size_t rank_of(size_t n, double q)
{
	return (size_t)(q * (double)(n - 1) + 0.5);
}

float order_quantile(float *v, size_t n, double q)
{
	if (!n)
		return 0;
	qsort(v, n, sizeof(*v), ascending);
	return v[rank_of(n, q)];
}

double order_quantile_double(double *v, size_t n, double q)
{
	if (!n)
		return 0;
	qsort(v, n, sizeof(*v), ascending_double);
	return v[rank_of(n, q)];
}
