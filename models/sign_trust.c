// SPDX-License-Identifier: MIT
/*
 * sign_trust: whose models are taken. Read anew for each model, so that a key that is put
 * into the folder or taken out counts from the next load on. A folder without a good
 * key trusts nobody: what is configured wrong refuses, it never lets pass.
 */
#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/file.h"
#include "models/model.h"
#include "models/sign.h"

#define KEYS_MAX 256

struct sign_trust {
	struct sign_public key[KEYS_MAX];
	unsigned keys;
	char from[256];			/* for reasons: the folder, the file, or both */
	struct why passed_over;		/* the last key that could not be read; "" */
};

static int add(struct sign_trust *t, const char *path, struct why *why)
{
	if (t->keys == KEYS_MAX)
		return why_set(why, -E2BIG, "%s: more than %d keys", path, KEYS_MAX);
	if (sign_public_read(&t->key[t->keys], path, why))
		return -EINVAL;
	t->keys++;
	return 0;
}

static int add_folder(struct sign_trust *t, const char *dir, struct why *why)
{
	const struct dirent *e;
	DIR *d = opendir(dir);

	if (!d)
		return why_set(why, -errno, "trusted keys: %s: %s", dir, strerror(errno));
	while ((e = readdir(d))) {
		const char *dot = strrchr(e->d_name, '.');
		char *path;

		if (!dot || dot == e->d_name || strcmp(dot, ".pub"))
			continue;
		if (asprintf(&path, "%s/%s", dir, e->d_name) < 0) {
			closedir(d);
			return why_set(why, -ENOMEM, "out of memory");
		}
		add(t, path, &t->passed_over);
		free(path);
	}
	closedir(d);
	return 0;
}

int sign_trust_open(struct sign_trust **out, const char *dir, const char *file, struct why *why)
{
	struct sign_trust *t;
	int err = 0;

	*out = NULL;
	if (!*dir && !*file)
		return 0;
	t = calloc(1, sizeof *t);
	if (!t)
		return why_set(why, -ENOMEM, "out of memory");
	snprintf(t->from, sizeof t->from, "%s%s%s", dir, *dir && *file ? " or " : "", file);
	if (*dir)
		err = add_folder(t, dir, why);
	if (!err && *file) {
		err = add(t, file, why);
		if (err)
			why_in(why, err, "trusted key");
	}
	if (err) {
		sign_trust_close(t);
		return err;
	}
	*out = t;
	return 0;
}

void sign_trust_close(struct sign_trust *t)
{
	free(t);
}

/* Nothing of these bytes is believed: their signature, if any, is only described. */
static int refuse(const struct sign_trust *t, const void *data, size_t len, struct why *why)
{
	char key[SIGN_KEY_TEXT], aside[sizeof t->passed_over.text + 32] = "";
	struct sign_info info;
	struct why what;

	if (*t->passed_over.text)
		snprintf(aside, sizeof aside, " (passed over: %s)", t->passed_over.text);
	else if (!t->keys)
		snprintf(aside, sizeof aside, " (where there is no key)");
	if (sign_inspect(&info, data, len, &what))
		return why_set(why, -EKEYREJECTED, "%s", what.text);
	sign_public_text(key, &info.key);
	if (info.state == SIGN_NONE)
		return why_set(why, -EKEYREJECTED, "not signed; only what a key of %s has signed "
			       "is taken%s", t->from, aside);
	if (info.state == SIGN_BROKEN)
		return why_set(why, -EKEYREJECTED, "its signature does not fit: it was changed "
			       "after %s signed it", key);
	return why_set(why, -EKEYREJECTED, "signed by %s, which is no key of %s%s", key, t->from,
		       aside);
}

int sign_trust_check(const struct sign_trust *t, const void *data, size_t len, struct why *why)
{
	const uint8_t *end = (const uint8_t *)data + len;

	if (!t)
		return 0;
	if (sodium_init() < 0)
		return why_set(why, -EIO, "libsodium finds no randomness");
	for (unsigned i = 0; len > SIGN_BYTES && i < t->keys; i++)
		if (!memcmp(end - sizeof t->key[i], &t->key[i], sizeof t->key[i]) &&
		    !crypto_sign_verify_detached(end - SIGN_BYTES, data, len - SIGN_BYTES,
						 t->key[i].bytes))
			return 0;
	return refuse(t, data, len, why);
}

int sign_load(struct model **out, const char *path, const struct sign_trust *t, struct why *why)
{
	const void *data;
	size_t len;
	int err;

	err = file_read(&data, &len, path, MODEL_FILE_MAX, why);
	if (err)
		return err;
	err = sign_trust_check(t, data, len, why);
	if (err)
		why_in(why, err, "%s", path);
	else
		err = model_parse(out, data, len, path, why);
	if (err) {
		file_free(data, len);
		return err;
	}
	(*out)->memory = (void *)(uintptr_t)data;
	(*out)->memory_size = len;
	return 0;
}
