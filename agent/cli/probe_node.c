// SPDX-License-Identifier: MIT
/*
 * probe_node: SPI chip selects and serial ports. Neither can be asked what is behind it: bytes
 * sent to an unknown SPI chip may erase it, and a serial sensor speaks when it likes. So the
 * nodes are listed, and the parts of the library that could be meant.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/cli/probe.h"

/* Names of the library's parts of a kind, ", " between; the first one. */
static const char *parts_of(const struct probe *p, const char *kind, char *names, size_t size)
{
	const char *first = NULL;
	size_t n = 0;

	*names = '\0';
	for (unsigned i = 0; i < p->parts; i++) {
		if (strcmp(p->part[i].kind, kind))
			continue;
		if (n < size)
			n += (size_t)snprintf(names + n, size - n, "%s%s", first ? ", " : "",
					      p->part[i].name);
		if (!first)
			first = p->part[i].name;
	}
	return first;
}

void probe_spi(struct probe *p)
{
	char text[256], section[CONFIG_NAME_MAX], parts[256], **names;
	const char *first = parts_of(p, "spi", parts, sizeof parts);
	unsigned n = probe_list(p, &names, "/dev", "spidev", "");

	for (unsigned i = 0; i < n; i++) {
		unsigned bus, select;
		sd_json_variant *v = NULL;
		struct finding *f;
		int end = -1, r;

		if (sscanf(names[i], "spidev%4u.%4u%n", &bus, &select, &end) != 2 || end < 0 ||
		    names[i][end])
			continue;
		r = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("node", names[i]),
			SD_JSON_BUILD_PAIR_UNSIGNED("bus", bus),
			SD_JSON_BUILD_PAIR_UNSIGNED("select", select));
		if (first)
			snprintf(text, sizeof text, "[sensor %s]\npart = %s\nbus = spi%u.%u\n",
				 probe_name(p, section, first, probe_longest(p, first)), first, bus,
				 select);
		f = probe_add(p, PROBE_SPI, r, v, first ? text : NULL,
			       "/dev/%s: what is behind it can "
			      "not be asked%s%s", names[i],
			       first ? "; the library has " : "", parts);
		if (f)
			f->ready = false;
	}
	probe_list_free(names, n);
}

/* Of ttyS* the kernel makes more than there are: an unknown UART is none. */
static bool is_port(const struct probe *p, const char *tty)
{
	char type[16];

	if (strncmp(tty, "ttyS", 4))
		return true;
	return !probe_read(p, type, sizeof type, "/sys/class/tty/%s/type", tty) ||
	       strcmp(type, "0");
}

static bool is_console(const struct probe *p, const char *tty)
{
	char text[256], *save;

	probe_read(p, text, sizeof text, "/sys/class/tty/console/active");
	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		if (!strcmp(word, tty))
			return true;
	return false;
}

static void port(struct probe *p, const char *tty, const char *stable)
{
	char text[512], section[CONFIG_NAME_MAX], parts[256], path[160];
	const char *part = parts_of(p, "serial", parts, sizeof parts);
	bool console = is_console(p, tty);
	sd_json_variant *v = NULL;
	struct finding *f;
	int r;

	snprintf(path, sizeof path, "/dev/%s%s", *stable ? "serial/by-id/" : "",
		 *stable ? stable : tty);
	snprintf(text, sizeof text, "[sensor %s]\npath = %s\n%s%s\n",
		 probe_name(p, section, tty, part ? probe_longest(p, part) : strlen("altitude")),
		 path, part ? "part = " :
		 "kind = serial\nbaud = 9600\nstart = $GPGGA\nchannel.altitude = 9, unit = m",
		 part ? part : "");
	r = sd_json_buildo(&v,
		SD_JSON_BUILD_PAIR_STRING("tty", tty),
		SD_JSON_BUILD_PAIR_STRING("path", path),
		SD_JSON_BUILD_PAIR_BOOLEAN("console", console));
	f = probe_add(p, PROBE_SERIAL, r, v, console ? NULL : text, "/dev/%s%s%s%s%s", tty,
		      console ? ": the console" : ": lines of text (kind = serial)",
		      console || !part ? "" : ", or frames of ", console ? "" : parts,
		      console || !*stable ? "" : "; a name that stays is given");
	if (f) {
		f->ready = false;
		f->remark = console;
	}
}

/* The name below /dev/serial/by-id that leads to tty; "" when it has none. */
static void stable_name(const struct probe *p, char **links, unsigned n, const char *tty,
			char *text, size_t size)
{
	char target[64];

	*text = '\0';
	for (unsigned i = 0; i < n; i++)
		if (probe_link(p, target, sizeof target, "/dev/serial/by-id/%s", links[i]) &&
		    !strcmp(target, tty) && strlen(links[i]) < size && !strpbrk(links[i], "#;"))
			strcpy(text, links[i]);
}

void probe_serial(struct probe *p)
{
	static const char *const prefixes[] = { "ttyUSB", "ttyACM", "ttyAMA", "ttyS", "ttymxc" };
	char **names, **links, stable[128];
	unsigned n, linked = probe_list(p, &links, "/dev/serial/by-id", "", "");

	for (unsigned k = 0; k < sizeof prefixes / sizeof *prefixes; k++) {
		n = probe_list(p, &names, "/dev", prefixes[k], "");
		for (unsigned i = 0; i < n; i++) {
			if (!is_port(p, names[i]))
				continue;
			stable_name(p, links, linked, names[i], stable, sizeof stable);
			port(p, names[i], stable);
		}
		probe_list_free(names, n);
	}
	probe_list_free(links, linked);
}
