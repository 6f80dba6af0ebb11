// SPDX-License-Identifier: MIT
/*
 * dev iio set-up: what is written to a made tree, and in which order; triggers made,
 * attached and refused; what is polled and why; what is refused and why.
 */
#include <sys/inotify.h>

#include "agent/dev/iio.h"
#include "test/unit/dev_iio_made.h"

static struct channel_config xyz[4];
static struct why why;
static struct dev *dev;

static int set_up(const struct sensor_config *s)
{
	CHECK_EQ(dev_iio.create(&dev, s, 2, &why), 0);
	return dev_iio.open(dev);
}

static void drop(void)
{
	dev_iio.shut(dev);
	dev_iio.free(dev);
}

static void begin(void)
{
	made_magn();
	xyz[0] = made_channel("magn_z");
	xyz[1] = made_channel("magn_x");
	xyz[2] = made_channel("magn_x");
	xyz[3] = made_channel("temp");
}

/* ---- order */

#define WATCHED 6
static const char *const watched[WATCHED] = {
	MAGN "/scan_elements/", MAGN "/trigger/", MAGN "/buffer/", TRIGGER "/", MAGN "/",
	HRTIMERS "/",
};

/* The files that were written to, in order, each run of writes to one file once. */
static void record(int fd, char *text, size_t size)
{
	static char buf[65536] __attribute__((aligned(8)));
	ssize_t n = read(fd, buf, sizeof buf);
	char last[64] = "";

	*text = '\0';
	for (char *p = buf; n > 0 && p < buf + n;) {
		const struct inotify_event *e = (const struct inotify_event *)p;
		size_t used = strlen(text);

		p += sizeof *e + e->len;
		if (!e->len || !strcmp(last, e->name) || strstr(e->name, "device"))
			continue;
		snprintf(last, sizeof last, "%s", e->name);
		snprintf(text + used, size - used, "%s%s", used ? " " : "", e->name);
	}
}

static void order(void)
{
	struct sensor_config s = made_sensor(xyz, 4, 50, "buffer");
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	unsigned open_now;
	char text[1024];

	begin();
	/* Left on by somebody, as was the buffer. */
	tree_attr(MAGN, "scan_elements/in_magn_y_en", "1");
	tree_attr(MAGN, "buffer/enable", "1");
	if (fd < 0)
		SKIP_BECAUSE("no inotify here");
	for (unsigned i = 0; i < WATCHED; i++)
		CHECK(inotify_add_watch(fd, tree_path(watched[i]), IN_MODIFY | IN_CREATE) >= 0);
	CHECK_EQ(set_up(&s), 0);
	record(fd, text, sizeof text);
	/* The buffer off before all, on after all, and between them what the kernel insists on. */
	CHECK_STR(text, "enable in_magn_y_en in_magn_z_en in_magn_x_en in_temp_en "
		  "current_timestamp_clock in_timestamp_en sonde-mag sampling_frequency "
		  "current_trigger length watermark enable");
	CHECK_STR(tree_get(MAGN, "buffer/enable"), "1");
	CHECK_STR(tree_get(MAGN, "scan_elements/in_magn_x_en"), "1");
	CHECK_STR(tree_get(MAGN, "scan_elements/in_magn_y_en"), "0");
	CHECK_STR(tree_get(MAGN, "scan_elements/in_magn_z_en"), "1");
	CHECK_STR(tree_get(MAGN, "scan_elements/in_temp_en"), "1");
	CHECK_STR(tree_get(MAGN, "scan_elements/in_timestamp_en"), "1");
	CHECK_STR(tree_get(MAGN, "current_timestamp_clock"), "monotonic");
	CHECK_STR(tree_get(MAGN, "trigger/current_trigger"), "sonde-mag");
	CHECK_STR(tree_get(TRIGGER, "sampling_frequency"), "50");
	CHECK_STR(tree_get(MAGN, "sampling_frequency"), "75.000");
	CHECK_STR(tree_get(MAGN, "buffer/length"), "100");
	CHECK_STR(tree_get(MAGN, "buffer/watermark"), "1");
	CHECK(tree_has(HRTIMERS "/sonde-mag"));
	CHECK_STR(dev->why.text, "");
	CHECK_EQ(iio_path(dev), DEV_PATH_POLL);
	/* Off, let go of, and only then removed. */
	dev_iio.shut(dev);
	record(fd, text, sizeof text);
	CHECK_STR(text, "enable current_trigger");
	CHECK_STR(tree_get(MAGN, "buffer/enable"), "0");
	CHECK_STR(tree_get(MAGN, "trigger/current_trigger"), "");
	CHECK(!tree_has(HRTIMERS "/sonde-mag"));
	/* Again, after it was left open; and one that a crash left behind is taken over. */
	CHECK_EQ(dev_iio.open(dev), 0);
	open_now = tree_descriptors();
	CHECK_EQ(dev_iio.open(dev), 0);
	CHECK_EQ(tree_descriptors(), open_now);
	CHECK(tree_has(HRTIMERS "/sonde-mag"));
	dev_iio.shut(dev);
	tree_dir(HRTIMERS "/sonde-mag");
	CHECK_EQ(dev_iio.open(dev), 0);
	drop();
	CHECK(!tree_has(HRTIMERS "/sonde-mag"));
	close(fd);
}

static void lengths(void)
{
	static const struct { double hz; const char *length, *watermark, *rate; } want[] = {
		{ 1, "64", "1", "1" }, { 12.5, "64", "1", "12.5" }, { 200, "400", "1", "200" },
		{ 1000, "2000", "5", "1000" }, { 50000, "16384", "250", "50000" },
	};

	for (unsigned i = 0; i < sizeof want / sizeof *want; i++) {
		struct sensor_config s = made_sensor(xyz, 1, want[i].hz, "buffer");

		begin();
		CHECK_EQ(set_up(&s), 0);
		CHECK_STR(tree_get(MAGN, "buffer/length"), want[i].length);
		CHECK_STR(tree_get(MAGN, "buffer/watermark"), want[i].watermark);
		CHECK_STR(tree_get(TRIGGER, "sampling_frequency"), want[i].rate);
		/* It can not measure so fast: that is said, and no reason to do nothing. */
		CHECK_EQ(!!strstr(dev->why.text, "measures 220 times a second: values repeat"),
			 want[i].hz > 220);
		drop();
	}
	/* Some buffers have neither. */
	begin();
	tree_drop(MAGN "/buffer/length");
	tree_drop(MAGN "/buffer/watermark");
	tree_drop(MAGN "/sampling_frequency");
	{
		struct sensor_config s = made_sensor(xyz, 1, 50, "buffer");

		CHECK_EQ(set_up(&s), 0);
		CHECK(!tree_has(MAGN "/buffer/length"));
		drop();
	}
}

/* ---- triggers */

static void named(void)
{
	struct sensor_config s = made_sensor(xyz, 4, 0, "auto");

	begin();
	tree_device(IIO, "trigger1", "", "name", "house-clock");
	tree_attr(IIO "/trigger1", "sampling_frequency", "10");
	snprintf(s.trigger_name, sizeof s.trigger_name, "house-clock");
	CHECK_EQ(set_up(&s), 0);
	CHECK_STR(tree_get(MAGN, "trigger/current_trigger"), "house-clock");
	CHECK_STR(tree_get(IIO "/trigger1", "sampling_frequency"), "10");
	drop();
	/* It is not ours: it stays. */
	CHECK_STR(tree_get(MAGN, "trigger/current_trigger"), "house-clock");
	CHECK(!tree_has(HRTIMERS "/sonde-mag"));
	s.rate_hz = 25;
	CHECK_EQ(set_up(&s), 0);
	CHECK_STR(tree_get(IIO "/trigger1", "sampling_frequency"), "25");
	drop();
	/* A trigger without a rate follows the device's. */
	tree_drop(IIO "/trigger1/sampling_frequency");
	CHECK_EQ(set_up(&s), 0);
	CHECK_STR(tree_get(MAGN, "sampling_frequency"), "75.000");
	drop();
	tree_drop(MAGN "/sampling_frequency");
	CHECK_EQ(set_up(&s), -EINVAL);
	CHECK(strstr(dev->why.text, "rate = 25 Hz: neither trigger house-clock nor"));
	drop();

	snprintf(s.trigger_name, sizeof s.trigger_name, "hose-clock");
	CHECK_EQ(set_up(&s), -ENODEV);
	CHECK(strstr(dev->why.text, "no IIO trigger is called \"hose-clock\"; there are "
		     "house-clock, sonde-mag"));
	CHECK_STR(tree_get(MAGN, "buffer/enable"), "0");
	drop();
}

/* The kernel takes any name and forgets those it does not like: here it forgets each. */
static void refused_trigger(void)
{
	struct sensor_config s = made_sensor(xyz, 4, 50, "buffer");

	begin();
	tree_drop(MAGN "/trigger/current_trigger");
	CHECK_EQ(symlink("/dev/null", tree_path(MAGN "/trigger/current_trigger")), 0);
	CHECK_EQ(set_up(&s), -EINVAL);
	CHECK(strstr(dev->why.text, "lsm303dlhc_magn does not take trigger sonde-mag"));
	CHECK(!tree_has(HRTIMERS "/sonde-mag"));
	CHECK_STR(tree_get(MAGN, "buffer/enable"), "0");
	drop();
}

static void own_trigger(void)
{
	struct sensor_config s = made_sensor(xyz, 4, 0, "auto");

	/* Data ready: a trigger of the same parent device. */
	begin();
	tree_device(IIO, "trigger0", "soc/i2c-1/1-001e", "name", "lsm303dlhc_magn-trigger");
	CHECK_EQ(set_up(&s), 0);
	CHECK_EQ(iio_path(dev), DEV_PATH_POLL);
	CHECK_STR(tree_get(MAGN, "trigger/current_trigger"), "lsm303dlhc_magn-trigger");
	drop();
	/* What is attached is meant. */
	tree_attr(MAGN, "trigger/current_trigger", "sonde-mag");
	CHECK_EQ(set_up(&s), 0);
	CHECK_STR(tree_get(MAGN, "trigger/current_trigger"), "sonde-mag");
	drop();
	CHECK_STR(tree_get(MAGN, "trigger/current_trigger"), "sonde-mag");
	/* Nothing at all: polled, or refused. */
	begin();
	CHECK_EQ(set_up(&s), 0);
	CHECK_EQ(iio_path(dev), DEV_PATH_WORKER);
	CHECK(strstr(dev->why.text, "polled: lsm303dlhc_magn has nothing that starts its scans"));
	/* That was then: what fails for another reason now is no reason to poll. */
	tree_drop("/dev/iio:device0");
	CHECK_EQ(dev_iio.open(dev), -ENOENT);
	drop();
	/* Without a buffer there is nothing to say. */
	begin();
	tree_drop(MAGN "/buffer");
	CHECK_EQ(set_up(&s), 0);
	CHECK_EQ(iio_path(dev), DEV_PATH_WORKER);
	CHECK_STR(dev->why.text, "");
	drop();
	begin();
	snprintf(s.mode, sizeof s.mode, "buffer");
	CHECK_EQ(set_up(&s), -EINVAL);
	CHECK(strstr(dev->why.text, "has nothing that starts its scans: say \"rate = 50 Hz\""));
	drop();
}

static void own_clock(void)
{
	struct sensor_config s = made_sensor(xyz, 4, 50, "auto");

	begin();
	tree_drop(MAGN "/trigger");
	CHECK_EQ(set_up(&s), 0);
	CHECK_EQ(iio_path(dev), DEV_PATH_POLL);
	CHECK_STR(tree_get(MAGN, "sampling_frequency"), "75.000");
	CHECK_STR(tree_get(MAGN, "buffer/length"), "150");
	CHECK(!tree_has(HRTIMERS "/sonde-mag"));
	drop();
	/* Shared by the type only, any number. */
	tree_drop(MAGN "/sampling_frequency");
	tree_drop(MAGN "/sampling_frequency_available");
	tree_attr(MAGN, "in_magn_sampling_frequency", "10");
	CHECK_EQ(set_up(&s), 0);
	CHECK_STR(tree_get(MAGN, "in_magn_sampling_frequency"), "50");
	drop();
	s.rate_hz = 0;
	CHECK_EQ(set_up(&s), 0);
	CHECK_STR(tree_get(MAGN, "in_magn_sampling_frequency"), "50");
	drop();
	tree_drop(MAGN "/in_magn_sampling_frequency");
	CHECK_EQ(set_up(&s), 0);
	drop();
	s.rate_hz = 50;
	CHECK_EQ(set_up(&s), 0);	/* auto: polled then, and it says why */
	CHECK_EQ(iio_path(dev), DEV_PATH_WORKER);
	CHECK(strstr(dev->why.text, "polled: lsm303dlhc_magn: rate = 50 Hz can not be set"));
	drop();
}

/* No configfs, no module: what can be polled is. */
static void no_hrtimer(void)
{
	struct sensor_config s = made_sensor(xyz, 4, 50, "auto");

	begin();
	tree_drop("/sys/kernel");
	CHECK_EQ(set_up(&s), 0);
	CHECK_EQ(iio_path(dev), DEV_PATH_WORKER);
	CHECK(strstr(dev->why.text, "polled: no hrtimer trigger for rate = 50 Hz: no module"));
	CHECK_STR(tree_get(MAGN, "buffer/enable"), "0");
	drop();
	snprintf(s.mode, sizeof s.mode, "buffer");
	CHECK_EQ(set_up(&s), -ENOENT);
	CHECK(strstr(dev->why.text, "no hrtimer trigger for rate = 50 Hz"));
	drop();
	/* Made, and nothing appeared: it does not stay. */
	begin();
	tree_drop(TRIGGER);
	CHECK_EQ(set_up(&s), -ENODEV);
	CHECK(strstr(dev->why.text, "the trigger was made and did not appear"));
	CHECK(!tree_has(HRTIMERS "/sonde-mag"));
	drop();
}

/* ---- refusals */

static int broken(const char *name, const char *text)
{
	struct sensor_config s = made_sensor(xyz, 4, 50, "buffer");
	int err;

	begin();
	if (text)
		tree_attr(MAGN, name, text);
	else
		tree_drop(name);
	err = set_up(&s);
	CHECK(strcmp(tree_get(MAGN, "buffer/enable"), "1"));
	CHECK(!tree_has(HRTIMERS "/sonde-mag"));
	why = dev->why;
	drop();
	return err;
}

static void refused(void)
{
	struct sensor_config s;
	struct channel_config c = made_channel("magn_w");

	CHECK_EQ(broken("scan_elements/in_magn_x_type", "le:s16"), -EINVAL);
	CHECK(strstr(why.text, "lsm303dlhc_magn: in_magn_x"));
	CHECK_EQ(broken("scan_elements/in_magn_x_index", "first"), -EINVAL);
	CHECK_EQ(broken("scan_elements/in_magn_x_index", "2"), -EINVAL);
	CHECK(strstr(why.text, "two elements are number 2"));
	CHECK_EQ(broken("scan_elements/in_timestamp_type", "le:s32/32>>0"), -EINVAL);
	CHECK_EQ(broken("scan_elements/in_magn_z_type", "le:s64/64X255>>0"), -EINVAL);
	CHECK_EQ(broken(MAGN "/scan_elements/in_temp_type", NULL), -ENOENT);
	CHECK_EQ(broken(MAGN "/buffer/enable", NULL), -ENOENT);
	CHECK_EQ(broken("/dev/iio:device0", NULL), -ENOENT);
	CHECK(strstr(why.text, "/dev/iio:device0 (lsm303dlhc_magn)"));

	begin();
	tree_drop("/dev/iio:device0");
	tree_put("/dev/iio:device0", "");
	s = made_sensor(xyz, 4, 50, "buffer");
	CHECK_EQ(set_up(&s), -EINVAL);
	CHECK(strstr(dev->why.text, "is no character device"));
	drop();

	begin();
	s = made_sensor(&c, 1, 50, "buffer");
	CHECK_EQ(set_up(&s), -EINVAL);
	CHECK_STR(dev->why.text, "lsm303dlhc_magn has no channel magn_w in its buffer; there is "
		  "magn_x, magn_y, magn_z, temp, timestamp");
	drop();
	s = made_sensor(&c, 1, 50, "auto");
	CHECK_EQ(set_up(&s), -EINVAL);
	CHECK_STR(dev->why.text, "lsm303dlhc_magn has no channel magn_w; there is magn_x, magn_y, "
		  "magn_z, temp");
	drop();
	snprintf(s.device, sizeof s.device, "lsm303dlhc_accel");
	CHECK_EQ(set_up(&s), -ENODEV);
	CHECK(strstr(dev->why.text, "there is lsm303dlhc_magn"));
	drop();
}

static void never_made(void)
{
	struct channel_config c[2] = { made_channel("magn_x"), made_channel("../name") };
	struct sensor_config s = made_sensor(c, 2, 50, "auto");

	CHECK_EQ(dev_iio.create(&dev, &s, 0, &why), -EINVAL);
	CHECK(!dev && strstr(why.text, "is no channel"));
	s = made_sensor(c, 1, 50, "fast");
	CHECK_EQ(dev_iio.create(&dev, &s, 0, &why), -EINVAL);
	s = made_sensor(c, 0, 50, "auto");
	CHECK_EQ(dev_iio.create(&dev, &s, 0, &why), -EINVAL);
	s = made_sensor(c, 1, 50, "auto");
	s.device[0] = '\0';
	CHECK_EQ(dev_iio.create(&dev, &s, 0, &why), -EINVAL);
	s = made_sensor(c, 1, 50, "auto");
	snprintf(s.name, sizeof s.name, "a/../../b");
	CHECK_EQ(dev_iio.create(&dev, &s, 0, &why), -EINVAL);
	CHECK(!dev);
}

/* The clock can not be set: arrival times are better than those of a clock that jumps. */
static void wall_clock(void)
{
	struct sensor_config s = made_sensor(xyz, 4, 50, "buffer");

	begin();
	tree_drop(MAGN "/current_timestamp_clock");
	CHECK_EQ(symlink("/dev/null", tree_path(MAGN "/current_timestamp_clock")), 0);
	CHECK_EQ(set_up(&s), 0);
	CHECK_STR(tree_get(MAGN, "scan_elements/in_timestamp_en"), "0");
	drop();
}

/* Started by edges of another sensor: a buffer would start itself. */
static void triggered(void)
{
	struct sensor_config s = made_sensor(xyz, 4, 50, "auto");

	begin();
	snprintf(s.trigger, sizeof s.trigger, "door");
	CHECK_EQ(set_up(&s), 0);
	CHECK_EQ(iio_path(dev), DEV_PATH_WORKER);
	CHECK_STR(dev->why.text, "polled: trigger = door starts its readings");
	CHECK_STR(tree_get(MAGN, "buffer/enable"), "0");
	CHECK(!tree_has(HRTIMERS "/sonde-mag"));
	drop();
	/* There was no choice: nothing to say. */
	snprintf(s.mode, sizeof s.mode, "poll");
	CHECK_EQ(set_up(&s), 0);
	CHECK_EQ(iio_path(dev), DEV_PATH_WORKER);
	CHECK_STR(dev->why.text, "");
	drop();
}

static void several(void)
{
	struct sensor_config s = made_sensor(xyz, 4, 50, "auto");

	begin();
	tree_device(IIO, "iio:device1", "soc/i2c-2/2-001e", "name", "lsm303dlhc_magn");
	CHECK_EQ(set_up(&s), 0);
	CHECK_STR(dev->why.text, "2 devices are called lsm303dlhc_magn: this is 1-001e; say "
		  "lsm303dlhc_magn@PLACE for another");
	drop();
	/* Names that have an @ themselves need no place. */
	tree_attr(MAGN, "name", "dht11@4");
	tree_attr(IIO "/iio:device1", "name", "dht11@17");
	snprintf(s.device, sizeof s.device, "dht11");
	snprintf(s.mode, sizeof s.mode, "poll");
	CHECK_EQ(set_up(&s), 0);
	CHECK_STR(dev->why.text, "2 devices are called dht11: this is dht11@4; say its whole name "
		  "for another");
	drop();
}

int main(void)
{
	unsigned before = tree_descriptors();

	tree_open();
	order();
	lengths();
	named();
	refused_trigger();
	own_trigger();
	own_clock();
	no_hrtimer();
	refused();
	never_made();
	wall_clock();
	triggered();
	several();
	/* Nothing stays open of all that was tried. */
	CHECK_EQ(tree_descriptors(), before);
	return 0;
}
