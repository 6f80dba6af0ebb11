/* SPDX-License-Identifier: MIT */
/*
 * sign: who made a model file. A signed file ends with a tensor of 96 bytes, an Ed25519
 * signature (RFC 8032) over every byte before them and the public key that it fits. Inside
 * the file and not beside it: one rename then replaces model and signature together.
 * To the byte, keys included, in models/FORMAT.md.
 */
#ifndef SONDE_SIGN_H
#define SONDE_SIGN_H

#include <stddef.h>

struct model;
struct sign_trust;
struct why;

#define SIGN_TENSOR "signature"
#define SIGN_BYTES 96		/* signature[64], public key[32] */
#define SIGN_KEY_TEXT 45	/* a public key in base64, with the NUL */

struct sign_public {
	unsigned char bytes[32];
};

struct sign_secret {
	unsigned char bytes[64];	/* the seed, then the public key, as libsodium has it */
};

/* A key as people compare and files carry it. */
void sign_public_text(char text[SIGN_KEY_TEXT], const struct sign_public *key);

/* Text of a key file, no NUL needed. -EINVAL with the reason. */
int sign_public_parse(struct sign_public *out, const char *text, size_t len, struct why *why);
int sign_secret_parse(struct sign_secret *out, const char *text, size_t len, struct why *why);

/* The same of a file; a secret one that others may read is refused: -EPERM. */
int sign_public_read(struct sign_public *out, const char *path, struct why *why);
int sign_secret_read(struct sign_secret *out, const char *path, struct why *why);
void sign_secret_public(struct sign_public *out, const struct sign_secret *s);
void sign_secret_forget(struct sign_secret *s);

/*
 * Make a pair: NAME.key, which only its owner may read, and NAME.pub. -EEXIST: one of them
 * is there, and stays.
 */
int sign_key_make(struct sign_public *out, const char *name, struct why *why);

enum sign_state {
	SIGN_NONE,
	SIGN_FITS,	/* the bytes are those that the owner of key signed */
	SIGN_BROKEN,
};

struct sign_info {
	enum sign_state state;
	struct sign_public key;		/* what the file says; unset for SIGN_NONE */
};

/* Of a model file's bytes. -EINVAL: no safetensors, or a `signature` that is none. */
int sign_inspect(struct sign_info *out, const void *data, size_t len, struct why *why);

/*
 * Sign the model at path, in place of a signature that it may have. Only what loads is
 * signed. Replaces path as file_replace does; all bytes but the header's and the
 * signature's own stay.
 */
int sign_file(const char *path, const struct sign_secret *key, struct why *why);

/*
 * The keys that are trusted: *.pub of dir, and the one of file; either may be "". *out NULL
 * when both are: nobody is asked for a signature. Keys of dir that can not be read are
 * passed over and named where a model is refused. Result: sign_trust_close.
 */
int sign_trust_open(struct sign_trust **out, const char *dir, const char *file, struct why *why);
void sign_trust_close(struct sign_trust *t);

/* -EKEYREJECTED with the reason: these bytes are signed by none of them. t NULL: 0. */
int sign_trust_check(const struct sign_trust *t, const void *data, size_t len, struct why *why);

/* model_load of what is trusted; the signature is checked before anything is parsed. */
int sign_load(struct model **out, const char *path, const struct sign_trust *t, struct why *why);

#endif
