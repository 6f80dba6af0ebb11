// SPDX-License-Identifier: MIT
/*
 * forecast MODEL ROWS: what the runtime's recurrent kernel says after each row of ROWS, a
 * line each. ROWS has the channels' deviations, as text, channel by channel. An autoencoder's
 * line is how it tells the row that is oldest in its window.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernels/quant.h"
#include "kernels/recurrent.h"
#include "kernels/why.h"
#include "models/model.h"

static void say(struct recurrent *r, const struct recurrent_spec *s, const float *z, float *out)
{
	unsigned n = s->channels;

	recurrent_advance(r, z);
	if (s->kind == RECURRENT_FORECAST)
		recurrent_forecast(r, out);
	else
		for (unsigned i = 0; i < n; i++)
			out[i] = recurrent_window(r)[(size_t)(s->window - 1) * n + i];
	for (unsigned i = 0; i < n; i++)
		printf("%s%.9g", i ? " " : "", (double)out[i]);
	printf("\n");
}

int main(int argc, char **argv)
{
	struct recurrent *r = NULL;
	struct model *m = NULL;
	struct why why = { "" };
	float *z, *out;
	FILE *in;
	unsigned n;

	if (argc != 3)
		return 2;
	in = fopen(argv[2], "r");
	if (!in || model_load(&m, argv[1], &why) ||
	    recurrent_open(&r, &m->spec.recurrent, QUANT_MAX / m->spec.z_clip, FC_REF, &why)) {
		fprintf(stderr, "%s\n", in ? why.text : argv[2]);
		return 1;
	}
	n = m->spec.channels;
	z = calloc(n, sizeof *z);
	out = calloc(n, sizeof *out);
	while (z && out) {
		unsigned i = 0;

		while (i < n && fscanf(in, "%f", &z[i]) == 1)
			i++;
		if (i < n)
			break;
		say(r, &m->spec.recurrent, z, out);
	}
	fclose(in);
	recurrent_close(r);
	model_free(m);
	free(z);
	free(out);
	return 0;
}
