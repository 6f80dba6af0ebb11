/* SPDX-License-Identifier: MIT */
/*
 * general: a pipeline that has no model of its own is judged by the general one, which is
 * installed beside the sensor library and measures the channels by itself.
 */
#ifndef SONDE_GENERAL_H
#define SONDE_GENERAL_H

#include <stdbool.h>
#include <stddef.h>

struct config;
struct model;
struct pipeline_config;
struct why;

/* Rows over which a channel is measured: those of a minute. */
unsigned general_online(double rate_hz);

/* In place, where m is general: one of the pipeline's channels and rate. Errors as model_expand. */
int general_expand(struct model *m, const struct pipeline_config *c, struct why *why);

/*
 * path[size] of the installed file. False, path untouched: there is none, or the configuration
 * names whose models are trusted, which says that none comes in by itself.
 */
bool general_path(const struct config *c, char *path, size_t size);

#endif
