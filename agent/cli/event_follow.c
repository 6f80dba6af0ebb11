// SPDX-License-Identifier: MIT
/*
 * event_follow: events as they begin and end. The one command about events that has to
 * ask the daemon: SQLite tells nobody that a row was added.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/event.h"
#include "agent/cli/link.h"
#include "agent/store.h"

static double number(sd_json_variant *v, const char *key)
{
	sd_json_variant *field = sd_json_variant_by_key(v, key);

	return sd_json_variant_is_number(field) ? sd_json_variant_real(field) : 0;
}

static int64_t integer(sd_json_variant *v, const char *key)
{
	sd_json_variant *field = sd_json_variant_by_key(v, key);

	return sd_json_variant_is_integer(field) ? sd_json_variant_integer(field) : 0;
}

static void from_json(struct store_event *e, sd_json_variant *v)
{
	char *channels = NULL;

	*e = (struct store_event){
		.id = integer(v, "id"),
		.start_realtime_ns = integer(v, "start"),
		.end_realtime_ns = integer(v, "end"),
		.score = number(v, "score"),
		.limit = number(v, "limit"),
		.peak = number(v, "peak"),
		.trusted = sd_json_variant_boolean(sd_json_variant_by_key(v, "trusted")),
	};
	snprintf(e->pipeline, sizeof(e->pipeline), "%s", link_string(v, "pipeline"));
	snprintf(e->kind, sizeof(e->kind), "%s", link_string(v, "kind"));
	snprintf(e->detail, sizeof(e->detail), "%s", link_string(v, "detail"));
	if (sd_json_variant_format(sd_json_variant_by_key(v, "channels"), 0, &channels) >= 0)
		snprintf(e->channels, sizeof(e->channels), "%s", channels);
	free(channels);
}

static int on_reply(struct cli *c, void *user, sd_json_variant *reply)
{
	sd_json_variant *event = sd_json_variant_by_key(reply, "event");
	const char *pipeline = user;
	struct store_event e;
	sd_json_variant *copy;

	if (event && pipeline && strcmp(link_string(event, "pipeline"), pipeline))
		return 0;
	if (c->format != CLI_TEXT) {
		copy = sd_json_variant_ref(reply);
		return cli_json(c, 0, &copy);
	}
	if (!event)
		return 0;
	from_json(&e, event);
	printf("%-5s ", link_string(reply, "phase"));
	event_print(&e);
	return 0;
}

int event_follow(struct cli *c, int argc, char **argv)
{
	return link_follow(c, "Events", on_reply, (void *)cli_value(c, "pipeline"));
}
