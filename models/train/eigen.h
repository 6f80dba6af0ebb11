/* SPDX-License-Identifier: MIT */
/*
 * eigen: the eigenvectors of a covariance, largest variance first; what a linear
 * subspace is made of. A face for LAPACK's divide and conquer, which OpenBLAS brings along.
 */
#ifndef SONDE_TRAIN_EIGEN_H
#define SONDE_TRAIN_EIGEN_H

#define EIGEN_MAX 8192u		/* its work space must be counted in an int */

/*
 * a[n][n] symmetric (both triangles filled) goes in; out come `want` <= n rows, unit
 * eigenvectors by descending eigenvalue, the rest of a being scratch. value[n]: all
 * eigenvalues, descending. A vector's sign is such that its largest component (the first
 * of those that are equal but for rounding) is positive.
 * -ENOMEM; -EINVAL n is 0, over EIGEN_MAX or under want; -EDOM not finite, or no convergence.
 */
int eigen_symmetric(double *a, double *value, unsigned n, unsigned want);

#endif
