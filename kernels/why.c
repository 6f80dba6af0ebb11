// SPDX-License-Identifier: MIT
#include "kernels/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int why_set(struct why *why, int err, const char *format, ...)
{
	va_list args;

	if (!why)
		return err;
	va_start(args, format);
	vsnprintf(why->text, sizeof why->text, format, args);
	va_end(args);
	return err;
}

int why_in(struct why *why, int err, const char *format, ...)
{
	struct why inner;
	size_t n;
	va_list args;

	if (!why)
		return err;
	inner = *why;
	va_start(args, format);
	vsnprintf(why->text, sizeof why->text, format, args);
	va_end(args);
	n = strlen(why->text);
	snprintf(why->text + n, sizeof why->text - n, ": %s",
		 inner.text[0] ? inner.text : strerror(-err));
	return err;
}
