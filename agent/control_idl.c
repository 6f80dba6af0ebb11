// SPDX-License-Identifier: MIT
/*
 * control_idl: the interface io.sonde.Agent as varlink clients see it
 * (`varlinkctl introspect`). libsystemd checks calls and replies against it.
 */
#include "agent/control_impl.h"

#define STRING SD_VARLINK_STRING
#define INT SD_VARLINK_INT
#define FLOAT SD_VARLINK_FLOAT
#define BOOL SD_VARLINK_BOOL
#define LIST SD_VARLINK_ARRAY
#define OPTIONAL SD_VARLINK_NULLABLE
#define FIELD SD_VARLINK_DEFINE_FIELD
#define FIELD_OF SD_VARLINK_DEFINE_FIELD_BY_TYPE
#define IN SD_VARLINK_DEFINE_INPUT
#define OUT SD_VARLINK_DEFINE_OUTPUT
#define OUT_OF SD_VARLINK_DEFINE_OUTPUT_BY_TYPE
#define COMMENT SD_VARLINK_FIELD_COMMENT
#define ABOUT SD_VARLINK_SYMBOL_COMMENT

static SD_VARLINK_DEFINE_STRUCT_TYPE(Channel,
	FIELD(name, STRING, 0),
	FIELD(unit, STRING, 0),
	FIELD(sensor, STRING, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Model,
	FIELD(name, STRING, 0),
	FIELD(path, STRING, 0),
	COMMENT("int8 or float32"),
	FIELD(precision, STRING, 0),
	COMMENT("What computes it: xnnpack, xnnpack-subgraph, reference, float"),
	FIELD(kernel, STRING, 0),
	COMMENT("Counts the models that this pipeline was given"),
	FIELD(generation, INT, 0),
	FIELD(channels, INT, 0),
	FIELD(hidden, INT, 0),
	FIELD(lags, INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Pipeline,
	FIELD(name, STRING, 0),
	COMMENT("Ticks a second"),
	FIELD(rate, FLOAT, 0),
	FIELD_OF(channels, Channel, LIST),
	FIELD_OF(model, Model, OPTIONAL),
	COMMENT("io_uring or epoll"),
	FIELD(ring, STRING, 0),
	FIELD(tid, INT, 0),
	COMMENT("The core it is pinned to"),
	FIELD(core, INT, OPTIONAL),
	COMMENT("SCHED_FIFO; 0: an ordinary thread"),
	FIELD(priority, INT, 0),
	COMMENT("A line for each right or feature it had to do without"),
	FIELD(lost, STRING, LIST),
	COMMENT("The file being recorded to"),
	FIELD(recording, STRING, OPTIONAL));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Departed,
	FIELD(name, STRING, 0),
	COMMENT("Its part of the score when the alarm began, 0 to 1"),
	FIELD(share, FLOAT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Event,
	COMMENT("As in `sonde event list`; 0 when it could not be stored"),
	FIELD(id, INT, 0),
	FIELD(pipeline, STRING, 0),
	COMMENT("alarm, missed, model, state"),
	FIELD(kind, STRING, 0),
	COMMENT("CLOCK_REALTIME, nanoseconds"),
	FIELD(start, INT, 0),
	COMMENT("Left out while it lasts"),
	FIELD(end, INT, OPTIONAL),
	FIELD(score, FLOAT, 0),
	FIELD(limit, FLOAT, 0),
	FIELD(peak, FLOAT, 0),
	COMMENT("The channels that departed, the first to depart first"),
	FIELD_OF(channels, Departed, LIST),
	FIELD(detail, STRING, 0),
	COMMENT("No tick was missed and no sensor at fault when it began"),
	FIELD(trusted, BOOL, 0));

static SD_VARLINK_DEFINE_METHOD(Describe,
	OUT(version, STRING, 0),
	OUT(pid, INT, 0),
	COMMENT("CLOCK_REALTIME of the start, nanoseconds"),
	OUT(start, INT, 0),
	OUT(config, STRING, 0),
	OUT(run_dir, STRING, 0),
	OUT(state_dir, STRING, 0),
	COMMENT("bpf: a pinned map; file: a plain file, and why"),
	OUT(stats, STRING, 0),
	OUT(stats_reason, STRING, OPTIONAL),
	COMMENT("co-re, or none and why"),
	OUT(profiler, STRING, 0),
	OUT(profiler_reason, STRING, OPTIONAL),
	OUT_OF(pipelines, Pipeline, LIST));

static SD_VARLINK_DEFINE_METHOD(Reload,
	COMMENT("What is in force now"),
	OUT(applied, STRING, LIST),
	COMMENT("What differs, and needs a restart"),
	OUT(restart, STRING, LIST),
	COMMENT("What was tried and failed: a model that could not be loaded"),
	OUT(problems, STRING, LIST));

static SD_VARLINK_DEFINE_METHOD(LoadModel,
	COMMENT("May be left out when there is one alone"),
	IN(pipeline, STRING, OPTIONAL),
	COMMENT("Absolute; left out: the configured one or STATE_DIR/PIPELINE.safetensors"),
	IN(path, STRING, OPTIONAL),
	OUT(pipeline, STRING, 0),
	OUT(path, STRING, 0),
	OUT(generation, INT, 0),
	OUT(precision, STRING, 0),
	OUT(kernel, STRING, 0));

static SD_VARLINK_DEFINE_METHOD(ShadowModel,
	COMMENT("May be left out when there is one alone"),
	IN(pipeline, STRING, OPTIONAL),
	COMMENT("Absolute; left out: no shadow any more"),
	IN(path, STRING, OPTIONAL),
	OUT(pipeline, STRING, 0),
	COMMENT("Empty as the next two: there is none"),
	OUT(path, STRING, 0),
	OUT(precision, STRING, 0),
	OUT(kernel, STRING, 0));

static SD_VARLINK_DEFINE_METHOD_FULL(Events, SD_VARLINK_REQUIRES_MORE,
	COMMENT("ready: the first reply; begin, end: an event's; stopped: the last reply"),
	OUT(phase, STRING, 0),
	OUT_OF(event, Event, OPTIONAL));

static SD_VARLINK_DEFINE_METHOD(RecordStart,
	IN(pipeline, STRING, OPTIONAL),
	COMMENT("Absolute; left out: STATE_DIR/captures/PIPELINE-TIME.csv"),
	IN(path, STRING, OPTIONAL),
	OUT(pipeline, STRING, 0),
	OUT(path, STRING, 0));

static SD_VARLINK_DEFINE_METHOD(RecordStop,
	IN(pipeline, STRING, OPTIONAL),
	OUT(pipeline, STRING, 0),
	OUT(path, STRING, 0),
	OUT(rows, INT, 0));

static SD_VARLINK_DEFINE_ERROR(NoSuchPipeline, FIELD(reason, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(ModelRefused, FIELD(reason, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(ConfigInvalid, FIELD(reason, STRING, 0),
			       FIELD(problems, STRING, LIST));
static SD_VARLINK_DEFINE_ERROR(RecordingActive, FIELD(reason, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(NotRecording, FIELD(reason, STRING, 0));
static SD_VARLINK_DEFINE_ERROR(RecordFailed, FIELD(reason, STRING, 0));

SD_VARLINK_DEFINE_INTERFACE(io_sonde_Agent, CONTROL_INTERFACE,
	SD_VARLINK_INTERFACE_COMMENT("The Sonde agent: sensors, models, verdicts"),
	ABOUT("A value that is read once a tick"),
	&vl_type_Channel,
	ABOUT("A model that gives the scores of a pipeline"),
	&vl_type_Model,
	ABOUT("A group of sensors with one thread, one ring and one model"),
	&vl_type_Pipeline,
	&vl_type_Departed,
	&vl_type_Event,
	ABOUT("What runs, and what it had to do without"),
	&vl_method_Describe,
	ABOUT("Read the configuration again; a bad one changes nothing"),
	&vl_method_Reload,
	ABOUT("Put a model in place between two ticks; a bad one leaves the old one running"),
	&vl_method_LoadModel,
	ABOUT("Have another model judge beside the running one, on the stats page only"),
	&vl_method_ShadowModel,
	ABOUT("Every event as it begins and ends"),
	&vl_method_Events,
	ABOUT("Write every tick's values to a CSV file"),
	&vl_method_RecordStart,
	ABOUT("End that; the file appears under its name now, whole"),
	&vl_method_RecordStop,
	&vl_error_NoSuchPipeline,
	&vl_error_ModelRefused,
	&vl_error_ConfigInvalid,
	&vl_error_RecordingActive,
	&vl_error_NotRecording,
	&vl_error_RecordFailed);
