// SPDX-License-Identifier: MIT
/*
 * sign: the signature in a model file. Signing changes the header's text and adds bytes at the
 * end; it does not write the model anew, so that tensors and metadata of other
 * programs are kept. The signed bytes are the file's own and not a hash of our
 * making: any Ed25519 can check them.
 */
#include "models/sign.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/file.h"
#include "models/model.h"
#include "models/safetensors.h"

_Static_assert(sizeof(struct sign_public) == crypto_sign_PUBLICKEYBYTES &&
	       sizeof(struct sign_secret) == crypto_sign_SECRETKEYBYTES &&
	       SIGN_BYTES == crypto_sign_BYTES + crypto_sign_PUBLICKEYBYTES, "Ed25519's sizes");

#define LENGTH_BYTES 8
#define PAD_TENSOR "pad.signature"
#define ENTRY_MAX 192		/* of the two tensors' text in the header */

static bool fits(const uint8_t *data, size_t len, const unsigned char *key)
{
	size_t signed_len = len - SIGN_BYTES;

	return sodium_init() >= 0 &&
	       !crypto_sign_verify_detached(data + signed_len, data, signed_len, key);
}

/* 0: unsigned; 1: the file's last bytes are the signature; -EINVAL: neither. */
static int has_signature(const struct st_file *file, const uint8_t *data, size_t len,
			 struct why *why)
{
	const struct st_tensor *t = st_find(file, SIGN_TENSOR);

	if (!t)
		return 0;
	if (t->dtype != ST_U8 || t->dims != 1 || t->shape[0] != SIGN_BYTES)
		return why_set(why, -EINVAL, "tensor " SIGN_TENSOR " is not a list of %d bytes",
			       SIGN_BYTES);
	if ((const uint8_t *)t->data + SIGN_BYTES != data + len)
		return why_set(why, -EINVAL, "tensor " SIGN_TENSOR
			       " is not at the end of the file");
	return 1;
}

int sign_inspect(struct sign_info *out, const void *data, size_t len, struct why *why)
{
	const uint8_t *bytes = data;
	struct st_file file;
	int err;

	*out = (struct sign_info){ SIGN_NONE };
	err = st_open(&file, data, len, why);
	if (err)
		return err;
	err = has_signature(&file, bytes, len, why);
	st_close(&file);
	if (err <= 0)
		return err;
	memcpy(out->key.bytes, bytes + len - sizeof out->key.bytes, sizeof out->key.bytes);
	out->state = fits(bytes, len, out->key.bytes) ? SIGN_FITS : SIGN_BROKEN;
	return 0;
}

/* The entry of the signature, and of a pad before it where data does not end at ST_ALIGN. */
static int entries(char text[ENTRY_MAX], uint64_t data_len, uint64_t *pad)
{
	uint64_t at = data_len + -data_len % ST_ALIGN;
	int n = 0;

	*pad = at - data_len;
	if (*pad)
		n = snprintf(text, ENTRY_MAX, ",\"" PAD_TENSOR "\":{\"dtype\":\"U8\",\"shape\":[%"
			     PRIu64 "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", *pad, data_len,
			     at);
	return n + snprintf(text + n, ENTRY_MAX - (size_t)n, ",\"" SIGN_TENSOR
			    "\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[%" PRIu64
			    ",%" PRIu64 "]}}", SIGN_BYTES, at, at + SIGN_BYTES);
}

/*
 * The same file with room for a signature: the header's last brace gives way to our
 * entries, spaces bring the data to a multiple of ST_ALIGN.
 */
static int make_room(uint8_t **out, size_t *out_len, const uint8_t *data, size_t len,
		     struct why *why)
{
	char text[ENTRY_MAX];
	uint64_t header = 0, whole, pad, body;
	size_t kept;
	uint8_t *p;
	int n;

	memcpy(&header, data, LENGTH_BYTES);
	body = len - LENGTH_BYTES - header;
	kept = LENGTH_BYTES + header;
	while (kept > LENGTH_BYTES && strchr(" \t\r\n", data[kept - 1]))
		kept--;
	if (data[kept - 1] != '}')
		return why_set(why, -EINVAL, "the header does not end with '}'");
	kept--;
	n = entries(text, body, &pad);
	whole = kept + (size_t)n;
	whole += -whole % ST_ALIGN;
	if (whole - LENGTH_BYTES > ST_HEADER_MAX)
		return why_set(why, -E2BIG, "a header of %" PRIu64 " bytes", whole - LENGTH_BYTES);
	*out_len = whole + body + pad + SIGN_BYTES;
	p = *out = calloc(1, *out_len);
	if (!p)
		return why_set(why, -ENOMEM, "no memory for %zu bytes", *out_len);
	memset(p, ' ', whole);
	header = whole - LENGTH_BYTES;
	memcpy(p, &header, LENGTH_BYTES);
	memcpy(p + LENGTH_BYTES, data + LENGTH_BYTES, kept - LENGTH_BYTES);
	memcpy(p + kept, text, (size_t)n);
	memcpy(p + whole, data + len - body, body);
	return 0;
}

static int sign_bytes(uint8_t *data, size_t len, const struct sign_secret *key, struct why *why)
{
	uint8_t *end = data + len - SIGN_BYTES;
	struct sign_info info;
	int err;

	if (sodium_init() < 0)
		return why_set(why, -EIO, "libsodium finds no randomness");
	crypto_sign_detached(end, NULL, data, len - SIGN_BYTES, key->bytes);
	crypto_sign_ed25519_sk_to_pk(end + crypto_sign_BYTES, key->bytes);
	/* What is written can be read: names could collide, a header could be odd. */
	err = sign_inspect(&info, data, len, why);
	if (!err && info.state != SIGN_FITS)
		err = why_set(why, -EINVAL, "the secret key does not fit itself");
	return err;
}

static int sign_copy(uint8_t **out, size_t *out_len, const void *data, size_t len,
		     struct why *why)
{
	struct st_file file;
	struct model *m;
	int err = model_parse(&m, data, len, "not a model that loads", why);

	if (err)
		return err;
	model_free(m);
	err = st_open(&file, data, len, why);
	if (err)
		return err;
	err = has_signature(&file, data, len, why);
	if (!err && st_find(&file, PAD_TENSOR))
		err = why_set(why, -EINVAL, "there is a tensor " PAD_TENSOR " already");
	st_close(&file);
	if (err < 0)
		return err;
	if (!err)
		return make_room(out, out_len, data, len, why);
	*out_len = len;
	*out = malloc(len);
	if (!*out)
		return why_set(why, -ENOMEM, "no memory for %zu bytes", len);
	memcpy(*out, data, len);
	return 0;
}

int sign_file(const char *path, const struct sign_secret *key, struct why *why)
{
	uint8_t *copy = NULL;
	size_t len, copy_len = 0;
	const void *data;
	struct iovec part;
	int err;

	err = file_read(&data, &len, path, MODEL_FILE_MAX, why);
	if (err)
		return err;
	err = sign_copy(&copy, &copy_len, data, len, why);
	file_free(data, len);
	if (!err)
		err = sign_bytes(copy, copy_len, key, why);
	if (err) {
		free(copy);
		return why_in(why, err, "%s", path);
	}
	part = (struct iovec){ copy, copy_len };
	err = file_replace(path, &part, 1, why);
	free(copy);
	return err;
}
