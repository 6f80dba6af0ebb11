// SPDX-License-Identifier: MIT
#include "agent/cli/link.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-varlink.h>

#include "agent/control.h"

/* Loading a model packs its weights and runs its self-test; a second on a slow board. */
#define TIMEOUT_US 20000000
#define ASK_TIMEOUT_US 2000000

const char *link_string(sd_json_variant *v, const char *key)
{
	sd_json_variant *field = sd_json_variant_by_key(v, key);

	return sd_json_variant_is_string(field) ? sd_json_variant_string(field) : "";
}

static int connect_daemon(struct cli *c, sd_varlink **link, char *text, size_t size)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/" CONTROL_INTERFACE, c->run_dir);
	r = sd_varlink_connect_address(link, path);
	if (r == -ENOENT || r == -ECONNREFUSED)
		snprintf(text, size, "sonded is not running (nobody answers at %s)", path);
	else if (r < 0)
		snprintf(text, size, "%s: %s", path, strerror(-r));
	else
		sd_varlink_set_relative_timeout(*link, TIMEOUT_US);
	return r;
}

/* The reason for people comes with the error; its name is the next best. */
static int refused(struct cli *c, const char *error, sd_json_variant *reply)
{
	const char *reason = link_string(reply, "reason");

	if (!*reason && !strcmp(error, "org.varlink.service.InvalidParameter"))
		return cli_error(c, "sonded does not take the parameter \"%s\"",
				 link_string(reply, "parameter"));
	if (!strcmp(error, "io.systemd.TimedOut"))
		return cli_error(c, "sonded does not answer");
	if (!strcmp(error, "io.systemd.Disconnected"))
		return cli_error(c, "sonded has left");
	return cli_error(c, "%s", *reason ? reason : error);
}

int link_call(struct cli *c, const char *method, sd_json_variant *parameters,
	      sd_json_variant **reply)
{
	sd_json_variant *answer = NULL;
	const char *error = NULL;
	sd_varlink *link = NULL;
	char name[96], text[PATH_MAX + 80];
	int r;

	*reply = NULL;
	snprintf(name, sizeof(name), CONTROL_INTERFACE ".%s", method);
	if (connect_daemon(c, &link, text, sizeof(text)) < 0) {
		r = cli_error(c, "%s", text);
		goto out;
	}
	r = sd_varlink_call(link, name, parameters, &answer, &error);
	if (error) {
		r = refused(c, error, answer);
	} else if (r < 0) {
		r = cli_error(c, r == -ETIME || r == -ETIMEDOUT ? "sonded does not answer" :
			      "sonded: %s", strerror(-r));
	} else {
		*reply = sd_json_variant_ref(answer);
		r = 0;
	}
out:
	sd_json_variant_unref(parameters);
	sd_varlink_close_unref(link);
	return r;
}

struct follow {
	struct cli *c;
	int (*each)(struct cli *c, void *user, sd_json_variant *reply);
	void *user;
	bool done;
	int result;
};

static int on_reply(sd_varlink *link, sd_json_variant *reply, const char *error,
		    sd_varlink_reply_flags_t flags, void *user)
{
	struct follow *f = user;

	if (error)
		f->result = refused(f->c, error, reply);
	else
		f->result = f->each(f->c, f->user, reply);
	fflush(stdout);
	f->done = f->result || error || !(flags & SD_VARLINK_REPLY_CONTINUES);
	if (f->done && !f->result)
		f->result = cli_error(f->c, "sonded has left");
	return 0;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

int link_follow(struct cli *c, const char *method,
		int (*each)(struct cli *c, void *user, sd_json_variant *reply), void *user)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct follow f = { .c = c, .each = each, .user = user };
	char name[96], text[PATH_MAX + 80];
	sd_varlink *link = NULL;
	int r;

	snprintf(name, sizeof(name), CONTROL_INTERFACE ".%s", method);
	if (connect_daemon(c, &link, text, sizeof(text)) < 0)
		return cli_error(c, "%s", text);
	sd_varlink_set_userdata(link, &f);
	sd_varlink_set_relative_timeout(link, UINT64_MAX);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	r = sd_varlink_bind_reply(link, on_reply);
	if (r >= 0)
		r = sd_varlink_observe(link, name, NULL);
	while (r >= 0 && !f.done && !interrupted) {
		r = sd_varlink_process(link);
		if (r == 0)
			r = sd_varlink_wait(link, UINT64_MAX);
		if (r == -EINTR)
			r = 0;
	}
	sd_varlink_close_unref(link);
	if (interrupted)
		return CLI_OK;
	if (f.done)
		return f.result;
	return cli_error(c, "sonded has left (%s)", strerror(-r));
}

sd_json_variant *link_ask(struct cli *c, const char *method)
{
	sd_json_variant *reply = NULL;
	sd_varlink *link = NULL;
	const char *error = NULL;
	char name[96], text[PATH_MAX + 80];

	snprintf(name, sizeof(name), CONTROL_INTERFACE ".%s", method);
	if (connect_daemon(c, &link, text, sizeof(text)) < 0)
		return NULL;
	sd_varlink_set_relative_timeout(link, ASK_TIMEOUT_US);
	if (sd_varlink_call(link, name, NULL, &reply, &error) >= 0 && !error)
		sd_json_variant_ref(reply);
	else
		reply = NULL;
	sd_varlink_close_unref(link);
	return reply;
}

void link_state_dir(struct cli *c, char *dir, size_t size)
{
	sd_json_variant *reply = c->state_dir ? NULL : link_ask(c, "Describe");
	const char *said = c->state_dir ? c->state_dir : link_string(reply, "state_dir");

	snprintf(dir, size, "%s", *said ? said : CLI_STATE_DIR);
	sd_json_variant_unref(reply);
}

/* The daemon's working directory is not ours. The file itself need not exist yet. */
static int absolute(const char *path, char out[static PATH_MAX])
{
	char dir[PATH_MAX];
	const char *base = strrchr(path, '/');

	if (realpath(path, out))
		return 0;
	if (errno != ENOENT)
		return -errno;
	snprintf(dir, sizeof(dir), "%.*s", base ? (int)(base - path) + 1 : 1, base ? path : ".");
	base = base ? base + 1 : path;
	if (!realpath(dir, out))
		return -errno;
	if (strlen(out) + strlen(base) + 2 > PATH_MAX)
		return -ENAMETOOLONG;
	strcat(strcmp(out, "/") ? strcat(out, "/") : out, base);
	return 0;
}

int link_parameters(struct cli *c, const char *pipeline, const char *path, sd_json_variant **out)
{
	char full[PATH_MAX];
	int r;

	r = path ? absolute(path, full) : 0;
	if (r)
		return cli_error(c, "%s: %s", path, strerror(-r));
	r = sd_json_buildo(out,
		SD_JSON_BUILD_PAIR_CONDITION(!!pipeline, "pipeline",
					     SD_JSON_BUILD_STRING(pipeline)),
		SD_JSON_BUILD_PAIR_CONDITION(!!path, "path", SD_JSON_BUILD_STRING(full)));
	return r < 0 ? cli_error(c, "%s: %s", path ? path : pipeline, strerror(-r)) : 0;
}
