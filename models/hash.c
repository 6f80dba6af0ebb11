// SPDX-License-Identifier: MIT
/*
 * hash: libsodium's SHA-256. It identifies the data a model was trained on; it
 * is not a signature and nothing is refused for it.
 */
#include "models/hash.h"

#include <sodium.h>

void hash_sha256(char hex[HASH_HEX], const void *data, size_t len)
{
	unsigned char sum[crypto_hash_sha256_BYTES];

	_Static_assert(HASH_HEX == 2 * crypto_hash_sha256_BYTES + 1, "two digits a byte");
	crypto_hash_sha256(sum, data, len);
	sodium_bin2hex(hex, HASH_HEX, sum, sizeof sum);
}
