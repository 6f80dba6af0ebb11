/* SPDX-License-Identifier: MIT */
/*
 * control: what needs the daemon, over varlink at RUN_DIR/io.sonde.Agent (0600).
 * What only wants to look reads the stats page instead and asks nobody.
 * The interface io.sonde.Agent is defined in control_idl.c; in short:
 *
 *	Describe() -> (version, pid, start, config, run_dir, state_dir, stats, stats_reason?,
 *		profiler, profiler_reason?, pipelines: []Pipeline)
 *	Reload() -> (applied: []string, restart: []string, problems: []string)
 *	LoadModel(pipeline?, path?) -> (pipeline, path, generation, precision, kernel)
 *	Events() -> (phase, event: ?Event)	needs "more"; the first reply is phase "ready"
 *	RecordStart(pipeline?, path?) -> (pipeline, path)
 *	RecordStop(pipeline?) -> (pipeline, path, rows)
 *
 * pipeline may be left out when there is one alone. Errors, each with a `reason`
 * for people: NoSuchPipeline, ModelRefused, ConfigInvalid (and problems: []string),
 * RecordingActive, NotRecording, RecordFailed.
 */
#ifndef SONDE_CONTROL_H
#define SONDE_CONTROL_H

struct control;
struct daemon;
struct store_event;
struct why;

#define CONTROL_INTERFACE "io.sonde.Agent"

/* Listen, on the daemon's event loop. d must outlive the control. */
int control_open(struct control **out, struct daemon *d, struct why *why);
/* The socket is removed. Subscribers were told when the loop ended ("stopped"). */
void control_close(struct control *c);

/* An event began ("begin") or ended ("end"): to every subscriber. */
void control_event(struct control *c, const char *phase, const struct store_event *e);

#endif
