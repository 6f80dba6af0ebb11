/* SPDX-License-Identifier: MIT */
/* hwmon: what its attributes mean. Their units are in the folder's contract. */
#ifndef SONDE_HWMON_H
#define SONDE_HWMON_H

/* What the number of an attribute is multiplied with to come to hwmon_unit(). */
double hwmon_scale(const char *kind, const char *attribute);

#endif
