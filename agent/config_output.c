// SPDX-License-Identifier: MIT
/*
 * config_output: [output NAME], a GPIO line that is driven while the alarm of a pipeline is
 * on. main drives it (agent/actuator.h): nothing a pipeline's thread would wait for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_raw.h"
#include "kernels/why.h"

struct output_keys {
	char pipeline[CONFIG_NAME_MAX], chip[CONFIG_NAME_MAX], line[CONFIG_NAME_MAX];
	char active[8];
	double minimum_s;
};

#define KEY(k, t, f, ...) { .key = k, .type = t, .offset = offsetof(struct output_keys, f), \
		.size = sizeof(((struct output_keys *)NULL)->f), __VA_ARGS__ }
static const struct rule output_rules[] = {
	KEY("pipeline", RULE_TEXT, pipeline),
	KEY("chip", RULE_TEXT, chip),
	KEY("line", RULE_TEXT, line),
	KEY("active", RULE_CHOICE, active, .choices = "low or high"),
	KEY("minimum", RULE_SECONDS, minimum_s, .min = 0, .max = 86400),
};
#undef KEY

int output_build(struct raw *raw, struct config *c, struct raw_section *section)
{
	struct output_keys keys = { .minimum_s = 1 };
	struct output_config *all, o;
	struct pipeline_config *p;
	unsigned before = raw->errors;

	rules_apply(raw, section, output_rules, sizeof output_rules / sizeof *output_rules, &keys,
		    NULL, NULL);
	if (raw->errors != before)
		return 0;
	p = pipeline_find(raw, c, section, *keys.pipeline ? keys.pipeline : NULL);
	if (!*keys.line)
		raw_error(raw, &section->at, "[output %s] does not say its line: add \"line = "
			  "NAME\", or chip and line = NUMBER", section->name);
	if (!p || raw->errors != before)
		return 0;
	all = reallocarray(c->output, c->outputs + 1, sizeof *all);
	if (!all)
		return -ENOMEM;
	c->output = all;
	memset(&o, 0, sizeof o);
	snprintf(o.name, sizeof o.name, "%s", section->name);
	o.pipeline = (unsigned)(p - c->pipeline);
	memcpy(o.gpio.chip, keys.chip, sizeof o.gpio.chip);
	memcpy(o.gpio.line, keys.line, sizeof o.gpio.line);
	o.gpio.active_low = !strcmp(keys.active, "low");
	o.minimum_s = keys.minimum_s;
	o.at = section->at;
	all[c->outputs++] = o;
	return 0;
}
