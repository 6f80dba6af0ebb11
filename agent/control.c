// SPDX-License-Identifier: MIT
/*
 * control: the varlink methods. Each runs on the main loop between two drains of the
 * queues; none waits for a pipeline. What a person could mend comes back as an
 * error of our own with a `reason`.
 */
#include "agent/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "agent/control_impl.h"
#include "agent/events.h"
#include "agent/log.h"
#include "agent/store.h"
#include "agent/version.h"

#define SUBSCRIBERS_MAX 32
#define OUR(error) CONTROL_INTERFACE "." error

struct control {
	struct daemon *daemon;
	sd_varlink_server *server;
	sd_event_source *exit;
	sd_varlink *subscriber[SUBSCRIBERS_MAX];
	char socket[CONFIG_PATH_MAX + 32];
};

struct target {			/* what most methods are called with */
	const char *pipeline, *path;
};

static const sd_json_dispatch_field target_fields[] = {
	{ "pipeline", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
	  offsetof(struct target, pipeline), SD_JSON_NULLABLE },
	{ "path", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
	  offsetof(struct target, path), SD_JSON_NULLABLE },
	{ }
};
static const sd_json_dispatch_field pipeline_field[] = {
	{ "pipeline", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
	  offsetof(struct target, pipeline), SD_JSON_NULLABLE },
	{ }
};
static const sd_json_dispatch_field no_fields[] = { { } };

static int refuse(sd_varlink *link, const char *error, const char *reason)
{
	return sd_varlink_errorbo(link, error, SD_JSON_BUILD_PAIR_STRING("reason", reason));
}

static int method_describe(sd_varlink *link, sd_json_variant *parameters,
			   sd_varlink_method_flags_t flags, void *userdata)
{
	struct control *c = userdata;
	sd_json_variant *v = NULL;
	int err = sd_varlink_dispatch(link, parameters, no_fields, NULL);

	if (err)
		return err;
	err = control_json_describe(&v, c->daemon);
	err = err ? sd_varlink_error_errno(link, err) : sd_varlink_reply(link, v);
	sd_json_variant_unref(v);
	return err;
}

static int method_reload(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *userdata)
{
	struct control *c = userdata;
	struct daemon_notes *notes;
	sd_json_variant *v[3] = { NULL };
	int err = sd_varlink_dispatch(link, parameters, no_fields, NULL);

	if (err)
		return err;
	notes = calloc(3, sizeof *notes);
	if (!notes)
		return sd_varlink_error_errno(link, -ENOMEM);
	err = daemon_reload(c->daemon, &notes[0], &notes[1], &notes[2]);
	for (unsigned i = 0; i < 3; i++)
		control_json_notes(&v[i], &notes[i]);
	if (err)
		err = sd_varlink_errorbo(link, OUR("ConfigInvalid"),
			SD_JSON_BUILD_PAIR_STRING("reason", notes[0].n ? notes[0].text[0]
								       : strerror(-err)),
			SD_JSON_BUILD_PAIR_VARIANT("problems", v[0]));
	else
		err = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("applied", v[1]),
					 SD_JSON_BUILD_PAIR_VARIANT("restart", v[2]),
					 SD_JSON_BUILD_PAIR_VARIANT("problems", v[0]));
	for (unsigned i = 0; i < 3; i++)
		sd_json_variant_unref(v[i]);
	free(notes);
	return err;
}

static int method_load_model(sd_varlink *link, sd_json_variant *parameters,
			     sd_varlink_method_flags_t flags, void *userdata)
{
	struct control *c = userdata;
	struct target t = { NULL };
	struct line *l;
	struct why why;
	int err = sd_varlink_dispatch(link, parameters, target_fields, &t);

	if (err)
		return err;
	l = daemon_line(c->daemon, t.pipeline, &why);
	if (!l)
		return refuse(link, OUR("NoSuchPipeline"), why.text);
	if (daemon_load_model(l, t.path, &why)) {
		log_line(LOG_LEVEL_WARNING, "%s: model refused: %s", l->config->name, why.text);
		return refuse(link, OUR("ModelRefused"), why.text);
	}
	return sd_varlink_replybo(link,
		SD_JSON_BUILD_PAIR_STRING("pipeline", l->config->name),
		SD_JSON_BUILD_PAIR_STRING("path", l->offered.path),
		SD_JSON_BUILD_PAIR_UNSIGNED("generation", l->offered.generation),
		SD_JSON_BUILD_PAIR_STRING("precision", l->offered.precision),
		SD_JSON_BUILD_PAIR_STRING("kernel", l->offered.kernel));
}

/* Without a path: none any more. */
static int method_shadow_model(sd_varlink *link, sd_json_variant *parameters,
			       sd_varlink_method_flags_t flags, void *userdata)
{
	struct control *c = userdata;
	struct target t = { NULL };
	struct line *l;
	struct why why;
	int err = sd_varlink_dispatch(link, parameters, target_fields, &t);

	if (err)
		return err;
	l = daemon_line(c->daemon, t.pipeline, &why);
	if (!l)
		return refuse(link, OUR("NoSuchPipeline"), why.text);
	if (daemon_set_shadow(l, t.path ? t.path : "", &why)) {
		log_line(LOG_LEVEL_WARNING, "%s: shadow refused: %s", l->config->name, why.text);
		return refuse(link, OUR("ModelRefused"), why.text);
	}
	return sd_varlink_replybo(link,
		SD_JSON_BUILD_PAIR_STRING("pipeline", l->config->name),
		SD_JSON_BUILD_PAIR_STRING("path", l->shadow.path),
		SD_JSON_BUILD_PAIR_STRING("precision", l->shadow.precision),
		SD_JSON_BUILD_PAIR_STRING("kernel", l->shadow.kernel));
}

static int method_events(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *userdata)
{
	struct control *c = userdata;
	int err = sd_varlink_dispatch(link, parameters, no_fields, NULL);

	if (err)
		return err;
	if (!(flags & SD_VARLINK_METHOD_MORE))
		return sd_varlink_error(link, SD_VARLINK_ERROR_EXPECTED_MORE, NULL);
	for (unsigned i = 0; i < SUBSCRIBERS_MAX; i++) {
		if (c->subscriber[i])
			continue;
		c->subscriber[i] = sd_varlink_ref(link);
		return sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_STRING("phase", "ready"));
	}
	return sd_varlink_error_errno(link, -EUSERS);
}

/* STATE_DIR/captures/PIPELINE-TIME.csv, its folder made. */
static int default_capture(const struct line *l, char *path, size_t size)
{
	time_t now = time(NULL);
	struct tm utc;
	char when[32];

	snprintf(path, size, "%s/captures", l->daemon->config->state_dir);
	if (mkdir(path, 0750) && errno != EEXIST)
		return -errno;
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	snprintf(path, size, "%s/captures/%s-%s.csv", l->daemon->config->state_dir,
		 l->config->name, when);
	return 0;
}

static int method_record_start(sd_varlink *link, sd_json_variant *parameters,
			       sd_varlink_method_flags_t flags, void *userdata)
{
	struct control *c = userdata;
	struct target t = { NULL };
	char path[2 * CONFIG_PATH_MAX];
	struct line *l;
	struct why why;
	int err = sd_varlink_dispatch(link, parameters, target_fields, &t);

	if (err)
		return err;
	l = daemon_line(c->daemon, t.pipeline, &why);
	if (!l)
		return refuse(link, OUR("NoSuchPipeline"), why.text);
	if (!t.path) {
		err = default_capture(l, path, sizeof path);
		if (err)
			why_set(&why, err, "%s: %s", path, strerror(-err));
		t.path = path;
	} else if (*t.path != '/' || strlen(t.path) >= CONFIG_PATH_MAX) {
		err = why_set(&why, -EINVAL, "%s: not an absolute path of less than %d bytes",
			      t.path, CONFIG_PATH_MAX);
	}
	if (!err)
		err = events_capture_start(l->events, t.path, &why);
	if (err)
		return refuse(link, err == -EBUSY ? OUR("RecordingActive") : OUR("RecordFailed"),
			      why.text);
	log_line(LOG_LEVEL_INFO, "%s: recording to %s", l->config->name, t.path);
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_STRING("pipeline", l->config->name),
				  SD_JSON_BUILD_PAIR_STRING("path", t.path));
}

static int method_record_stop(sd_varlink *link, sd_json_variant *parameters,
			      sd_varlink_method_flags_t flags, void *userdata)
{
	struct control *c = userdata;
	struct target t = { NULL };
	char path[2 * CONFIG_PATH_MAX];
	uint64_t rows;
	struct line *l;
	struct why why;
	int err = sd_varlink_dispatch(link, parameters, pipeline_field, &t);

	if (err)
		return err;
	l = daemon_line(c->daemon, t.pipeline, &why);
	if (!l)
		return refuse(link, OUR("NoSuchPipeline"), why.text);
	if (!events_capture_path(l->events)) {
		why_set(&why, 0, "%s is not being recorded", l->config->name);
		return refuse(link, OUR("NotRecording"), why.text);
	}
	err = events_capture_stop(l->events, path, sizeof path, &rows, &why);
	if (err)
		return refuse(link, OUR("RecordFailed"), why.text);
	log_line(LOG_LEVEL_INFO, "%s: recorded %llu rows to %s", l->config->name,
		 (unsigned long long)rows, path);
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_STRING("pipeline", l->config->name),
				  SD_JSON_BUILD_PAIR_STRING("path", path),
				  SD_JSON_BUILD_PAIR_UNSIGNED("rows", rows));
}

static void unsubscribe(struct control *c, unsigned i)
{
	sd_varlink *link = c->subscriber[i];

	c->subscriber[i] = NULL;
	sd_varlink_unref(link);
}

static void disconnected(sd_varlink_server *server, sd_varlink *link, void *userdata)
{
	struct control *c = userdata;

	for (unsigned i = 0; i < SUBSCRIBERS_MAX; i++)
		if (c->subscriber[i] == link)
			unsubscribe(c, i);
}

void control_event(struct control *c, const char *phase, const struct store_event *e)
{
	sd_json_variant *v = NULL;
	int err;

	if (!c)
		return;
	err = control_json_event(&v, e);
	for (unsigned i = 0; i < SUBSCRIBERS_MAX && !err; i++) {
		if (!c->subscriber[i])
			continue;
		/* One that does not read is not waited for: libsystemd bounds what it queues. */
		if (sd_varlink_notifybo(c->subscriber[i], SD_JSON_BUILD_PAIR_STRING("phase", phase),
					SD_JSON_BUILD_PAIR_VARIANT("event", v)) < 0) {
			sd_varlink *link = sd_varlink_ref(c->subscriber[i]);

			sd_varlink_close(link);
			sd_varlink_unref(link);
			if (c->subscriber[i])
				unsubscribe(c, i);
		}
	}
	sd_json_variant_unref(v);
}

/* libsystemd cuts its connections when the loop ends: this comes before that. */
static int on_loop_exit(sd_event_source *s, void *user)
{
	struct control *c = user;

	for (unsigned i = 0; i < SUBSCRIBERS_MAX; i++) {
		sd_varlink *link = c->subscriber[i];

		if (!link)
			continue;
		c->subscriber[i] = NULL;
		sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_STRING("phase", "stopped"));
		sd_varlink_flush_close_unref(link);
	}
	return 0;
}

static int listen_on(struct control *c)
{
	int err = sd_varlink_server_new(&c->server, SD_VARLINK_SERVER_INHERIT_USERDATA);

	if (err < 0)
		return err;
	sd_varlink_server_set_userdata(c->server, c);
	err = sd_varlink_server_set_info(c->server, "Sonde", "sonded", SONDE_VERSION, NULL);
	if (err >= 0)
		err = sd_varlink_server_add_interface(c->server, &vl_interface_io_sonde_Agent);
	if (err >= 0)
		err = sd_varlink_server_bind_method_many(c->server,
			OUR("Describe"), method_describe,
			OUR("Reload"), method_reload,
			OUR("LoadModel"), method_load_model,
			OUR("ShadowModel"), method_shadow_model,
			OUR("Events"), method_events,
			OUR("RecordStart"), method_record_start,
			OUR("RecordStop"), method_record_stop);
	if (err >= 0)
		err = sd_varlink_server_bind_disconnect(c->server, disconnected);
	if (err >= 0)
		err = sd_varlink_server_listen_address(c->server, c->socket, 0600);
	if (err >= 0)
		err = sd_varlink_server_attach_event(c->server, c->daemon->loop, 0);
	if (err >= 0)
		err = sd_event_add_exit(c->daemon->loop, &c->exit, on_loop_exit, c);
	if (err >= 0)
		err = sd_event_source_set_priority(c->exit, SD_EVENT_PRIORITY_IMPORTANT);
	return err;
}

int control_open(struct control **out, struct daemon *d, struct why *why)
{
	struct control *c = calloc(1, sizeof *c);
	int err;

	*out = NULL;
	if (!c)
		return why_set(why, -ENOMEM, "no memory for the control socket");
	c->daemon = d;
	snprintf(c->socket, sizeof c->socket, "%s/%s", d->config->run_dir, CONTROL_INTERFACE);
	err = strlen(c->socket) < sizeof((struct sockaddr_un *)NULL)->sun_path ? listen_on(c)
									       : -ENAMETOOLONG;
	if (err < 0) {
		why_set(why, err, "%s: %s", c->socket, strerror(-err));
		control_close(c);
		return err;
	}
	*out = c;
	return 0;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < SUBSCRIBERS_MAX; i++)
		sd_varlink_close_unref(c->subscriber[i]);
	if (c->server)
		unlink(c->socket);
	sd_varlink_server_unref(c->server);
	sd_event_source_unref(c->exit);
	free(c);
}
