// SPDX-License-Identifier: MIT
/* record: the daemon writes the file; here it is only told to. */
#include <stdio.h>

#include "agent/cli/link.h"

static int record(struct cli *c, const char *method, const char *path)
{
	sd_json_variant *parameters = NULL, *reply = NULL;
	int r;

	r = link_parameters(c, cli_value(c, "pipeline"), path, &parameters);
	if (!r)
		r = link_call(c, method, parameters, &reply);
	if (r)
		return r;
	if (c->format != CLI_TEXT)
		return cli_json(c, 0, &reply);
	if (path)
		printf("recording %s to %s\n", link_string(reply, "pipeline"),
		       link_string(reply, "path"));
	else
		printf("%llu rows of %s in %s\n", (unsigned long long)sd_json_variant_unsigned(
			       sd_json_variant_by_key(reply, "rows")),
		       link_string(reply, "pipeline"), link_string(reply, "path"));
	sd_json_variant_unref(reply);
	return CLI_OK;
}

int record_start(struct cli *c, int argc, char **argv)
{
	return record(c, "RecordStart", argv[0]);
}

int record_stop(struct cli *c, int argc, char **argv)
{
	return record(c, "RecordStop", NULL);
}
