// SPDX-License-Identifier: MIT
/*
 * fuzz: any bytes as a key file, and as a file that may be signed. The first byte says which.
 * A key that is taken has a text that is taken again; nothing that is mutated fits its signature,
 * unless the bytes are those that were signed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void public_key(const char *text, size_t len)
{
	char line[128] = "sonde-ed25519-public ";
	struct sign_public key, again;
	struct why why;

	if (sign_public_parse(&key, text, len, &why))
		return;
	sign_public_text(line + strlen(line), &key);
	if (sign_public_parse(&again, line, strlen(line), &why) || memcmp(&key, &again, sizeof key))
		abort();
}

static void secret_key(const char *text, size_t len)
{
	struct sign_public public;
	struct sign_secret key;
	struct why why;

	if (sign_secret_parse(&key, text, len, &why))
		return;
	sign_secret_public(&public, &key);
	if (memcmp(public.bytes, key.bytes + 32, sizeof public.bytes))
		abort();
	sign_secret_forget(&key);
}

static void file(const uint8_t *data, size_t size)
{
	struct sign_info info;
	struct why why;
	/* The pages of a file are aligned; an odd address would be refused before anything else. */
	uint8_t *copy = aligned_alloc(64, (size + 64) / 64 * 64);

	if (!copy)
		return;
	memcpy(copy, data, size);
	if (!sign_inspect(&info, copy, size, &why) && info.state == SIGN_FITS && size < SIGN_BYTES)
		abort();
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	switch (data[0]) {
	case 'p':
		public_key((const char *)data + 1, size - 1);
		break;
	case 's':
		secret_key((const char *)data + 1, size - 1);
		break;
	default:
		file(data + 1, size - 1);
	}
	return 0;
}
