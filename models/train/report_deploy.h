/* SPDX-License-Identifier: MIT */
/* report_deploy: what show, compile, verify, sign and key have found or made. */
#ifndef SONDE_TRAIN_REPORT_DEPLOY_H
#define SONDE_TRAIN_REPORT_DEPLOY_H

#include <stdbool.h>

struct about;
struct deploy;
struct model;
struct sign_public;

/* report_model's, and the parts of the file, what they cost and who signed it. */
int report_show(const struct model *m, const struct about *a, const char *path, bool json);

int report_compile(const struct model *m, const struct deploy *c, const struct about *a,
		   const char *path, bool json);

/* trusted: a key was asked for, and it is that one. */
int report_verify(const struct model *m, const struct about *a, const char *path, bool trusted,
		  bool json);

/* path of a signed file or of a pair of keys, without ending. */
int report_signed(const struct sign_public *key, const char *path, bool json);
int report_key(const struct sign_public *key, const char *path, bool json);

#endif
