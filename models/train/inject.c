// SPDX-License-Identifier: MIT
/*
 * inject: see inject.h. Everything is drawn from one seeded generator, in one order, so
 * that the same rows and seed give the same departures.
 */
#include "models/train/inject.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "models/train/random.h"

/* Share of the channels that depart together: one at least, a fifth at most. */
#define CHANNELS_SHARE 5u

struct stretch {
	unsigned from, to, rows;
	float size;
	struct random *random;
};

static const char *const names[INJECT_KINDS] = {
	"shift", "drift", "spike", "noise", "quiet", "stuck", "elsewhen",
};

const char *inject_name(enum inject_kind kind)
{
	return names[kind];
}

static unsigned below(struct random *r, unsigned n)
{
	return (unsigned)((random_next(r) >> 32) * n >> 32);
}

/* A size between half and one and a half of what was asked for, either way. */
static float amount(const struct stretch *s)
{
	float u = random_uniform(s->random);

	return s->size * (0.5f + fabsf(u)) * (u < 0 ? -1 : 1);
}

static float mean_of(const float *x, unsigned n, const struct stretch *s)
{
	double sum = 0, count = 0;

	for (unsigned r = s->from; r < s->to; r++)
		if (isfinite(x[(size_t)r * n])) {
			sum += x[(size_t)r * n];
			count++;
		}
	return count > 0 ? (float)(sum / count) : 0;
}

/* x: the channel's first row. */
static void depart(float *x, unsigned n, enum inject_kind kind, float std, const struct stretch *s)
{
	float by = amount(s) * std, length = (float)(s->to - s->from), middle = mean_of(x, n, s);
	unsigned other = below(s->random, s->rows - (s->to - s->from));
	float first = x[(size_t)s->from * n];

	for (unsigned r = s->from; r < s->to; r++) {
		float *v = x + (size_t)r * n;

		switch (kind) {
		case INJECT_SHIFT:
			*v += by;
			break;
		case INJECT_DRIFT:
			*v += by * (float)(r - s->from + 1) / length;
			break;
		case INJECT_SPIKE:
			*v += (r - s->from) % 4 ? 0 : 2 * by;
			break;
		case INJECT_NOISE:
			*v += by * random_uniform(s->random);
			break;
		case INJECT_QUIET:
			*v = middle + 0.1f * (*v - middle);
			break;
		case INJECT_STUCK:
			*v = first;
			break;
		default:
			*v = x[(size_t)(other + r - s->from) * n];
			break;
		}
	}
}

unsigned inject(float *x, uint8_t *label, unsigned rows, unsigned channels, const float *mean,
		const float *std, const struct inject_options *o)
{
	struct random random = { .state = o->seed };
	unsigned at = o->apart, tried = 0, count = 0, n = channels;

	memset(label, 0, rows);
	while (at + 2 * o->length < rows) {
		struct stretch s = { .from = at, .rows = rows, .size = o->size,
				     .random = &random };
		enum inject_kind kind = (enum inject_kind)(tried++ % INJECT_KINDS);
		unsigned many = 1 + below(&random, (n + CHANNELS_SHARE - 1) / CHANNELS_SHARE);
		bool departed = false;

		s.to = at + o->length / 2 + below(&random, o->length + 1);
		for (unsigned k = 0; k < many; k++) {
			unsigned i = below(&random, n);

			if (std[i] > 1e-6f * fabsf(mean[i])) {
				depart(x + i, n, kind, std[i], &s);
				departed = true;
			}
		}
		memset(label + s.from, departed, s.to - s.from);
		count += departed;
		at = s.to + o->apart + below(&random, o->apart + 1);
	}
	return count;
}
