// SPDX-License-Identifier: MIT
/*
 * eigen: see eigen.h. All vectors are computed even when a few are wanted: the
 * drivers for a part of the spectrum lose orthogonality where eigenvalues cluster, as they
 * do for a machine at rest, and reduction to tridiagonal form costs most in either.
 */
#include "models/train/eigen.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* LAPACK's, by the Fortran convention: everything by reference, the text lengths last. */
void dsyevd_(const char *vectors, const char *triangle, const int *n, double *a, const int *lda,
	     double *value, double *work, const int *lwork, int *iwork, const int *liwork,
	     int *info, size_t, size_t);

/* Components this close to the largest count as equal to it. */
#define SAME 1e-6

static void set_sign(double *v, unsigned n)
{
	double largest = 0;
	unsigned at = 0;

	for (unsigned i = 0; i < n; i++)
		largest = fmax(largest, fabs(v[i]));
	while (fabs(v[at]) < largest * (1 - SAME))
		at++;
	if (v[at] > 0)
		return;
	for (unsigned i = 0; i < n; i++)
		v[i] = -v[i];
}

static void swap_rows(double *x, double *y, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		double t = x[i];

		x[i] = y[i];
		y[i] = t;
	}
}

int eigen_symmetric(double *a, double *value, unsigned n, unsigned want)
{
	int order = (int)n, info, lwork, liwork;
	double *work;
	int *iwork;

	if (!n || n > EIGEN_MAX || want > n)
		return -EINVAL;
	for (size_t k = 0; k < (size_t)n * n; k++)
		if (!isfinite(a[k]))
			return -EDOM;
	lwork = 1 + 6 * order + 2 * order * order;
	liwork = 3 + 5 * order;
	work = malloc((size_t)lwork * sizeof(*work));
	iwork = malloc((size_t)liwork * sizeof(*iwork));
	info = -1;
	if (work && iwork)
		dsyevd_("V", "U", &order, a, &order, value, work, &lwork, iwork, &liwork, &info, 1, 1);
	free(work);
	free(iwork);
	if (!work || !iwork)
		return -ENOMEM;
	if (info)
		return -EDOM;
	/* Column-major columns are our rows; they come ascending. */
	for (unsigned i = 0; i < n / 2; i++) {
		swap_rows(a + (size_t)i * n, a + (size_t)(n - 1 - i) * n, n);
		swap_rows(value + i, value + (n - 1 - i), 1);
	}
	for (unsigned i = 0; i < want; i++)
		set_sign(a + (size_t)i * n, n);
	return 0;
}
