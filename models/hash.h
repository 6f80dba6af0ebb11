/* SPDX-License-Identifier: MIT */
/* hash: SHA-256 of bytes in memory, as the 64 hexadecimal digits that files carry. */
#ifndef SONDE_HASH_H
#define SONDE_HASH_H

#include <stddef.h>

#define HASH_HEX 65	/* with the NUL */

void hash_sha256(char hex[HASH_HEX], const void *data, size_t len);

#endif
