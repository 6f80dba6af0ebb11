// SPDX-License-Identifier: MIT
/* report_search: see report_search.h. */
#include "models/train/report_search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-json.h>

#include "models/model.h"

static const char *kind_name(enum recurrent_kind kind)
{
	static const char *const names[] = { "none", "forecast", "autoencoder" };

	return names[kind];
}

static int candidate_json(sd_json_variant **list, const struct search_candidate *c)
{
	bool coder = c->kind == RECURRENT_AUTOENCODER;

	return sd_json_variant_append_arraybo(list,
		SD_JSON_BUILD_PAIR_STRING("kind", kind_name(c->kind)),
		SD_JSON_BUILD_PAIR_UNSIGNED("hidden", c->hidden),
		SD_JSON_BUILD_PAIR_UNSIGNED("layers", c->layers),
		SD_JSON_BUILD_PAIR_UNSIGNED(coder ? "window" : "steps", c->steps),
		SD_JSON_BUILD_PAIR_UNSIGNED("features", c->features),
		SD_JSON_BUILD_PAIR_UNSIGNED("degree", c->degree),
		SD_JSON_BUILD_PAIR_REAL("us", c->us),
		SD_JSON_BUILD_PAIR_UNSIGNED("bytes", c->bytes),
		SD_JSON_BUILD_PAIR_UNSIGNED("ram", c->ram),
		SD_JSON_BUILD_PAIR_BOOLEAN("fits", c->fits),
		SD_JSON_BUILD_PAIR_UNSIGNED("rungs", c->rungs),
		SD_JSON_BUILD_PAIR_UNSIGNED("epochs", c->epochs),
		SD_JSON_BUILD_PAIR_CONDITION(!isnan(c->loss), "loss", SD_JSON_BUILD_REAL(c->loss)),
		SD_JSON_BUILD_PAIR_BOOLEAN("front", c->front));
}

static int put_json(const struct model *m, const struct search_report *r, const char *path,
		    uint64_t bytes, double seconds)
{
	sd_json_variant *v = NULL, *all = NULL, *front = NULL;
	int err = sd_json_variant_new_array(&all, NULL, 0);

	if (err >= 0)
		err = sd_json_variant_new_array(&front, NULL, 0);
	for (unsigned k = 0; err >= 0 && k < r->candidates; k++) {
		err = candidate_json(&all, &r->candidate[k]);
		if (err >= 0 && r->candidate[k].front)
			err = candidate_json(&front, &r->candidate[k]);
	}
	if (err >= 0)
		err = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("model", m->name),
			SD_JSON_BUILD_PAIR_STRING("file", path),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", bytes),
			SD_JSON_BUILD_PAIR_VARIANT("candidates", all),
			SD_JSON_BUILD_PAIR_VARIANT("front", front),
			SD_JSON_BUILD_PAIR_UNSIGNED("winner", r->winner),
			SD_JSON_BUILD_PAIR_UNSIGNED("over_budget", r->over),
			SD_JSON_BUILD_PAIR_UNSIGNED("rungs", r->rungs),
			SD_JSON_BUILD_PAIR_REAL("loss_linear", r->linear_loss),
			SD_JSON_BUILD_PAIR_REAL("loss_subspace", r->subspace_loss),
			SD_JSON_BUILD_PAIR_BOOLEAN("interrupted", r->stopped),
			SD_JSON_BUILD_PAIR_REAL("seconds", seconds));
	if (err >= 0)
		err = sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	sd_json_variant_unref(all);
	sd_json_variant_unref(front);
	sd_json_variant_unref(v);
	return err < 0 ? err : 0;
}

static void row(const struct search_candidate *c, bool winner)
{
	printf("%-11s %6u %6u %6u %8u %6u %8.2f %9llu %9llu %5u %6u", kind_name(c->kind), c->hidden,
	       c->layers, c->steps, c->features, c->degree, c->us, (unsigned long long)c->bytes,
	       (unsigned long long)c->ram, c->rungs, c->epochs);
	if (isnan(c->loss))
		printf(" %8s", "-");
	else
		printf(" %8.4f", c->loss);
	printf("%s%s\n", c->front ? "  front" : c->fits ? "" : "  over the budget",
	       winner ? ", winner" : "");
}

/* The best first; those that never learnt at the end, in their order. */
static void by_loss(unsigned *order, const struct search_report *r)
{
	const struct search_candidate *c = r->candidate;

	for (unsigned i = 0; i < r->candidates; i++) {
		unsigned j = i;

		for (; j && !isnan(c[i].loss) &&
		       (isnan(c[order[j - 1]].loss) || c[i].loss < c[order[j - 1]].loss); j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
}

static void budget(const struct search_options *o)
{
	if (!(o->max_us > 0) && !o->max_bytes && !o->max_ram)
		return;
	printf("budget         ");
	if (o->max_us > 0)
		printf(" %g us a step", o->max_us);
	if (o->max_bytes)
		printf(" %llu bytes", (unsigned long long)o->max_bytes);
	if (o->max_ram)
		printf(" %llu bytes of memory", (unsigned long long)o->max_ram);
	putchar('\n');
}

int report_search(const struct model *m, const struct search_report *r,
		  const struct search_options *o, const char *path, uint64_t bytes,
		  double seconds, bool json)
{
	unsigned order[SEARCH_MAX * 4];

	if (json)
		return put_json(m, r, path, bytes, seconds);
	by_loss(order, r);
	printf("%-11s %6s %6s %6s %8s %6s %8s %9s %9s %5s %6s %8s\n", "net", "hidden", "layers",
	       "steps", "features", "degree", "us", "bytes", "ram", "rungs", "epochs", "loss");
	for (unsigned k = 0; k < r->candidates; k++)
		row(&r->candidate[order[k]], order[k] == r->winner);
	printf("costs           of a full step in int8 on this machine, its tensors, and both with\n"
	       "                what the detector allocates\n");
	printf("loss            held out, over that of the linear forecast (%.4f) or, of an\n"
	       "                autoencoder, of the subspace (%.4f)\n", r->linear_loss,
	       r->subspace_loss);
	budget(o);
	if (r->stopped)
		printf("interrupted     the best until then was taken\n");
	printf("model           %s (%s, %.1f KB)\n", path, model_precision(m), (double)bytes / 1e3);
	printf("time            %.1f s\n", seconds);
	return 0;
}
