/* SPDX-License-Identifier: MIT */
/* order: quantiles of numbers that may be put in order for it. NaN must not be among them. */
#ifndef SONDE_TRAIN_ORDER_H
#define SONDE_TRAIN_ORDER_H

#include <stddef.h>

/* Sorts v[n]; the value that a share q (0 .. 1) of them is at or below, nearest rank; 0 for none. */
float order_quantile(float *v, size_t n, double q);
double order_quantile_double(double *v, size_t n, double q);

#endif
