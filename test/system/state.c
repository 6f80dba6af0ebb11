// SPDX-License-Identifier: MIT
/*
 * state FILE SEED NAME:ROWS[xCOLUMNS]...: a state dict of such tensors, F32, with fixed
 * pseudo-random numbers within +-0.3, for tests of `import` on machines without PyTorch.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/safetensors.h"

#define TENSORS_MAX 64

int main(int argc, char **argv)
{
	struct st_tensor tensor[TENSORS_MAX] = { 0 };
	unsigned n = argc > 3 ? (unsigned)argc - 3 : 0;
	struct why why = { "" };
	uint32_t seed;

	if (!n || n > TENSORS_MAX)
		return 2;
	seed = (uint32_t)atoi(argv[2]);
	for (unsigned i = 0; i < n; i++) {
		char *colon = strchr(argv[3 + i], ':');
		unsigned rows, columns = 1;
		float *v;

		if (!colon)
			return 2;
		*colon = '\0';
		tensor[i].name = argv[3 + i];
		tensor[i].dtype = ST_F32;
		tensor[i].dims = (unsigned)sscanf(colon + 1, "%ux%u", &rows, &columns);
		tensor[i].shape[0] = rows;
		tensor[i].shape[1] = columns;
		v = malloc(((size_t)rows * columns + 1) * sizeof *v);
		if (!v || !tensor[i].dims)
			return 2;
		for (size_t k = 0; k < (size_t)rows * columns; k++) {
			seed = seed * 1664525u + 1013904223u;
			v[k] = ((float)(seed >> 8) / (1 << 23) - 1) * 0.3f;
		}
		tensor[i].data = v;
	}
	if (!st_write_plain(argv[1], tensor, n, &why))
		return 0;
	fprintf(stderr, "%s\n", why.text);
	return 1;
}
