// SPDX-License-Identifier: MIT
/*
 * sign_key: keys as files that a person can read, copy by hand and paste into a message: one
 * line of a word and base64. The secret file holds the seed alone; all else follows
 * from it (RFC 8032, 5.1.5).
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/why.h"
#include "models/file.h"
#include "models/sign.h"

#define WORD_PUBLIC "sonde-ed25519-public"
#define WORD_SECRET "sonde-ed25519-secret"
#define NUMBER_BYTES 32		/* of a public key and of a seed */
#define KEY_FILE_MAX 4096
#define BASE64 sodium_base64_VARIANT_ORIGINAL

_Static_assert(SIGN_KEY_TEXT == sodium_base64_ENCODED_LEN(NUMBER_BYTES, BASE64), "base64");

void sign_public_text(char text[SIGN_KEY_TEXT], const struct sign_public *key)
{
	sodium_bin2base64(text, SIGN_KEY_TEXT, key->bytes, sizeof key->bytes, BASE64);
}

static size_t word_len(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] != ' ' && s[i] != '\t' && s[i] != '\r')
		i++;
	return i;
}

/* Leave out the blanks that s, of *n bytes, begins with. */
static const char *skip_blanks(const char *s, size_t *n)
{
	while (*n && (*s == ' ' || *s == '\t' || *s == '\r')) {
		s++;
		--*n;
	}
	return s;
}

/* "WORD BASE64 anything", n bytes. */
static int parse_line(unsigned char number[NUMBER_BYTES], const char *s, size_t n,
		      const char *word, struct why *why)
{
	bool public = !strcmp(word, WORD_PUBLIC);
	const char *other = public ? WORD_SECRET : WORD_PUBLIC;
	size_t w = word_len(s, n), got = 0;

	if (w == strlen(other) && !memcmp(s, other, w))
		return why_set(why, -EINVAL, "that is the %s key; the %s one is wanted",
			       public ? "secret" : "public", public ? "public" : "secret");
	if (w != strlen(word) || memcmp(s, word, w))
		return why_set(why, -EINVAL, "not a key: it does not begin with %s", word);
	n -= w;
	s = skip_blanks(s + w, &n);
	if (sodium_base642bin(number, NUMBER_BYTES, s, word_len(s, n), NULL, &got, NULL, BASE64) ||
	    got != NUMBER_BYTES)
		return why_set(why, -EINVAL, "%s is not followed by %d bytes in base64", word,
			       NUMBER_BYTES);
	return 0;
}

/* The one line that is neither empty nor begins with #. */
static int parse_text(unsigned char number[NUMBER_BYTES], const char *text, size_t len,
		      const char *word, struct why *why)
{
	bool found = false;

	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len, blanks = n;
		const char *s = skip_blanks(text, &blanks);

		if (blanks && *s != '#') {
			int err = found ? why_set(why, -EINVAL, "more than one key in a file")
					: parse_line(number, s, blanks, word, why);

			if (err)
				return err;
			found = true;
		}
		text += n + (end != NULL);
		len -= n + (end != NULL);
	}
	return found ? 0 : why_set(why, -EINVAL, "there is no key in it");
}

int sign_public_parse(struct sign_public *out, const char *text, size_t len, struct why *why)
{
	int err = parse_text(out->bytes, text, len, WORD_PUBLIC, why);

	/* A point of small order fits signatures that nobody made. */
	if (!err && !crypto_core_ed25519_is_valid_point(out->bytes))
		err = why_set(why, -EINVAL, "these 32 bytes are not an Ed25519 key");
	return err;
}

int sign_secret_parse(struct sign_secret *out, const char *text, size_t len, struct why *why)
{
	unsigned char seed[NUMBER_BYTES], public[crypto_sign_PUBLICKEYBYTES];
	int err = parse_text(seed, text, len, WORD_SECRET, why);

	if (!err && sodium_init() < 0)
		err = why_set(why, -EIO, "libsodium finds no randomness");
	if (!err)
		crypto_sign_seed_keypair(public, out->bytes, seed);
	sodium_memzero(seed, sizeof seed);
	return err;
}

int sign_public_read(struct sign_public *out, const char *path, struct why *why)
{
	const void *text;
	size_t len;
	int err = file_read(&text, &len, path, KEY_FILE_MAX, why);

	if (err)
		return err;
	err = sign_public_parse(out, text, len, why);
	file_free(text, len);
	return err ? why_in(why, err, "%s", path) : 0;
}

int sign_secret_read(struct sign_secret *out, const char *path, struct why *why)
{
	const void *text;
	struct stat st;
	size_t len;
	int err;

	err = file_read(&text, &len, path, KEY_FILE_MAX, why);
	if (err)
		return err;
	err = sign_secret_parse(out, text, len, why);
	file_free(text, len);
	if (err)
		return why_in(why, err, "%s", path);
	if (stat(path, &st))
		err = why_set(why, -errno, "%s: %s", path, strerror(errno));
	else if (st.st_mode & (S_IRWXG | S_IRWXO))
		err = why_set(why, -EPERM, "%s: others may read it (mode %03o): make it 600, or "
			      "make a new key", path, (unsigned)st.st_mode & 0777);
	if (err)
		sign_secret_forget(out);
	return err;
}

void sign_secret_public(struct sign_public *out, const struct sign_secret *s)
{
	crypto_sign_ed25519_sk_to_pk(out->bytes, s->bytes);
}

void sign_secret_forget(struct sign_secret *s)
{
	sodium_memzero(s, sizeof *s);
}

/* A file that is not there yet. */
static int put_new(const char *path, mode_t mode, const char *text, struct why *why)
{
	size_t n = strlen(text);
	int err = 0, fd;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	if (write(fd, text, n) != (ssize_t)n || fsync(fd))
		err = errno ? -errno : -EIO;
	if (close(fd) && !err)
		err = -errno;
	if (!err)
		return 0;
	unlink(path);
	return why_set(why, err, "%s: %s", path, strerror(-err));
}

static int put_pair(const char *secret_path, const char *public_path, const unsigned char *seed,
		    const struct sign_public *public, struct why *why)
{
	char number[SIGN_KEY_TEXT], text[256];
	int err;

	sodium_bin2base64(number, sizeof number, seed, NUMBER_BYTES, BASE64);
	snprintf(text, sizeof text, "# Who has this can sign models in your name.\n"
		 WORD_SECRET " %s\n", number);
	errno = 0;
	err = put_new(secret_path, 0600, text, why);
	sodium_memzero(text, sizeof text);
	sodium_memzero(number, sizeof number);
	if (err)
		return err;
	sign_public_text(number, public);
	snprintf(text, sizeof text, WORD_PUBLIC " %s\n", number);
	errno = 0;
	err = put_new(public_path, 0644, text, why);
	if (err)
		unlink(secret_path);
	return err;
}

int sign_key_make(struct sign_public *out, const char *name, struct why *why)
{
	unsigned char seed[crypto_sign_SEEDBYTES];
	char *secret_path = NULL, *public_path = NULL;
	struct sign_secret secret;
	int err;

	if (sodium_init() < 0)
		return why_set(why, -EIO, "libsodium finds no randomness");
	if (asprintf(&secret_path, "%s.key", name) < 0 ||
	    asprintf(&public_path, "%s.pub", name) < 0) {
		free(secret_path);
		return why_set(why, -ENOMEM, "out of memory");
	}
	randombytes_buf(seed, sizeof seed);
	crypto_sign_seed_keypair(out->bytes, secret.bytes, seed);
	err = put_pair(secret_path, public_path, seed, out, why);
	sodium_memzero(seed, sizeof seed);
	sign_secret_forget(&secret);
	free(secret_path);
	free(public_path);
	return err;
}
