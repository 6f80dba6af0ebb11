// SPDX-License-Identifier: MIT
/*
 * text: a strict UTF-8 walk. Own code because the C library's depends on the
 * locale, and a daemon has none.
 */
#include "models/text.h"

#include <stdint.h>

/* Length of the character at s, its code point in *c; 0 when malformed. */
static size_t character(const uint8_t *s, size_t len, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n;

	if (s[0] < 0x80) {
		*c = s[0];
		return 1;
	}
	n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || n > len)
		return 0;
	*c = s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	if (*c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return n;
}

static bool walk(const char *s, size_t len, bool printable)
{
	while (len) {
		uint32_t c;
		size_t n = character((const uint8_t *)s, len, &c);

		if (!n || !c)
			return false;
		if (printable && (c < 0x20 || (c >= 0x7f && c < 0xa0)))
			return false;
		s += n;
		len -= n;
	}
	return true;
}

bool text_utf8(const char *s, size_t len)
{
	return walk(s, len, false);
}

bool text_printable(const char *s, size_t len)
{
	return walk(s, len, true);
}
