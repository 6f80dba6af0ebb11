// SPDX-License-Identifier: MIT
/*
 * probe_i2c: I2C buses, their adapters, and what answers on them. What a kernel driver has
 * is learnt from sysfs and not touched. The bus of a PC's mainboard is scanned only when it is
 * named: on it sit clock generators and the memory's EEPROMs, which have been killed so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/probe.h"
#include "agent/cli/probe_bus.h"

#define DEVICES "/sys/bus/i2c/devices"

struct bus {
	char name[16];		/* "i2c-1" */
	char adapter[64];
};

/* {"bus", "adapter", "address"}: where a finding is. */
static int place_json(sd_json_variant **v, const struct bus *b, unsigned address)
{
	return sd_json_buildo(v,
		SD_JSON_BUILD_PAIR_STRING("bus", b->name),
		SD_JSON_BUILD_PAIR_STRING("adapter", b->adapter),
		SD_JSON_BUILD_PAIR_UNSIGNED("address", address));
}

static int set_names(sd_json_variant **v, const char *key, const struct probe *p,
		     const struct part_found *f)
{
	sd_json_variant *list = NULL, *name = NULL;
	int r = sd_json_build(&list, SD_JSON_BUILD_EMPTY_ARRAY);

	for (unsigned i = 0; r >= 0 && i < f->guesses; i++) {
		r = sd_json_variant_new_string(&name, p->part[f->guess[i]].name);
		if (r >= 0)
			r = sd_json_variant_append_array(&list, name);
		name = sd_json_variant_unref(name);
	}
	if (r >= 0)
		r = sd_json_variant_set_field(v, key, list);
	sd_json_variant_unref(list);
	return r;
}

/* A driver has it: which, and as what its values can be read. */
static void taken(struct probe *p, const struct bus *b, unsigned address)
{
	char device[64], driver[64], name[64], as[80] = "", **names;
	sd_json_variant *v = NULL;
	unsigned n;
	int r;

	snprintf(device, sizeof device, DEVICES "/%.10s-%04x", b->name + 4, address);
	if (!probe_link(p, driver, sizeof driver, "%s/driver", device))
		strcpy(driver, "a driver");
	probe_read(p, name, sizeof name, "%s/name", device);
	n = probe_list(p, &names, device, "iio:device", "");
	if (n)
		snprintf(as, sizeof as, "; see IIO below (%.48s)", names[0]);
	else if (probe_has(p, "%s/hwmon", device))
		snprintf(as, sizeof as, "; see hardware monitors below");
	probe_list_free(names, n);
	r = place_json(&v, b, address);
	if (r >= 0)
		r = sd_json_variant_set_field_string(&v, "state", "driver");
	if (r >= 0)
		r = sd_json_variant_set_field_string(&v, "driver", driver);
	if (r >= 0)
		r = sd_json_variant_set_field_string(&v, "name", name);
	probe_add(p, PROBE_I2C, r, v, NULL, "%s 0x%02x: kernel driver %s has it%s%s%s%s", b->name,
		  address, driver, *name ? " (" : "", name, *name ? ")" : "", as);
}

/* A section for part: of registers, or of the driver that is still missing. */
static void section(struct probe *p, const struct bus *b, const struct part *part,
		    unsigned address, char *text, size_t size)
{
	char name[CONFIG_NAME_MAX];
	size_t n;

	probe_name(p, name, part->name, probe_longest(p, part->name));
	if (!strcmp(part->kind, "i2c")) {
		snprintf(text, size, "[sensor %s]\npart = %s\nbus = %s\naddress = 0x%02x\n", name,
			 part->name, b->name, address);
		return;
	}
	n = (size_t)snprintf(text, size, "[sensor %s]\nkind = %s\ndevice = %s\n", name, part->kind,
			     part->driver);
	for (unsigned i = 0; i < part->channels && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, "channel.%s = %s\n",
				      part->channel[i].name, part->channel[i].attribute);
}

static void known(struct probe *p, const struct bus *b, const struct part_found *f)
{
	const struct part *part = &p->part[f->guess[0]];
	bool ours = !strcmp(part->kind, "i2c");
	char text[1024];
	sd_json_variant *v = NULL;
	struct finding *made;
	int r = place_json(&v, b, f->address);

	if (r >= 0)
		r = sd_json_variant_set_field_string(&v, "state", "identified");
	if (r >= 0)
		r = set_names(&v, "parts", p, f);
	section(p, b, part, f->address, text, sizeof text);
	if (ours)
		made = probe_add(p, PROBE_I2C, r, v, text, "%s 0x%02x: %s", b->name, f->address,
				 part->title);
	else
		made = probe_add(p, PROBE_I2C, r, v, text, "%s 0x%02x: %s, which needs its kernel "
				 "driver:\n%s", b->name, f->address, part->title, part->overlay);
	if (made)
		made->ready = ours;
}

static void guessed(struct probe *p, const struct bus *b, const struct part_found *f)
{
	char text[1024], names[256] = "";
	const struct part *first = NULL;
	sd_json_variant *v = NULL;
	struct finding *made;
	size_t n = 0;
	int r = place_json(&v, b, f->address);

	for (unsigned i = 0; i < f->guesses; i++) {
		const struct part *part = &p->part[f->guess[i]];

		if (!first)
			first = part;
		if (n < sizeof names)
			n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "",
					      part->name);
	}
	if (r >= 0)
		r = sd_json_variant_set_field_string(&v, "state",
						     f->guesses ? "guessed" : "unknown");
	if (r >= 0)
		r = set_names(&v, "parts", p, f);
	if (!first) {
		probe_add(p, PROBE_I2C, r, v, NULL, "%s 0x%02x: something answers that the library "
			  "does not know", b->name, f->address);
		return;
	}
	section(p, b, first, f->address, text, sizeof text);
	made = probe_add(p, PROBE_I2C, r, v, text,
		       "%s 0x%02x: something answers. By its address it "
			 "may be: %s", b->name, f->address, names);
	if (made)
		made->ready = false;
}

/* What drivers have, when nothing else of the bus can be seen. */
static void list_taken(struct probe *p, const struct bus *b)
{
	char prefix[24], driver[64], **names;
	unsigned n, address;

	snprintf(prefix, sizeof prefix, "%.10s-", b->name + 4);
	n = probe_list(p, &names, DEVICES, prefix, "");
	for (unsigned i = 0; i < n; i++)
		if (sscanf(names[i] + strlen(prefix), "%4x", &address) == 1 && address <= 0x7f &&
		    probe_link(p, driver, sizeof driver, DEVICES "/%s/driver", names[i]))
			taken(p, b, address);
	probe_list_free(names, n);
}

static void scan(struct probe *p, const struct bus *b)
{
	struct part_found found[PART_SCAN_MAX];
	char path[PATH_MAX];
	struct probe_bus bus;
	unsigned stopped = 0;
	int n = -ENAMETOOLONG;

	if (probe_path(p, path, "/dev/%s", b->name))
		n = probe_bus_open(&bus, path);
	if (!n) {
		n = part_scan(p->part, p->parts, &bus.ops, &bus, found, &stopped);
		probe_bus_close(&bus);
	}
	if (n < 0) {
		probe_remark(p, PROBE_I2C,
			       n == -ENOENT ? "%s (%s): no /dev node: modprobe i2c-dev" :
			     n == -EACCES ? "%s (%s): no permission: be root, or of the group i2c" :
			     "%s (%s): not scanned: %s", b->name, b->adapter, strerror(-n));
		list_taken(p, b);
		return;
	}
	probe_remark(p, PROBE_I2C, "%s (%s): %d address%s in use", b->name, b->adapter, n,
		     n == 1 ? "" : "es");
	for (int i = 0; i < n; i++) {
		if (found[i].answer == PART_TAKEN)
			taken(p, b, found[i].address);
		else if (found[i].answer == PART_KNOWN)
			known(p, b, &found[i]);
		else
			guessed(p, b, &found[i]);
	}
	if (stopped)
		probe_remark(p, PROBE_I2C,
			       "%s: given up at 0x%02x: it takes seconds to answer, as a "
			     "bus does whose lines are held or have no pull-up", b->name, stopped);
}

static void look_at(struct probe *p, const char *name)
{
	struct bus b;
	unsigned number;
	int end = -1;

	if (sscanf(name, "i2c-%5u%n", &number, &end) != 1 || end < 0 || name[end])
		return;
	snprintf(b.name, sizeof b.name, "i2c-%u", number);
	if (!probe_read(p, b.adapter, sizeof b.adapter, DEVICES "/%s/name", name))
		strcpy(b.adapter, "unknown adapter");
	if (!p->bus && !strncmp(b.adapter, "SMBus ", 6)) {
		probe_remark(p, PROBE_I2C,
			       "%s (%s): a mainboard's own; \"sonde sensor probe bus %s\" "
			     "scans it all the same", b.name, b.adapter, b.name);
		list_taken(p, &b);
		return;
	}
	scan(p, &b);
}

bool probe_i2c_bus(const struct probe *p, const char *name)
{
	return !strncmp(name, "i2c-", 4) && name[4] && !name[4 + strspn(name + 4, "0123456789")] &&
	       (probe_has(p, DEVICES "/%s", name) || probe_has(p, "/dev/%s", name));
}

void probe_i2c(struct probe *p)
{
	char **names;
	unsigned n;

	if (p->bus) {
		look_at(p, p->bus);
		return;
	}
	n = probe_list(p, &names, DEVICES, "i2c-", "");
	/* i2c-dev's nodes without sysfs: a container. */
	if (!n)
		n = probe_list(p, &names, "/dev", "i2c-", "");
	for (unsigned i = 0; i < n; i++)
		look_at(p, names[i]);
	if (!n)
		probe_remark(p, PROBE_I2C, "no bus (a Raspberry Pi: dtparam=i2c_arm=on in "
			     "/boot/firmware/config.txt)");
	probe_list_free(names, n);
}
