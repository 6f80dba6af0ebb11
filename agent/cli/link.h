/* SPDX-License-Identifier: MIT */
/*
 * link: the varlink client. Used only where the daemon itself has to act or to
 * tell; whatever stands on the stats page or in the event store is read there.
 */
#ifndef SONDE_CLI_LINK_H
#define SONDE_CLI_LINK_H

#include "agent/cli/cli.h"

/*
 * Call a method of io.sonde.Agent. Drops parameters (NULL: none). On failure the error
 * is printed and an exit code returned; otherwise 0 and *reply, to be dropped by the caller.
 */
int link_call(struct cli *c, const char *method, sd_json_variant *parameters,
	      sd_json_variant **reply);

/* The same for something that is only good to know: NULL when it can not be had. */
sd_json_variant *link_ask(struct cli *c, const char *method);

/*
 * Call a streaming method and hand each reply to each(), until that returns nonzero (the
 * exit code), a signal comes (CLI_OK) or the daemon leaves (CLI_FAILED, said).
 */
int link_follow(struct cli *c, const char *method,
		int (*each)(struct cli *c, void *user, sd_json_variant *reply), void *user);

/* Where events are kept: as told, as the daemon says, or the default. */
void link_state_dir(struct cli *c, char *dir, size_t size);

/* Strings of a reply; "" when missing. */
const char *link_string(sd_json_variant *v, const char *key);

/* {"pipeline": ..., "path": ...}, those that are not NULL; path made absolute. */
int link_parameters(struct cli *c, const char *pipeline, const char *path, sd_json_variant **out);

#endif
