// SPDX-License-Identifier: MIT
/*
 * table: every word of the tool. Nothing else in this folder knows which
 * commands there are; main.c reads it to dispatch and to check, help.c to explain.
 * The order is the order of help; the first command of an object is its default.
 */
#include "agent/cli/cli.h"

#define END { NULL }

const struct cli_option cli_globals[] = {
	{ "--json", NULL, "print JSON, errors too", 'j' },
	{ "--pretty", NULL, "print JSON, indented", 'p' },
	{ "--run-dir", "DIR", "the daemon's run directory (SONDE_RUN_DIR, " CLI_RUN_DIR ")", 0 },
	{ "--state-dir", "DIR", "where events are kept (SONDE_STATE_DIR, what the daemon says, "
	  CLI_STATE_DIR ")", 0 },
	{ "--version", NULL, "print the version", 'V' },
	{ "--help", NULL, "print help; after an object, that object's", 'h' },
	END
};

static const struct cli_option of_pipeline[] = {
	{ "pipeline", "NAME", "this pipeline only", 0 },
	END
};

static const struct cli_option probe_options[] = {
	{ "bus", "NAME", "only this I2C bus (i2c-1), of the mainboard's as well", 0 },
	END
};

static const struct cli_command sensor[] = {
	{ "show", "[PATTERN]", "state, fault, rate and path of each sensor; its channels", sensor_show, 0, 1,
	  of_pipeline },
	{ "probe", "", "find what is attached, print configuration for it", sensor_probe, 0, 0,
	  probe_options },
	END
};

static const struct cli_command pipeline[] = {
	{ "show", "[NAME]", "rate, thread, model and counts of each pipeline", pipeline_show,
	  0, 1 },
	END
};

static const struct cli_option slot_options[] = {
	{ "pipeline", "NAME", "of this pipeline", 0 },
	{ "--pipeline", "NAME", "the same", 0 },
	{ "--config", "FILE", "where pipelines and trusted keys are named (the daemon's own)", 0 },
	END
};

static const struct cli_command model[] = {
	{ "show", "[FILE]", "what each pipeline runs; FILE: what that file holds", model_show, 0, 1,
	  of_pipeline },
	{ "load", "FILE [PIPELINE]", "give the running daemon another model", model_load_command,
	  1, 2, of_pipeline },
	{ "promote", "FILE [PIPELINE]", "make it the one that a pipeline starts with, and load it",
	  model_promote, 1, 2, slot_options },
	{ "rollback", "[PIPELINE]", "back to the one before", model_rollback, 0, 1, slot_options },
	{ "shadow", "FILE|off [PIPELINE]", "judge with another beside it, without alarms",
	  model_shadow, 1, 2, of_pipeline },
	{ "compare", "[PIPELINE]", "the live model and its shadow", model_compare, 0, 1,
	  of_pipeline },
	{ "fit", "...", "train one on a recording", model_tool, .raw = true },
	{ "quantize", "...", "float weights to int8", model_tool, .raw = true },
	{ "prune", "...", "fewer units, fewer weights", model_tool, .raw = true },
	{ "distill", "...", "a small net from a large one", model_tool, .raw = true },
	{ "search", "...", "which net fits a budget", model_tool, .raw = true },
	{ "eval", "...", "against labels, beside plain methods", model_tool, .raw = true },
	{ "profile", "...", "time and memory by operator", model_tool, .raw = true },
	{ "bench", "...", "rows a second on this machine", model_tool, .raw = true },
	{ "general", "...", "the model for channels never seen", model_tool, .raw = true },
	{ "import", "...", "weights of a PyTorch state dict", model_tool, .raw = true },
	{ "export", "...", "weights as a PyTorch state dict", model_tool, .raw = true },
	{ "compile", "...", "the file to deploy: int8, checked", model_tool, .raw = true },
	{ "verify", "...", "is a file whole, sound here, and whose is it", model_tool, .raw = true },
	{ "key", "...", "make a pair of keys to sign with", model_tool, .raw = true },
	{ "sign", "...", "sign a model file", model_tool, .raw = true },
	{ "score", "...", "scores of a recording, the detector's alone", model_tool, .raw = true },
	END
};

static const struct cli_command score[] = {
	{ "show", "", "the score against its limit, and what it is made of", score_show, 0, 0,
	  of_pipeline },
	END
};

static const struct cli_option event_options[] = {
	{ "pipeline", "NAME", "this pipeline only", 0 },
	{ "kind", "KIND", "alarm, missed, model or state", 0 },
	{ "since", "SECONDS", "began at this Unix time or later; -N: in the last N seconds", 0 },
	{ "until", "SECONDS", "began before this Unix time; -N: N seconds ago", 0 },
	END
};

static const struct cli_command event[] = {
	{ "list", "[N]", "the last N events (20), newest first", event_list, 0, 1, event_options },
	{ "follow", "", "print events as they happen", event_follow, 0, 0, of_pipeline },
	{ "window", "ID", "the ticks around an event as CSV, for replay", event_window, 1, 1 },
	END
};

static const struct cli_command record[] = {
	{ "start", "FILE", "write every channel to a CSV file, a row a tick", record_start, 1, 1,
	  of_pipeline },
	{ "stop", "", "close the file", record_stop, 0, 0, of_pipeline },
	END
};

static const struct cli_command latency[] = {
	{ "show", "[latency|lateness|step|wakeup]",
	  "a histogram, and p50/p99/p99.9/max of all four", latency_show, 0, 1, of_pipeline },
	END
};

static const struct cli_command stat[] = {
	{ "show", "", "every counter of the stats page", stat_show, 0, 0, of_pipeline },
	END
};

static const struct cli_command feature[] = {
	{ "show", "", "what this kernel and these rights allow, what would help", feature_show },
	{ "probe", "", "the same", feature_show },
	END
};

static const struct cli_command conf[] = {
	{ "check", "[FILE]", "every mistake in a configuration", conf_check, 0, 1 },
	{ "show", "[FILE]", "what a configuration comes to, the board's sensors expanded",
	  conf_show, 0, 1 },
	{ "reload", "", "have the running daemon read its configuration again", conf_reload },
	END
};

static const struct cli_option top_options[] = {
	{ "pipeline", "NAME", "this pipeline (the first)", 0 },
	{ "--seconds", "N", "stop after N seconds", 'n' },
	{ "--title", "TEXT", "a title for the first line", 0 },
	{ "--status-file", "FILE", "show the first line of FILE, read again each second", 0 },
	END
};

static const struct cli_command top[] = {
	{ "", "", "channels, score, latency and events, live", top_run, 0, 0, top_options },
	END
};

static const struct cli_option replay_options[] = {
	{ "--model", "FILE", "the model (needed)", 'm' },
	{ "--false-alarms", "N/TIME", "the budget that the limit is made from: 1/day, 2/week", 0 },
	{ "--alarm", "'K of N'", "ticks over the limit that make an alarm", 0 },
	{ "--clear", "TIME", "so long under the limit ends it: 2 s", 0 },
	{ "--config", "FILE", "begin with what this configuration says of its pipeline", 0 },
	{ "--scores", NULL, "scores only", 0 },
	{ "--alarms", NULL, "alarms only", 0 },
	{ "pipeline", "NAME", "of --config, this pipeline (the first)", 0 },
	END
};

static const struct cli_command replay[] = {
	{ "", "FILE.csv", "score a recording, the same bits every time", replay_run, 1, 1,
	  replay_options },
	END
};

static const struct cli_command help[] = {
	{ "", "[OBJECT]", "this help, or one object's", help_run, 0, 1 },
	END
};

static const struct cli_command version[] = {
	{ "", "", "the version", version_run },
	END
};

const struct cli_object cli_objects[] = {
	{ "sensor", "the sensors, how they are doing and what they read", sensor,
	  "PATTERN is a shell pattern or the beginning of a name." },
	{ "pipeline", "groups of sensors with one model, one thread", pipeline },
	{ "model", "what is normal: train, inspect, load", model,
	  "The commands with \"...\" are those of sonde-model; see `sonde model fit --help`." },
	{ "score", "how unusual the machine is now", score },
	{ "event", "what happened", event },
	{ "record", "recordings, the input of fit and replay", record },
	{ "latency", "how late verdicts are", latency,
	  "latency: from the tick's time to the verdict; lateness: to when the thread ran;\n"
	  "step: decoding, model and verdict alone; wakeup: runnable to running, by the kernel." },
	{ "stat", "counters", stat },
	{ "feature", "what this machine lets Sonde use", feature },
	{ "conf", "the configuration", conf },
	{ "top", "live screen", top,
	  "On a terminal: q quits, arrows scroll, o orders channels by their share of the score.\n"
	  "Otherwise a line a second." },
	{ "replay", "a recording through the daemon's own step", replay,
	  "Prints \"ROW SCORE\" a row (nine digits: the float exactly, \"-\" before the model has\n"
	  "seen enough), and \"# alarm ...\", \"# clear ...\" lines in between, the channels that\n"
	  "departed first leading." },
	{ "help", "this help", help },
	{ "version", "the version", version },
	END
};
