/* SPDX-License-Identifier: MIT */
/*
 * about: what a model file is, found out of the file itself and by running it: its parts, its
 * signature, its self-test with each kind of kernel, what a row costs on this machine.
 */
#ifndef SONDE_TRAIN_ABOUT_H
#define SONDE_TRAIN_ABOUT_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/fc.h"
#include "kernels/why.h"
#include "models/hash.h"
#include "models/sign.h"

struct model;

#define ABOUT_PARTS_MAX 24
#define ABOUT_NAME_MAX 16

/* The tensors whose names begin alike: "gates.weight", "gates.scale", "gates.bias". */
struct about_part {
	char name[ABOUT_NAME_MAX];
	const char *what;		/* for people; "" for what FORMAT.md does not name */
	unsigned tensors;
	uint64_t bytes, products;	/* products: multiplications of its matrices, a row */
};

struct about_kind {
	const char *name;		/* "xnnpack", "xnnpack-subgraph", "reference", "float" */
	int err;	/* 0: the file's bits; -EBADMSG: others; else: can not be had here */
	struct why why;
};

struct about {
	uint64_t bytes, header_bytes, padding_bytes, products;
	char sha256[HASH_HEX];
	struct about_part part[ABOUT_PARTS_MAX];	/* the last one takes what has no room */
	unsigned parts, tensors;
	struct sign_info sign;
	struct about_kind kind[FC_KINDS];
	unsigned kinds;
	double row_ns;			/* median of a step; 0: not measured */
	const char *row_kernel;
};

/* Of the bytes of a file. Errors: as st_open and sign_inspect. */
int about_file(struct about *a, const void *data, size_t len, struct why *why);

/* Run the self-test with every kind; a float model has one. */
void about_test(struct about *a, const struct model *m);

/* Step the model for a few hundredths of a second. -errno when it can not run. */
int about_cost(struct about *a, const struct model *m, struct why *why);

#endif
