// SPDX-License-Identifier: MIT
/* report_profile: where the time of a row goes, and its memory. */
#include <stdio.h>
#include <systemd/sd-json.h>

#include "models/model.h"
#include "models/train/profile.h"
#include "models/train/report.h"

/* Two operations a multiply-add; of all calls. */
static double gops(const struct profile *p, unsigned op)
{
	const struct cost_part *c = &p->cost.part[op];
	double calls = (double)p->part[op].calls;

	return p->part[op].ns > 0 ? 2 * calls * cost_mul_adds(c) / c->runs / p->part[op].ns : 0;
}

static double percent(const struct profile *p, double ns)
{
	return p->step_ns > 0 ? 100 * ns / p->step_ns : 0;
}

static int parts_json(sd_json_variant **v, const struct profile *p)
{
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned op = 0; err >= 0 && op < COST_OPS; op++) {
		const struct cost_part *c = &p->cost.part[op];
		double calls = (double)p->part[op].calls, us = p->part[op].ns / 1e3;

		if (!(c->runs > 0))
			continue;
		err = sd_json_variant_append_arraybo(v,
			SD_JSON_BUILD_PAIR_STRING("operator", cost_name((enum cost_op)op)),
			SD_JSON_BUILD_PAIR_UNSIGNED("calls", p->part[op].calls),
			SD_JSON_BUILD_PAIR_REAL("us", us),
			SD_JSON_BUILD_PAIR_REAL("us_per_call", calls > 0 ? us / calls : 0),
			SD_JSON_BUILD_PAIR_REAL("percent", percent(p, p->part[op].ns)),
			SD_JSON_BUILD_PAIR_UNSIGNED("weight_bytes", c->weight_bytes),
			SD_JSON_BUILD_PAIR_UNSIGNED("state_bytes", c->state_bytes),
			SD_JSON_BUILD_PAIR_REAL("mul_adds", cost_mul_adds(c)),
			SD_JSON_BUILD_PAIR_REAL("gops", gops(p, op)));
	}
	return err;
}

static int put_profile(const struct model *m, const struct profile *p, const char *path)
{
	struct cost_part all = cost_sum(&p->cost);
	sd_json_variant *v = NULL, *parts = NULL;
	int err = parts_json(&parts, p);

	if (err >= 0)
		err = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("file", path),
			SD_JSON_BUILD_PAIR_STRING("precision", model_precision(m)),
			SD_JSON_BUILD_PAIR_STRING("kernel", report_kernel(m, p->kind)),
			SD_JSON_BUILD_PAIR_UNSIGNED("channels", m->spec.channels),
			SD_JSON_BUILD_PAIR_UNSIGNED("rows", p->steps),
			SD_JSON_BUILD_PAIR_UNSIGNED("turns", p->turns),
			SD_JSON_BUILD_PAIR_UNSIGNED("early_rows", p->early),
			SD_JSON_BUILD_PAIR_REAL("us_per_row", p->step_ns / 1e3 / p->steps),
			SD_JSON_BUILD_PAIR_UNSIGNED("weight_bytes", all.weight_bytes),
			SD_JSON_BUILD_PAIR_UNSIGNED("state_bytes", all.state_bytes),
			SD_JSON_BUILD_PAIR_REAL("mul_adds", cost_mul_adds(&all)),
			SD_JSON_BUILD_PAIR_VARIANT("operators", parts));
	sd_json_variant_unref(parts);
	return report_put(v, err);
}

static void line(const char *name, uint64_t calls, double ns, double share,
		 const struct cost_part *c, double rate)
{
	char weights[REPORT_BYTES], state[REPORT_BYTES];

	printf("%-16s %8llu %11.1f %9.3f %6.1f %9s %9s %9.0f", name, (unsigned long long)calls,
	       ns / 1e3, calls ? ns / 1e3 / (double)calls : 0, share,
	       report_bytes(weights, (double)c->weight_bytes),
	       report_bytes(state, (double)c->state_bytes), cost_mul_adds(c));
	if (rate > 0)
		printf(" %6.1f\n", rate);
	else
		printf(" %6s\n", "-");
}

int report_profile(const struct model *m, const struct profile *p, const char *path, bool json)
{
	struct cost_part all = cost_sum(&p->cost);

	if (json)
		return put_profile(m, p, path);
	printf("%s: %s (%s), %u channels; %u rows, median of %u turns\n", path, model_precision(m),
	       report_kernel(m, p->kind), m->spec.channels, p->steps, p->turns);
	printf("%-16s %8s %11s %9s %6s %9s %9s %9s %6s\n", "operator", "calls", "us total",
	       "us/call", "%", "weights", "state", "mul-adds", "GOPS");
	for (unsigned op = 0; op < COST_OPS; op++)
		if (p->cost.part[op].runs > 0)
			line(cost_name((enum cost_op)op), p->part[op].calls, p->part[op].ns,
			     percent(p, p->part[op].ns), &p->cost.part[op], gops(p, op));
	line("a row", p->steps, p->step_ns, 100, &all, 0);
	printf("Mul-adds and bytes are of one row. Operators were timed alone, with warm caches; "
	       "everything else is\nwhat they leave of the whole: normalising, gaps, smoothing, "
	       "joining the views, moving between them.\n");
	if (m->spec.quick.hidden)
		printf("%u rows (%.1f %%) ended early and ran no graph and dense part.\n", p->early,
		       100.0 * p->early / p->steps);
	return 0;
}
