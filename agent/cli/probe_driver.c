// SPDX-License-Identifier: MIT
/*
 * probe_driver: what the kernel's drivers offer in sysfs: IIO devices, hardware monitors,
 * thermal zones, 1-Wire slaves. They are named in the configuration by what they are called,
 * never by number; where several are called the same, by NAME@PLACE.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/cli/probe.h"

#define CONFIG_MAX 4096
#define DIR_MAX 320
#define CHANNELS_MAX 64
#define CHANNEL_NAME_MAX 24	/* SENSOR.CHANNEL has CONFIG_NAME_MAX - 1 */

/*
 * The device that dir (a link below a class) hangs from, "1-0048", as agent/dev/find.c
 * has it behind an @; "" when there is none.
 */
static void place(const struct probe *p, char text[static 64], const char *dir)
{
	static const char *const grouping[] = { "/hwmon", "/iio", "/thermal" };
	char link[PATH_MAX], real[PATH_MAX], *slash;

	*text = '\0';
	if (!probe_path(p, link, "%s", dir) || readlink(link, real, sizeof real) < 0 ||
	    !realpath(link, real))
		return;
	*strrchr(real, '/') = '\0';
	slash = strrchr(real, '/');
	for (unsigned i = 0; slash && i < sizeof grouping / sizeof *grouping; i++)
		if (!strcmp(slash, grouping[i])) {
			*slash = '\0';
			slash = strrchr(real, '/');
			break;
		}
	if (slash && strcmp(slash, "/devices"))
		snprintf(text, 64, "%.63s", slash + 1);
	cli_utf8(text);
}

/* How many of the devices in list are called name? */
static unsigned called(const struct probe *p, const char *class, char **list, unsigned n,
		       const char *attribute, const char *name)
{
	char other[64];
	unsigned same = 0;

	for (unsigned i = 0; i < n; i++) {
		probe_read(p, other, sizeof other, "%s/%s/%s", class, list[i], attribute);
		same += !strcmp(name, other);
	}
	return same;
}

/* "device = ..." can not say everything that a driver may be called. */
static bool sayable(const char *device)
{
	return *device && !strpbrk(device, "#;");
}

static int names_json(sd_json_variant **v, const char *key, char **names, unsigned n)
{
	sd_json_variant *list = NULL, *name = NULL;
	int r = sd_json_build(&list, SD_JSON_BUILD_EMPTY_ARRAY);

	for (unsigned i = 0; r >= 0 && i < n; i++) {
		r = sd_json_variant_new_string(&name, names[i]);
		if (r >= 0)
			r = sd_json_variant_append_array(&list, name);
		name = sd_json_variant_unref(name);
	}
	if (r >= 0)
		r = sd_json_variant_set_field(v, key, list);
	sd_json_variant_unref(list);
	return r;
}

static size_t longest(char (*names)[CONFIG_NAME_MAX], unsigned n)
{
	size_t most = 0;

	for (unsigned i = 0; i < n; i++)
		if (strlen(names[i]) > most)
			most = strlen(names[i]);
	return most;
}

/* ---- IIO */

/* in_X_en of the buffer, or in_X_input and in_X_raw: the Xs, each once. */
static unsigned iio_channels(struct probe *p, char ***out, const char *dir, bool *buffered)
{
	static const char *const ends[] = { "_en", "_input", "_raw" };
	char elements[DIR_MAX + 16], **names = NULL, **more;
	unsigned n = 0;

	snprintf(elements, sizeof elements, "%s/scan_elements", dir);
	for (unsigned k = 0; k < 3 && !(k && *buffered); k++) {
		char **files;
		unsigned count = probe_list(p, &files, k ? dir : elements, "in_", ends[k]);

		for (unsigned i = 0; i < count; i++) {
			size_t len = strlen(files[i]) - strlen("in_") - strlen(ends[k]);
			bool twice = false;

			memmove(files[i], files[i] + strlen("in_"), len);
			files[i][len] = '\0';
			for (unsigned j = 0; j < n; j++)
				twice |= !strcmp(names[j], files[i]);
			more = twice || !strcmp(files[i], "timestamp") ? NULL :
				reallocarray(names, n + 1, sizeof *names);
			if (more) {
				names = more;
				names[n++] = files[i];
				files[i] = NULL;
			}
		}
		probe_list_free(files, count);
		if (!k)
			*buffered = n;
	}
	*out = names;
	return n;
}

/* A channel's name: the driver's in legal characters; a number for what is too long. */
static void iio_name(char name[static CONFIG_NAME_MAX], const char *channel, unsigned i)
{
	if (strlen(channel) > CHANNEL_NAME_MAX) {
		snprintf(name, CONFIG_NAME_MAX, "channel%u", i);
		return;
	}
	strcpy(name, channel);
	for (char *c = name; *c; c++)
		if (!(*c >= '0' && *c <= '9') && !(*c >= 'a' && *c <= 'z') &&
		    !(*c >= 'A' && *c <= 'Z') && *c != '-')
			*c = '_';
}

static void iio_device(struct probe *p, const char *node, char **all, unsigned devices)
{
	static const char class[] = "/sys/bus/iio/devices";
	char dir[DIR_MAX], name[64], label[64], where[64], trigger[64], section[CONFIG_NAME_MAX];
	char device[160], text[CONFIG_MAX], **channels, called_so[CHANNELS_MAX][CONFIG_NAME_MAX];
	bool buffered = false, hardware;
	sd_json_variant *v = NULL;
	struct finding *f;
	unsigned n;
	size_t at;
	int r;

	snprintf(dir, sizeof dir, "%s/%s", class, node);
	probe_read(p, name, sizeof name, "%s/name", dir);
	probe_read(p, label, sizeof label, "%s/label", dir);
	place(p, where, dir);
	hardware = probe_read(p, trigger, sizeof trigger, "%s/trigger/current_trigger", dir);
	n = iio_channels(p, &channels, dir, &buffered);
	for (unsigned i = 0; i < n && i < CHANNELS_MAX; i++)
		iio_name(called_so[i], channels[i], i);
	if (*label)
		snprintf(device, sizeof device, "%s", label);
	else if (*where && called(p, class, all, devices, "name", name) > 1)
		snprintf(device, sizeof device, "%s@%s", name, where);
	else
		snprintf(device, sizeof device, "%s", name);
	at = (size_t)snprintf(text, sizeof text, "[sensor %s]\nkind = iio\ndevice = %s\n",
			      probe_name(p, section, *label ? label : name,
					 longest(called_so, n < CHANNELS_MAX ? n : CHANNELS_MAX)),
			      device);
	if (hardware)
		at += (size_t)snprintf(text + at, sizeof text - at, "trigger_name = %s\n", trigger);
	else if (buffered && probe_has(p, "%s/trigger", dir))
		at += (size_t)snprintf(text + at, sizeof text - at, "rate = 10 Hz\n");
	for (unsigned i = 0; i < n && i < CHANNELS_MAX && at < sizeof text; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "channel.%s = %s\n",
				       called_so[i], channels[i]);
	r = sd_json_buildo(&v,
		SD_JSON_BUILD_PAIR_STRING("node", node),
		SD_JSON_BUILD_PAIR_STRING("name", name),
		SD_JSON_BUILD_PAIR_STRING("label", label),
		SD_JSON_BUILD_PAIR_STRING("place", where),
		SD_JSON_BUILD_PAIR_BOOLEAN("buffered", buffered),
		SD_JSON_BUILD_PAIR_STRING("trigger", trigger));
	if (r >= 0)
		r = names_json(&v, "channels", channels, n);
	f = probe_add(p, PROBE_IIO, r, v, n ? text : NULL, "%s: %s%s%s, %s%s%s", node,
		      *name ? name : "without a name", *where ? " at " : "", where,
		      !n ? "nothing to read" : buffered ? "buffered" : "polled",
		      hardware ? ", trigger " :
		      buffered ? ", rate: of the trigger that is made" : "",
		      trigger);
	if (f)
		f->ready = sayable(device) && at < sizeof text;
	probe_list_free(channels, n);
}

void probe_iio(struct probe *p)
{
	char **names;
	unsigned n = probe_list(p, &names, "/sys/bus/iio/devices", "iio:device", "");

	for (unsigned i = 0; i < n; i++)
		iio_device(p, names[i], names, n);
	probe_list_free(names, n);
}

/* ---- hardware monitors */

/* tempN_input, inN_input ...: what hwmon's ABI calls a reading. */
static bool is_reading(const char *file)
{
	static const char *const kinds[] = {
		"temp", "in", "curr", "power", "fan", "humidity", "energy",
	};

	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		size_t n = strlen(kinds[i]);

		if (!strncmp(file, kinds[i], n) && file[n] >= '0' && file[n] <= '9' &&
		    !strcmp(file + n + strspn(file + n, "0123456789"), "_input"))
			return true;
	}
	return false;
}

/* A channel's name: its label in legal characters, or the attribute without _input. */
static void channel_name(const struct probe *p, char name[static CONFIG_NAME_MAX], const char *dir,
			 const char *file)
{
	int stem = (int)(strlen(file) - strlen("_input"));
	unsigned n = 0;
	char label[64];

	probe_read(p, label, sizeof label, "%s/%.*s_label", dir, stem, file);
	for (const char *c = label; *c && n < 14; c++) {
		if (*c >= 'A' && *c <= 'Z')
			name[n++] = (char)(*c - 'A' + 'a');
		else if ((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9'))
			name[n++] = *c;
		else if (n && name[n - 1] != '_')
			name[n++] = '_';
	}
	while (n && name[n - 1] == '_')
		n--;
	name[n] = '\0';
	if (!n)
		snprintf(name, CONFIG_NAME_MAX, "%.*s", stem > 14 ? 14 : stem, file);
}

static void hwmon_device(struct probe *p, const char *node, char **all, unsigned devices)
{
	static const char class[] = "/sys/class/hwmon";
	char dir[DIR_MAX], name[64], where[64], section[CONFIG_NAME_MAX], device[160];
	char text[CONFIG_MAX], **files, channel[CHANNELS_MAX][CONFIG_NAME_MAX];
	sd_json_variant *v = NULL;
	struct finding *f;
	unsigned count, n = 0;
	size_t at;
	int r;

	snprintf(dir, sizeof dir, "%s/%s", class, node);
	if (!probe_read(p, name, sizeof name, "%s/name", dir))
		return;
	place(p, where, dir);
	snprintf(device, sizeof device, *where &&
		 called(p, class, all, devices, "name", name) > 1 ? "%s@%s" : "%s", name, where);
	count = probe_list(p, &files, dir, "", "_input");
	for (unsigned i = 0; i < count; i++) {
		if (is_reading(files[i]) && n < CHANNELS_MAX) {
			char *file = files[n];

			files[n] = files[i];
			files[i] = file;
			n++;
		}
	}
	for (unsigned i = 0; i < n; i++) {
		channel_name(p, channel[i], dir, files[i]);
		for (unsigned k = 0; k < i; k++)
			if (!strcmp(channel[k], channel[i]))
				snprintf(channel[i], sizeof channel[i], "%.*s",
					 (int)(strlen(files[i]) - strlen("_input")), files[i]);
	}
	at = !n ? 0 : (size_t)snprintf(text, sizeof text,
				       "[sensor %s]\nkind = hwmon\ndevice = %s\n",
				       probe_name(p, section, name, longest(channel, n)), device);
	for (unsigned i = 0; i < n && at < sizeof text; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "channel.%s = %s\n", channel[i],
				       files[i]);
	r = sd_json_buildo(&v,
		SD_JSON_BUILD_PAIR_STRING("node", node),
		SD_JSON_BUILD_PAIR_STRING("name", name),
		SD_JSON_BUILD_PAIR_STRING("place", where));
	if (r >= 0)
		r = names_json(&v, "attributes", files, n);
	f = probe_add(p, PROBE_HWMON, r, v, n ? text : NULL, "%s: %s%s%s%s", node, name,
		      *where ? " at " : "", where, n ? "" : ", nothing to read");
	if (f)
		f->ready = sayable(device) && at < sizeof text;
	probe_list_free(files, count);
}

void probe_hwmon(struct probe *p)
{
	char **names;
	unsigned n = probe_list(p, &names, "/sys/class/hwmon", "hwmon", "");

	for (unsigned i = 0; i < n; i++)
		hwmon_device(p, names[i], names, n);
	probe_list_free(names, n);
}

/* ---- thermal zones, 1-Wire */

void probe_thermal(struct probe *p)
{
	char type[64], text[256], section[CONFIG_NAME_MAX], **names;
	unsigned n = probe_list(p, &names, "/sys/class/thermal", "thermal_zone", "");

	for (unsigned i = 0; i < n; i++) {
		sd_json_variant *v = NULL;
		struct finding *f;
		unsigned same;
		int r;

		if (!probe_read(p, type, sizeof type, "/sys/class/thermal/%s/type", names[i]))
			continue;
		same = called(p, "/sys/class/thermal", names, n, "type", type);
		snprintf(text, sizeof text, "[sensor %s]\nkind = thermal\ndevice = %s\n",
			 probe_name(p, section, type, 0), type);
		r = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("node", names[i]),
			SD_JSON_BUILD_PAIR_STRING("type", type));
		f = probe_add(p, PROBE_THERMAL, r, v, text, "%s: %s%s", names[i], type, same > 1 ?
			      ": several zones have this type, and the first is read" : "");
		if (f)
			f->ready = sayable(type) && same == 1;
	}
	probe_list_free(names, n);
}

void probe_w1(struct probe *p)
{
	char text[256], section[CONFIG_NAME_MAX], **names;
	unsigned n = probe_list(p, &names, "/sys/bus/w1/devices", "", "");

	for (unsigned i = 0; i < n; i++) {
		sd_json_variant *v = NULL;
		bool thermometer;
		int r;

		if (!strncmp(names[i], "w1_bus_master", 13))
			continue;
		thermometer = probe_has(p, "/sys/bus/w1/devices/%s/temperature", names[i]);
		if (thermometer)
			snprintf(text, sizeof text, "[sensor %s]\nkind = w1\ndevice = %s\n",
				 probe_name(p, section, names[i], 0), names[i]);
		r = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("id", names[i]),
			SD_JSON_BUILD_PAIR_BOOLEAN("thermometer", thermometer));
		probe_add(p, PROBE_W1, r, v, thermometer ? text : NULL, "%s: %s", names[i],
			  thermometer ? "thermometer" : "not a thermometer that the kernel knows");
	}
	probe_list_free(names, n);
}
