// SPDX-License-Identifier: MIT
/* report_cost: what each operator is predicted to cost on a target. */
#include <stdio.h>
#include <systemd/sd-json.h>

#include "models/train/cost.h"
#include "models/train/report.h"

static bool has(const struct cost_part *p)
{
	return p->runs > 0;
}

void report_cost(const struct cost *c, const struct cost_target *t)
{
	char weights[REPORT_BYTES], state[REPORT_BYTES];
	struct cost_part all = cost_sum(c);

	printf("%-17s %9s %10s %10s %12s\n", "operator", "us a row", "weights", "state",
	       "mul-adds");
	for (unsigned op = 0; op < COST_OPS; op++) {
		const struct cost_part *p = &c->part[op];

		if (has(p))
			printf("%-17s %9.3f %10s %10s %12.0f\n", cost_name((enum cost_op)op),
			       cost_ns(p, t) / 1e3, report_bytes(weights, (double)p->weight_bytes),
			       report_bytes(state, (double)p->state_bytes), cost_mul_adds(p));
	}
	printf("%-17s %9.3f %10s %10s %12.0f\n", "a row", cost_ns(&all, t) / 1e3,
	       report_bytes(weights, (double)all.weight_bytes),
	       report_bytes(state, (double)all.state_bytes), cost_mul_adds(&all));
}

int report_cost_build(sd_json_variant **out, const struct cost *c, const struct cost_target *t)
{
	int err = sd_json_variant_new_array(out, NULL, 0);

	for (unsigned op = 0; err >= 0 && op < COST_OPS; op++) {
		const struct cost_part *p = &c->part[op];

		if (has(p))
			err = sd_json_variant_append_arraybo(out,
				SD_JSON_BUILD_PAIR_STRING("operator", cost_name((enum cost_op)op)),
				SD_JSON_BUILD_PAIR_REAL("runs", p->runs),
				SD_JSON_BUILD_PAIR_REAL("us", cost_ns(p, t) / 1e3),
				SD_JSON_BUILD_PAIR_UNSIGNED("weight_bytes", p->weight_bytes),
				SD_JSON_BUILD_PAIR_UNSIGNED("state_bytes", p->state_bytes),
				SD_JSON_BUILD_PAIR_REAL("mul_adds", cost_mul_adds(p)));
	}
	return err;
}
