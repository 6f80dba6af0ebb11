// SPDX-License-Identifier: MIT
/* config: what is understood, and that each kind of mistake is told with file, line and value. */
#include "agent/config.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/config_fixture.h"

static void test_full(void)
{
	struct config *c = load("\xef\xbb\xbf# all of it\n[agent]\nrun_dir = /run/x ; note\n"
		"state_dir=/var/x\nring = epoll # note\nprofiler = off\n"
		"[pipeline fast]\n  rate = 1 kHz\n  core = none\n  priority = 0\n"
		"  false_alarms = 2/week\n  alarm = 3 of 4\n  clear = 1 min\n  before = 500 ms\n"
		"  after = 0 s\n  stale = 20 ms\n"
		"[sensor net]\npipeline = fast\nkind = sysfs\npath = /proc/net/dev\nunit = B/s\n"
		"counter = yes\nevery = 10 ms\nchannel.rx = lo,eth*:1\n"
		"channel.tx = lo:9, scale=0.5, unit=kB/s, wrap=32 bit, window=4\n"
		"[sensor load]\npipeline = fast\nkind = sysfs\npath = /proc/loadavg\nevery = 7\n"
		"[sensor imu]\npipeline = fast\nkind = stream\npath = /dev/null\nscale = 2\n"
		"offset = -1\nchannel.x = le:s16/16>>0\nchannel.t=be:u24/32>>8,unit=C,scale=-1\n");
	const struct pipeline_config *p = &c->pipeline[0];
	const struct channel_config *ch;

	CHECK_STR(c->run_dir, "/run/x");
	CHECK_STR(c->state_dir, "/var/x");
	CHECK_STR(c->ring, "epoll");
	CHECK_STR(c->profiler, "off");
	CHECK_EQ(c->pipelines, 1);
	CHECK_STR(p->name, "fast");
	CHECK_NEAR(p->rate_hz, 1000, 0);
	CHECK_EQ(p->core, CORE_NONE);
	CHECK_EQ(p->priority, 0);
	CHECK_NEAR(p->false_alarms_per_day, 2.0 / 7, 1e-12);
	CHECK_EQ(p->alarm_k, 3);
	CHECK_EQ(p->alarm_n, 4);
	CHECK_NEAR(p->clear_s, 60, 0);
	CHECK_NEAR(p->pre_s, 0.5, 1e-12);
	CHECK_NEAR(p->post_s, 0, 0);
	CHECK_NEAR(p->stale_s, 0.02, 1e-12);
	CHECK_EQ(p->sensors, 3);
	CHECK_EQ(p->channels, 5);

	CHECK_EQ(p->sensor[0].every, 10);
	CHECK(!p->sensor[0].single);
	ch = config_channel(p, 0);
	CHECK_STR(ch->name, "net.rx");
	CHECK_STR(ch->unit, "B/s");
	CHECK_STR(ch->text.key, "lo,eth*");
	CHECK_EQ(ch->text.column[0], 1);
	CHECK(ch->counter);
	CHECK_NEAR(ch->wrap, 0, 0);
	CHECK_NEAR(ch->scale, 1, 0);
	ch = config_channel(p, 1);
	CHECK_STR(ch->name, "net.tx");
	CHECK_STR(ch->unit, "kB/s");
	CHECK_NEAR(ch->scale, 0.5, 0);
	CHECK_NEAR(ch->wrap, 4294967296.0, 0);
	CHECK_EQ(ch->window, 4);
	CHECK_EQ(ch->at.line, 25);
	CHECK_STR(ch->at.file, file);

	CHECK_STR(config_channel(p, 2)->name, "load");
	CHECK(p->sensor[1].single);
	CHECK_EQ(p->sensor[1].every, 7);

	CHECK_EQ(p->sensor[2].scan_bytes, 8);
	ch = config_channel(p, 4);
	CHECK_STR(ch->name, "imu.t");
	CHECK_EQ(ch->scan.offset, 4);
	CHECK_EQ(ch->scan.shift, 8);
	CHECK(ch->scan.big_endian);
	CHECK_NEAR(ch->scale, -1, 0);
	CHECK_NEAR(ch->offset, -1, 0);
	CHECK(!config_channel(p, 5));
	CHECK_EQ(reports.n, 0);
	config_free(c);
}

static void test_defaults(void)
{
	struct config *c = load(SENSOR "field = cpu:1\n" PIPELINE);
	const struct pipeline_config *p = &c->pipeline[0];

	CHECK_STR(c->run_dir, "/run/sonde");
	CHECK_STR(c->state_dir, "/var/lib/sonde");
	CHECK_STR(c->ring, "auto");
	CHECK_STR(c->profiler, "auto");
	CHECK_NEAR(p->rate_hz, 50, 0);
	CHECK_EQ(p->core, CORE_LAST);
	CHECK_EQ(p->priority, 40);
	CHECK_NEAR(p->false_alarms_per_day, 1, 0);
	CHECK(p->follow && p->rebaseline_s == 0);
	CHECK_NEAR(p->freeze_s, 86400, 0);
	CHECK_EQ(p->alarm_k, 5);
	CHECK_EQ(p->alarm_n, 8);
	CHECK_STR(p->model, "");
	CHECK(!p->sensor[0].single);	/* a field of a longer file is no single value */
	CHECK_EQ(p->sensor[0].every, 1);
	config_free(c);
}

static void test_syntax(void)
{
	refuse(1, "rate = 1: before the first [section]", "rate = 1\n" PIPELINE SENSOR);
	refuse(2, "\"rate 50 Hz\": neither a [section] nor \"key = value\"",
	       PIPELINE "rate 50 Hz\n" SENSOR);
	refuse(2, "\"[pipe\": neither a [section] nor \"key = value\"",
	       PIPELINE "[pipe\n" SENSOR);
	refuse(2, "\"last\": neither a [section] nor \"key = value\"", PIPELINE "last");
	refuse(1, "\"x\" after the section's ]", "[pipeline p] x\n" SENSOR);
	refuse(2, "= 5: a value without a key", PIPELINE "= 5\n" SENSOR);
	refuse(3, "rate = 2 Hz: set already, at line 2", PIPELINE "rate=1 Hz\nrate=2 Hz\n" SENSOR);
	refuse(1, "[sensors s]: no such section; did you mean [sensor]?",
	       "[sensors s]\nrate = nonsense\n" PIPELINE SENSOR);
	refuse(1, "[bus]: no such section; there are [agent], [pipeline NAME], [sensor NAME] and "
	       "[output NAME]",
	       "[bus]\n" PIPELINE SENSOR);
	refuse(1, "[sensor]: a sensor needs a name: [sensor NAME]", "[sensor]\n" PIPELINE SENSOR);
	refuse(1, "[agent a]: there is one agent; it has no name", "[agent a]\n" PIPELINE SENSOR);
	refuse(1, "[pipeline a/b]: a name is made of letters, digits, _ and -",
	       "[pipeline a/b]\n" PIPELINE SENSOR);
	refuse(1, "[pipeline 12345678901234567890123456789012]: a name has no more than 31 "
	       "characters", "[pipeline 12345678901234567890123456789012]\n" PIPELINE SENSOR);
}

static void test_bytes(void)
{
	static const char nul[] = PIPELINE "rate = 50\0 Hz\n" SENSOR;
	static const char wild[] = PIPELINE SENSOR "unit = \xb0" "C\n";
	char longer[3000], want[400];

	load_bytes(nul, sizeof nul - 1, false, -EINVAL);
	snprintf(want, sizeof want, "%s:2: a NUL byte: this is no text", file);
	CHECK_STR(reports.text[0], want);
	load_bytes(wild, sizeof wild - 1, false, -EINVAL);
	snprintf(want, sizeof want, "%s:6: not UTF-8", file);
	CHECK_STR(reports.text[0], want);
	memset(longer, 'a', sizeof longer);
	memcpy(longer, PIPELINE, strlen(PIPELINE));
	longer[sizeof longer - 1] = '\n';
	load_bytes(longer, sizeof longer, false, -EINVAL);
	CHECK(strstr(reports.text[0], ":2: a line of "));
	/* On the edge a line is read whole or not at all. */
	for (size_t n = 1018; n < 1028; n++) {
		memset(longer, '/', sizeof longer);
		memcpy(longer, PIPELINE "model=", strlen(PIPELINE "model="));
		longer[strlen(PIPELINE) + n - 1] = '\n';
		load_bytes(longer, strlen(PIPELINE) + n, false, -EINVAL);
		CHECK_EQ(reports.n, 1);
		CHECK(strstr(reports.text[0], n <= 1022 ? ": longer than 255 bytes" : ": a line of "));
	}
}

static void test_budget(void)
{
	struct config *c = load(PIPELINE "follow = no\nfreeze = 2 h\nrebaseline = 7 days\n" SENSOR);
	const struct pipeline_config *p = &c->pipeline[0];

	CHECK(!p->follow);
	CHECK_NEAR(p->freeze_s, 7200, 0);
	CHECK_NEAR(p->rebaseline_s, 7 * 86400, 0);
	config_free(c);
	c = load(PIPELINE "rebaseline = off\n" SENSOR);
	CHECK(c->pipeline[0].rebaseline_s == 0);
	config_free(c);
	refuse(2, "rebaseline = 2 h: not between 86400 s and 3.16224e+07 s",
	       PIPELINE "rebaseline = 2 h\n" SENSOR);
	refuse(2, "rebaseline = no: not a number with a unit: off; or us, ms, s, min, h or day",
	       PIPELINE "rebaseline = no\n" SENSOR);
	refuse(2, "freeze = 1 s: not between 60 s and 2.6784e+06 s", PIPELINE "freeze = 1 s\n" SENSOR);
	refuse(2, "follow = often: must be yes or no", PIPELINE "follow = often\n" SENSOR);
}

static void test_values(void)
{
	refuse(2, "rate = 50 Herz: \"Herz\" is no unit here: Hz, kHz or mHz",
	       PIPELINE "rate = 50 Herz\n" SENSOR);
	refuse(2, "rate = 50: a unit is missing: Hz, kHz or mHz", PIPELINE "rate = 50\n" SENSOR);
	refuse(2, "rate = fast: not a number with a unit: Hz, kHz or mHz",
	       PIPELINE "rate = fast\n" SENSOR);
	refuse(2, "rate = 0x32 Hz: not a number with a unit: Hz, kHz or mHz",
	       PIPELINE "rate = 0x32 Hz\n" SENSOR);
	refuse(2, "rate = 20 kHz: not between 0.01 Hz and 10000 Hz",
	       PIPELINE "rate = 20 kHz\n" SENSOR);
	refuse(2, "rate = 1e999 Hz: too large", PIPELINE "rate = 1e999 Hz\n" SENSOR);
	refuse(2, "priority = 50: not between 0 and 49", PIPELINE "priority = 50\n" SENSOR);
	refuse(2, "priority = 1.5: not a whole number", PIPELINE "priority = 1.5\n" SENSOR);
	refuse(2, "core = first: must be last, none or the number of a core",
	       PIPELINE "core = first\n" SENSOR);
	refuse(2, "false_alarms = 1/year: \"/year\" is no unit here: /hour, /day, /week or /month",
	       PIPELINE "false_alarms = 1/year\n" SENSOR);
	refuse(2, "alarm = 5/8: must read K of N, as in 5 of 8", PIPELINE "alarm = 5/8\n" SENSOR);
	refuse(2, "alarm = 9 of 8: K of N needs 1 <= K <= N <= 64",
	       PIPELINE "alarm = 9 of 8\n" SENSOR);
	refuse(2, "alarm = 0 of 8: K of N needs 1 <= K <= N <= 64",
	       PIPELINE "alarm = 0 of 8\n" SENSOR);
	refuse(2, "alarm = 1 of 65: K of N needs 1 <= K <= N <= 64",
	       PIPELINE "alarm = 1 of 65\n" SENSOR);
	refuse(2, "clear = 2 weeks: \"weeks\" is no unit here: us, ms, s, min, h or day",
	       PIPELINE "clear = 2 weeks\n" SENSOR);
	refuse(2, "clear = 2 days: not between 0 s and 3600 s", PIPELINE "clear = 2 days\n" SENSOR);
	refuse(3, "before = 1 h: 3600000 rows at 1000 Hz; no more than 16384 are kept",
	       PIPELINE "rate = 1 kHz\nbefore = 1 h\n" SENSOR);
	refuse(1, "before = 5 s (not given): 50000 rows at 10000 Hz; no more than 16384 are kept",
	       PIPELINE "rate = 10 kHz\n" SENSOR);
	refuse(2, "model = m.safetensors: a path must begin with /",
	       PIPELINE "model = m.safetensors\n" SENSOR);
	refuse(2, "ring = uring: must be auto, io_uring or epoll",
	       "[agent]\nring = uring\n" PIPELINE SENSOR);
	refuse(2, "ring = or: must be auto, io_uring or epoll",
	       "[agent]\nring = or\n" PIPELINE SENSOR);
	refuse(2, "run_dir = : nothing after the =", "[agent]\nrun_dir =\n" PIPELINE SENSOR);
	refuse(2, "rat = 50 Hz: [pipeline] has no key of this name; did you mean rate?",
	       PIPELINE "rat = 50 Hz\n" SENSOR);
	refuse(2, "colour = red: [pipeline] has no key of this name",
	       PIPELINE "colour = red\n" SENSOR);
}

static void test_sensors(void)
{
	refuse(6, "[sensor s]: there is one already, at ...", PIPELINE SENSOR SENSOR);
	refuse(2, "[pipeline p]: there is one already, at ...", PIPELINE PIPELINE SENSOR);
	refuse(3, "pipeline = pmup: there is no [pipeline pmup]; did you mean pump?",
	       "[pipeline pump]\n[sensor s]\npipeline = pmup\nkind = sysfs\npath = /proc/stat\n");
	refuse(3, "[sensor s] does not say its pipeline: ...",
	       PIPELINE "[pipeline q]\n[sensor s]\nkind = sysfs\npath = /proc/stat\n");
	refuse(2, "[sensor s] does not say its kind: ...",
	       PIPELINE "[sensor s]\npipeline = p\npath = /proc/stat\n");
	refuse(2, "[sensor s] does not say what to read: ...",
	       PIPELINE "[sensor s]\npipeline = p\nkind = sysfs\n");
	refuse(4, "kind = usb: must be board, sysfs, stream, ...",
	       PIPELINE "[sensor s]\npipeline = p\nkind = usb\npath = /proc/stat\n");
	refuse(6, "scale = 0.1V: \"V\" after the number", PIPELINE SENSOR "scale = 0.1V\n");
	refuse(2, "[sensor s]: a scale of 0 makes every value 0", PIPELINE SENSOR "scale = 0\n");
	refuse(2, "[sensor s]: wrap and window are for a counter: say counter as well",
	       PIPELINE SENSOR "wrap = 32 bit\n");
	refuse(6, "wrap = 32: must be none or a width, as in 32 bit",
	       PIPELINE SENSOR "wrap = 32\n");
	refuse(6, "wrap = 7 bit: a counter has 8 to 64 bits", PIPELINE SENSOR "wrap = 7 bit\n");
	refuse(6, "counter = maybe: must be yes or no", PIPELINE SENSOR "counter = maybe\n");
	refuse(6, "unit = metres/second: longer than 11 bytes",
	       PIPELINE SENSOR "unit = metres/second\n");
	refuse(6, "every = often: not a number with a unit: us, ms, s, min, h or day; or a number of "
	       "ticks",
	       PIPELINE SENSOR "every = often\n");
	refuse(6, "every = 2: kind = stream comes when it comes",
	       PIPELINE "[sensor s]\npipeline=p\nkind=stream\npath=/dev/null\nevery = 2\n"
	       "channel.x = le:s16/16>>0\n");
	refuse(2, "[sensor s] names no channels: ...",
	       PIPELINE "[sensor s]\npipeline=p\nkind=stream\npath=/dev/null\n");
	refuse(1, "[pipeline p]: no sensor belongs to it", PIPELINE);
	refuse(5, "[sensor c]: pipeline p has the board's sensors already, from [sensor b]",
	       PIPELINE "[sensor b]\nkind=board\npipeline=p\n"
	       "[sensor c]\nkind=board\npipeline=p\n");
	refuse(4, "path = /tmp: a board finds its sensors itself; it takes only pipeline",
	       PIPELINE "[sensor b]\nkind = board\npath = /tmp\npipeline = p\n");
}

static void test_channels(void)
{
	refuse(6, "field = cpu:one: field \"cpu:one\": ...", PIPELINE SENSOR "field = cpu:one\n");
	refuse(6, "channel.a = x:: field \"x:\" ends ...", PIPELINE SENSOR "channel.a = x:\n");
	refuse(6, "channel.a = 1, power=2: \"power=2\": a channel has the options unit=, ...",
	       PIPELINE SENSOR "channel.a = 1, power=2\n");
	refuse(6, "channel.a = 1, unit: \"unit\": expected unit=VALUE",
	       PIPELINE SENSOR "channel.a = 1, unit\n");
	refuse(6, "channel.a = 1, counter,: nothing between two commas",
	       PIPELINE SENSOR "channel.a = 1, counter,\n");
	refuse(6, "channel.a = 1, scale=x: scale=x: not a number",
	       PIPELINE SENSOR "channel.a = 1, scale=x\n");
	refuse(6, "channel.a = 1, wrap=16 bit: wrap and window are for a counter: say counter as "
	       "well",
	       PIPELINE SENSOR "channel.a = 1, wrap=16 bit\n");
	refuse(6, "channel.: an empty name", PIPELINE SENSOR "channel. = 1\n");
	refuse(6, "channel.a,b: a name is made of letters, digits, . _ and -",
	       PIPELINE SENSOR "channel.a,b = 1\n");
	refuse(6, "channel.abcdefghijklmnopqrstuvwxyz1234: s.abcdefghijklmnopqrstuvwxyz1234 is "
	       "longer than 31 characters",
	       PIPELINE SENSOR "channel.abcdefghijklmnopqrstuvwxyz1234 = 1\n");
	refuse(6, "field = 1: this sensor has channel.* lines, which say it",
	       PIPELINE SENSOR "field = 1\nchannel.a = 1\n");
	refuse(7, "channel.a = 2: set already, at line 6",
	       PIPELINE SENSOR "channel.a = 1\nchannel.a = 2\n");
}

static void test_many(void)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs("[agent]\nrun = x\n" PIPELINE "rate = 1\ncore = x\n" SENSOR "unit = u\n", f);
	fputs("nonsense\n[sensor t]\nkind = sysfs\npath = relative\npipeline = q\n", f);
	fclose(f);
	load_bytes(text, size, false, -EINVAL);
	CHECK_EQ(reports.errors, 5);	/* nonsense, run, rate, core, path; each once */
	free(text);

	f = open_memstream(&text, &size);
	fputs(PIPELINE SENSOR, f);
	for (unsigned i = 0; i < FRAME_CHANNELS_MAX + 1; i++)
		fprintf(f, "channel.c%u = 1\n", i);
	fclose(f);
	refuse(1, "[pipeline p]: 65 channels; a pipeline holds 64: ...", text);
	free(text);

	f = open_memstream(&text, &size);
	for (unsigned i = 0; i < CONFIG_PIPELINES_MAX + 1; i++)
		fprintf(f, "[pipeline p%u]\n[sensor s%u]\npipeline=p%u\nkind=sysfs\n"
			"path=/proc/stat\n", i, i, i);
	fclose(f);
	load_bytes(text, size, false, -EINVAL);
	CHECK(strstr(reports.text[0], "[pipeline p8]: there are 8 already"));
	free(text);
	load_bytes("", 0, false, -EINVAL);
	CHECK(strstr(reports.text[0], ": no [pipeline NAME] section"));
}

static void test_missing(void)
{
	static const char text[] = PIPELINE "model = /nowhere/m.safetensors\ncore = 1023\n"
		"[sensor s]\npipeline=p\nkind=sysfs\npath = /nowhere/at/all\n";
	struct config *c = load_bytes(text, sizeof text - 1, false, 0);
	char want[400];

	CHECK_EQ(reports.n, 3);
	snprintf(want, sizeof want, "%s:7: path = /nowhere/at/all: No such file or directory",
		 file);
	CHECK_STR(reports.text[2], want);
	config_free(c);
	load_bytes(text, sizeof text - 1, true, -EINVAL);
	CHECK_EQ(reports.errors, 3);

	memset(&reports, 0, sizeof reports);
	CHECK_EQ(config_load(&c, "/nowhere/sonde.conf", false, take, folder), -ENOENT);
	CHECK_STR(reports.text[0], "/nowhere/sonde.conf: No such file or directory");
	memset(&reports, 0, sizeof reports);
	CHECK(config_load(&c, folder, false, take, folder) < 0);
	CHECK_EQ(reports.errors, 1);
}

/* conf.d belongs to a sonde.conf, comes in the order of its names, and only adds. */
static void test_drop_ins(void)
{
	char main_conf[300], dir[300], a[320], b[320], other[320], want[1000];
	static const char first[] = PIPELINE, second[] = SENSOR, third[] = "[sensor t]\n"
		"pipeline=p\nkind=sysfs\npath=/proc/loadavg\n", broken[] = "[sensor s]\n";
	struct config *c;

	snprintf(main_conf, sizeof main_conf, "%s/sonde.conf", folder);
	snprintf(dir, sizeof dir, "%s/conf.d", folder);
	snprintf(a, sizeof a, "%s/20-late.conf", dir);
	snprintf(b, sizeof b, "%s/10-early.conf", dir);
	snprintf(other, sizeof other, "%s/30-old.conf.bak", dir);
	CHECK(!mkdir(dir, 0755));
	write_file(main_conf, first, sizeof first - 1);
	write_file(a, second, sizeof second - 1);
	write_file(b, third, sizeof third - 1);
	write_file(other, "nonsense", 8);
	memset(&reports, 0, sizeof reports);
	CHECK_EQ(config_load(&c, main_conf, true, take, folder), 0);
	CHECK_EQ(c->pipeline[0].sensors, 2);
	CHECK_STR(c->pipeline[0].sensor[0].name, "t");
	CHECK_STR(c->pipeline[0].sensor[1].at.file, a);
	config_free(c);

	write_file(b, broken, sizeof broken - 1);
	CHECK_EQ(config_load(&c, main_conf, true, take, folder), -EINVAL);
	snprintf(want, sizeof want, "%s:1: [sensor s]: there is one already, at %s:1", a, b);
	CHECK_STR(reports.text[0], want);
	write_file(b, "unit = x\n", 9);
	memset(&reports, 0, sizeof reports);
	CHECK_EQ(config_load(&c, main_conf, true, take, folder), -EINVAL);
	snprintf(want, sizeof want, "%s:1: unit = x: before the first [section]", b);
	CHECK_STR(reports.text[0], want);
	unlink(a);
	unlink(b);
	unlink(other);
	unlink(main_conf);
	rmdir(dir);
}

int main(void)
{
	CHECK(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/test.conf", folder);
	test_full();
	test_defaults();
	test_syntax();
	test_bytes();
	test_budget();
	test_values();
	test_sensors();
	test_channels();
	test_many();
	test_missing();
	test_drop_ins();
	unlink(file);
	CHECK(!rmdir(folder));
	return 0;
}
