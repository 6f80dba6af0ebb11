/* SPDX-License-Identifier: MIT */
/*
 * safetensors: named arrays in one file, the format that PyTorch's world shares.
 * The reader trusts nothing: every offset, size, name and type is checked before
 * a tensor is handed out. Byte layout in models/FORMAT.md.
 */
#ifndef SONDE_SAFETENSORS_H
#define SONDE_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

struct why;

#define ST_DIMS_MAX 8
#define ST_ALIGN 64			/* what the writer gives; the reader wants the element's */
#define ST_HEADER_MAX (2u << 20)	/* a header of 4096 channels takes a quarter of it */
#define ST_TEXT_KEY "sonde"		/* our string in __metadata__ */

enum st_dtype {
	ST_BOOL, ST_U8, ST_I8, ST_F8_E5M2, ST_F8_E4M3, ST_I16, ST_U16, ST_F16, ST_BF16,
	ST_I32, ST_U32, ST_F32, ST_I64, ST_U64, ST_F64,
	ST_DTYPES
};

struct st_tensor {
	const char *name;
	enum st_dtype dtype;
	unsigned dims;
	uint64_t shape[ST_DIMS_MAX];
	uint64_t begin, end;		/* bytes, from the start of the data section */
	const void *data;
};

struct st_file {
	struct st_tensor *tensor;	/* [tensors], in the order of the data */
	unsigned tensors;
	const char *text;		/* the string under ST_TEXT_KEY, or NULL */
	void *json;			/* owns the strings above */
};

/* Borrows data, which must outlive *f. Errors: -EINVAL, -ENOMEM. Result: st_close. */
int st_open(struct st_file *f, const void *data, size_t len, struct why *why);
void st_close(struct st_file *f);
const struct st_tensor *st_find(const struct st_file *f, const char *name);

/*
 * Write these tensors (name, dtype, dims, shape, data) and text to path, each
 * tensor at a multiple of ST_ALIGN in the file; gaps become tensors "pad.N" of
 * U8, because the format allows none. Replaces path as file_replace does.
 */
int st_write(const char *path, const struct st_tensor *tensor, unsigned tensors,
	     const char *text, struct why *why);

/*
 * The same as other programs write it: these tensors and no others, one behind the other, with
 * the "format" that the transformers library looks for in place of our text. -EINVAL: a
 * tensor would not lie at a multiple of its element's size; larger elements come first.
 */
int st_write_plain(const char *path, const struct st_tensor *tensor, unsigned tensors,
		   struct why *why);

const char *st_dtype_name(enum st_dtype dtype);
unsigned st_dtype_size(enum st_dtype dtype);

/* "[256, 72]", cut at the buffer's end. */
void st_shape_text(char *out, size_t size, const uint64_t *shape, unsigned dims);

#endif
