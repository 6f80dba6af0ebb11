// SPDX-License-Identifier: MIT
/* positive: see positive.h. Our rows are LAPACK's columns, so our lower triangle is its upper. */
#include "models/train/positive.h"

#include <errno.h>
#include <stddef.h>

/* By the Fortran convention: everything by reference, the text's length last. */
void dposv_(const char *triangle, const int *n, const int *columns, double *a, const int *lda,
	    double *b, const int *ldb, int *info, size_t);

int positive_solve(double *a, unsigned n, double *b, unsigned columns)
{
	int order = (int)n, sides = (int)columns, info = -1;

	dposv_("U", &order, &sides, a, &order, b, &order, &info, 1);
	return info ? -EDOM : 0;
}
