// SPDX-License-Identifier: MIT
/* find: by name, label, type and id; several of one name; what is told when there is none. */
#include "agent/dev/find.h"

#include "kernels/why.h"
#include "test/unit/dev_iio_tree.h"

#define IIO "/sys/bus/iio/devices"
#define HWMON "/sys/class/hwmon"
#define THERMAL "/sys/class/thermal"
#define W1 "/sys/bus/w1/devices"

static struct found found;
static struct why why;

static int find(enum find_kind kind, const char *name)
{
	memset(&found, 0xee, sizeof found);
	why.text[0] = '\0';
	return find_device(kind, find_root(), name, &found, &why);
}

static void nothing(void)
{
	CHECK_EQ(find(FIND_IIO, "mpu6050"), -ENODEV);
	CHECK(strstr(why.text, "there is none at all"));
	tree_dir(IIO);
	CHECK_EQ(find(FIND_IIO, "mpu6050"), -ENODEV);
	CHECK(strstr(why.text, "there is none at all"));
	CHECK_EQ(find_device(FIND_IIO, "/nowhere", "x", &found, NULL), -ENODEV);
}

static void names(void)
{
	/* The kernel's numbers are those of probing; buses and addresses say otherwise. */
	tree_device(IIO, "iio:device0", "soc/i2c-10/10-001e", "name", "lsm303dlhc_magn");
	tree_device(IIO, "iio:device1", "soc/i2c-2/2-001e", "name", "lsm303dlhc_magn");
	tree_device(IIO, "iio:device2", "soc/i2c-2/2-0077", "name", "dps310");
	tree_device(IIO, "iio:device10", "soc/i2c-2/2-001e", "name", "lsm303dlhc_magn");
	tree_device(IIO, "trigger3", "soc/i2c-2/2-0077", "name", "dps310");
	tree_dir(IIO "/iio:devicex");
	tree_attr(IIO "/iio:devicex", "name", "dps310");

	CHECK_EQ(find(FIND_IIO, "dps310"), 0);
	CHECK_STR(found.node, "iio:device2");
	CHECK_STR(found.dir, tree_path(IIO "/iio:device2"));
	CHECK_STR(found.name, "dps310");
	CHECK_STR(found.place, "2-0077");
	CHECK_EQ(found.same, 1);
	CHECK_EQ(find(FIND_TRIGGER, "dps310"), 0);
	CHECK_STR(found.node, "trigger3");

	CHECK_EQ(find(FIND_IIO, "lsm303dlhc_magn"), 0);
	CHECK_STR(found.node, "iio:device1");
	CHECK_EQ(found.same, 3);
	CHECK_EQ(find(FIND_IIO, "lsm303dlhc_magn@10-001e"), 0);
	CHECK_STR(found.node, "iio:device0");
	CHECK_EQ(found.same, 1);
	CHECK_EQ(find(FIND_IIO, "lsm303dlhc_magn@2-001e"), 0);
	CHECK_STR(found.node, "iio:device1");
	CHECK_EQ(found.same, 2);
	CHECK_EQ(find(FIND_IIO, "lsm303dlhc_magn@3-001e"), -ENODEV);
	CHECK_EQ(find(FIND_IIO, "dps310@2-001e"), -ENODEV);
	CHECK_EQ(find(FIND_IIO, "iio:device0"), -ENODEV);
	CHECK_EQ(find(FIND_IIO, ""), -ENODEV);

	/* Named after a node of the device tree. */
	tree_device(IIO, "iio:device50", "soc/dht11@4", "name", "dht11@4");
	tree_device(IIO, "iio:device51", "soc/dht11@17", "name", "dht11@17");
	CHECK_EQ(find(FIND_IIO, "dht11"), 0);
	CHECK_STR(found.name, "dht11@4");
	CHECK_EQ(found.same, 2);
	CHECK_EQ(find(FIND_IIO, "dht11@17"), 0);
	CHECK_STR(found.node, "iio:device51");
	CHECK_EQ(found.same, 1);
	CHECK_EQ(find(FIND_IIO, "dht1"), -ENODEV);
	CHECK_EQ(find(FIND_IIO, "dht11@"), -ENODEV);
	CHECK_EQ(find(FIND_IIO, ""), -ENODEV);
	tree_device(IIO, "iio:device52", "soc/zz", "name", "dht11");
	CHECK_EQ(find(FIND_IIO, "dht11"), 0);
	CHECK_STR(found.node, "iio:device52");
	CHECK_EQ(found.same, 1);
	for (unsigned i = 50; i <= 52; i++) {
		char link[64];

		snprintf(link, sizeof link, IIO "/iio:device%u", i);
		tree_drop(link);
	}

	/* A label wins over the names of others, wherever it is. */
	tree_attr(IIO "/iio:device0", "label", "dps310");
	CHECK_EQ(find(FIND_IIO, "dps310"), 0);
	CHECK_STR(found.node, "iio:device0");
	CHECK_EQ(found.same, 1);
	tree_drop(IIO "/iio:device0/label");
	tree_attr(IIO "/iio:device10", "label", "roof");
	CHECK_EQ(find(FIND_IIO, "roof"), 0);
	CHECK_STR(found.node, "iio:device10");

	/* What was meant is told first, each once. */
	CHECK_EQ(find(FIND_IIO, "dsp310"), -ENODEV);
	CHECK_STR(why.text, "no IIO device is called \"dsp310\"; there are dps310, "
		  "lsm303dlhc_magn");
	CHECK_EQ(find(FIND_IIO, "lsm303dlh_magn"), -ENODEV);
	CHECK(strstr(why.text, "there are lsm303dlhc_magn, dps310"));
}

/* A trigger of the same parent is the device's own; hrtimers hang from the top. */
static void beside(void)
{
	CHECK_EQ(find_beside(FIND_TRIGGER, tree, tree_path(IIO "/iio:device2"), &found), 0);
	CHECK_STR(found.node, "trigger3");
	CHECK_EQ(find_beside(FIND_TRIGGER, tree, tree_path(IIO "/iio:device0"), &found), -ENODEV);
	tree_device(IIO, "trigger4", "", "name", "sonde-x");
	tree_device(IIO, "iio:device20", "", "name", "iio_dummy");
	CHECK_EQ(find(FIND_IIO, "iio_dummy"), 0);
	CHECK_STR(found.place, "");
	CHECK_EQ(find_beside(FIND_TRIGGER, tree, found.dir, &found), -ENODEV);
	/* No links, as in a tree made by hand: nobody is beside anybody. */
	tree_dir(IIO "/iio:device40");
	tree_attr(IIO "/trigger9", "name", "x");
	CHECK_EQ(find_beside(FIND_TRIGGER, tree, tree_path(IIO "/iio:device40"), &found), -ENODEV);
	tree_drop(IIO "/iio:device40");
}

static void chips(void)
{
	tree_device(HWMON, "hwmon3", "soc/i2c-1/1-0048/hwmon", "name", "lm75");
	tree_device(HWMON, "hwmon2", "soc/i2c-1/1-0049/hwmon", "name", "lm75");
	tree_attr(HWMON "/hwmon8", "name", "plain");
	CHECK_EQ(find(FIND_HWMON, "plain"), 0);
	CHECK_STR(found.place, "");
	tree_device(HWMON, "hwmon0", "virtual/thermal/thermal_zone0", "name", "cpu_thermal");
	tree_attr(HWMON "/hwmon2", "label", "inlet");
	CHECK_EQ(find(FIND_HWMON, "lm75"), 0);
	CHECK_STR(found.node, "hwmon3");
	CHECK_STR(found.place, "1-0048");
	CHECK_EQ(found.same, 2);
	CHECK_EQ(find(FIND_HWMON, "lm75@1-0049"), 0);
	CHECK_STR(found.node, "hwmon2");
	CHECK_EQ(find(FIND_HWMON, "inlet"), 0);
	CHECK_STR(found.node, "hwmon2");

	tree_device(THERMAL, "thermal_zone0", "virtual/thermal", "type", "cpu-thermal");
	tree_device(THERMAL, "thermal_zone1", "virtual/thermal", "type", "board");
	tree_device(THERMAL, "cooling_device0", "virtual/thermal", "type", "board");
	CHECK_EQ(find(FIND_THERMAL, "board"), 0);
	CHECK_STR(found.node, "thermal_zone1");
	CHECK_EQ(found.same, 1);
	CHECK_EQ(find(FIND_THERMAL, "gpu"), -ENODEV);
	CHECK(strstr(why.text, "thermal zone"));
}

static void wires(void)
{
	tree_device(W1, "w1_bus_master1", "w1_bus_master1", "temperature", "1");
	tree_device(W1, "00-100000000000", "w1_bus_master1", NULL, NULL);
	tree_device(W1, "zz-100000000000", "w1_bus_master1", "temperature", "1");
	CHECK_EQ(find(FIND_W1, "*"), -ENODEV);
	tree_device(W1, "28-0000072431ff", "w1_bus_master1", "temperature", "21500");
	tree_device(W1, "28-000005e2fdc3", "w1_bus_master1", "temperature", "22500");
	CHECK_EQ(find(FIND_W1, "*"), 0);
	CHECK_STR(found.name, "28-000005e2fdc3");
	CHECK_EQ(found.same, 2);
	CHECK_EQ(find(FIND_W1, "28-0000072431ff"), 0);
	CHECK_STR(found.node, "28-0000072431ff");
	CHECK_EQ(found.same, 1);
	CHECK_EQ(find(FIND_W1, "00-100000000000"), -ENODEV);
	CHECK_EQ(find(FIND_W1, "28-0000072431fe"), -ENODEV);
	CHECK(strstr(why.text, "there are 28-0000072431ff, 28-000005e2fdc3"));
	CHECK_EQ(find(FIND_W1, "28"), -ENODEV);
}

static void texts(void)
{
	char text[16], small[4], dir[64];

	snprintf(dir, sizeof dir, "%s", tree_path("/texts"));
	tree_put("/texts/plain", "42\n");
	tree_put("/texts/blanks", " \t4 2 \r\nsecond");
	tree_put("/texts/long", "0123456789abcdef0123");
	tree_put("/texts/empty", "");
	tree_put("/texts/open", "12");
	CHECK_EQ(find_read(dir, "plain", text, sizeof text), 2);
	CHECK_STR(text, "42");
	CHECK_EQ(find_read(dir, "blanks", text, sizeof text), 3);
	CHECK_STR(text, "4 2");
	CHECK_EQ(find_read(dir, "empty", text, sizeof text), 0);
	CHECK_STR(text, "");
	CHECK_EQ(find_read(dir, "open", text, sizeof text), 2);
	CHECK_EQ(find_read(dir, "long", text, sizeof text), -EFBIG);
	CHECK_STR(text, "");
	CHECK_EQ(find_read(dir, "plain", small, 3), 2);
	CHECK_EQ(find_read(dir, "plain", small, 2), -EFBIG);
	CHECK_EQ(find_read(dir, "nowhere", text, sizeof text), -ENOENT);
	CHECK_EQ(find_read(tree, "texts", text, sizeof text), -EISDIR);
	/* Nobody writes: one that waited would never come back. */
	CHECK_EQ(mkfifo(tree_path("/texts/fifo"), 0600), 0);
	CHECK_EQ(find_read(dir, "fifo", text, sizeof text), 0);
	CHECK_EQ(find_write(dir, "fifo", "1"), -ENXIO);

	CHECK_EQ(find_write(dir, "long", "7"), 0);
	CHECK_STR(tree_get("/texts", "long"), "7");
	CHECK_EQ(find_write(dir, "nowhere", "7"), -ENOENT);
	CHECK(!tree_has("/texts/nowhere"));
	CHECK(find_has(dir, "long") && find_has(dir, "") && !find_has(dir, "nowhere"));

	CHECK(find_word("magn_x") && find_word("velocity_sqrt(x^2+y^2+z^2)") && find_word("a.b"));
	CHECK(!find_word("") && !find_word("..") && !find_word("a/b") && !find_word("a b") &&
	      !find_word(".hidden") && !find_word("a\n") && !find_word("\x7f"));
}

static void lists(void)
{
	static const char many[4][FIND_TEXT_MAX] = { "abc", "abd", "abc", "xyz" };
	static const char two[2][FIND_TEXT_MAX] = { "axxdef", "abcde" };
	char text[64];

	tree_put("/list/in_magn_x_en", "");
	tree_put("/list/in_magn_y_en", "");
	tree_put("/list/in_temp_en", "");
	tree_put("/list/in_temp_index", "");
	tree_put("/list/in__en", "");
	find_files(tree_path("/list"), "in_", "_en", true, "magn_z", text, sizeof text);
	CHECK_STR(text, "magn_x, magn_y, temp");
	find_files(tree_path("/list"), "", "_index", false, "x", text, sizeof text);
	CHECK_STR(text, "in_temp_index");
	find_files(tree_path("/list"), "in_", "_en", true, "tem", text, 15);
	CHECK_STR(text, "temp, ...");
	find_files(tree_path("/list"), "out_", "_en", true, "x", text, sizeof text);
	CHECK_STR(text, "none");
	find_files("/nowhere", "", "", true, "x", text, sizeof text);
	CHECK_STR(text, "none");
	find_nearest(text, sizeof text, "xyy", many[0], 4, FIND_TEXT_MAX);
	CHECK_STR(text, "xyz, abc, abd");
	find_nearest(text, sizeof text, "abd", many[0], 4, FIND_TEXT_MAX);
	CHECK_STR(text, "abd, abc, xyz");
	/* A letter more, a letter less, another letter. */
	find_nearest(text, sizeof text, "xyyz", many[0], 4, FIND_TEXT_MAX);
	CHECK_STR(text, "xyz, abc, abd");
	find_nearest(text, sizeof text, "bd", many[0], 4, FIND_TEXT_MAX);
	CHECK_STR(text, "abd, abc, xyz");
	find_nearest(text, sizeof text, "abcdef", two[0], 2, FIND_TEXT_MAX);
	CHECK_STR(text, "abcde, axxdef");
	/* Whatever the room is, it is kept. */
	for (unsigned size = 1; size < 32; size++) {
		memset(text, '#', sizeof text);
		find_nearest(text, size, "abd", many[0], 4, FIND_TEXT_MAX);
		CHECK(memchr(text, '\0', size));
		CHECK_EQ(text[size], '#');
	}
}

/* What a driver or a device tree calls a thing goes to somebody's terminal. */
static void rude_names(void)
{
	tree_device(IIO, "iio:device30", "soc/rude", "name", "\033[2Jboo\a");
	CHECK_EQ(find(FIND_IIO, "?[2Jbo"), -ENODEV);
	CHECK(strstr(why.text, "there are ?[2Jboo?, "));
	tree_put(IIO "/iio:device30/name", "0123456789012345678901234567890123456789"
		 "0123456789012345678901234567890123456789");
	CHECK_EQ(find(FIND_IIO, "0123456789012345678901234567890123456789"), -ENODEV);
	CHECK_EQ(find(FIND_IIO, "dps310"), 0);
}

int main(void)
{
	tree_open();
	CHECK_STR(find_root(), tree);
	nothing();
	names();
	beside();
	chips();
	wires();
	texts();
	lists();
	rude_names();
	unsetenv("SONDE_ROOT");
	CHECK_STR(find_root(), "");
	return 0;
}
