/* SPDX-License-Identifier: MIT */
/* positive: linear equations with a symmetric positive definite matrix. A face for LAPACK. */
#ifndef SONDE_TRAIN_POSITIVE_H
#define SONDE_TRAIN_POSITIVE_H

/*
 * a[n][n] (one triangle is enough, the lower as rows go) x = b for `columns` right sides, each of
 * n numbers in a row: b[columns][n] becomes x. a is overwritten. -EDOM: not positive definite.
 */
int positive_solve(double *a, unsigned n, double *b, unsigned columns);

#endif
