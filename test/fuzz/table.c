// SPDX-License-Identifier: MIT
/*
 * fuzz: any bytes as a table. Every value of an accepted one is read, and names
 * and values are what the header promises.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct table *t;
	struct why why;

	if (table_parse(&t, (const char *)data, size, "fuzz", &why))
		return 0;
	if (!t->rows || !t->channels || strlen(t->sha256) != 64)
		abort();
	if (!(t->rate_hz >= 0) || isinf(t->rate_hz))
		abort();
	for (unsigned i = 0; i < t->channels; i++)
		if (!*t->name[i] || strlen(t->name[i]) >= sizeof *t->name)
			abort();
	for (size_t i = 0; i < (size_t)t->rows * t->channels; i++)
		if (isinf(t->value[i]))
			abort();
	for (unsigned i = 0; t->label && i < t->rows; i++)
		if (t->label[i] > 1)
			abort();
	table_free(t);
	return 0;
}
