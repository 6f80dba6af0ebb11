// SPDX-License-Identifier: MIT
/*
 * probe_gpio: GPIO chips and their lines, through libgpiod. A line is never requested: that
 * could change its direction. Whether a line is a sensor nobody can see, so there is one section
 * a chip to be filled in, and a list of the lines that have names and no owner.
 */
#include <errno.h>
#include <gpiod.h>
#include <string.h>

#include "agent/cli/probe.h"

#define LINES_SHOWN 64

static const char *text_of(char *copy, size_t size, const char *s)
{
	snprintf(copy, size, "%s", s ? s : "");
	return cli_utf8(copy);
}

static int line_json(sd_json_variant **list, struct gpiod_line_info *line)
{
	char name[64], consumer[64];

	return sd_json_variant_append_arraybo(list,
		SD_JSON_BUILD_PAIR_UNSIGNED("offset", gpiod_line_info_get_offset(line)),
		SD_JSON_BUILD_PAIR_STRING("name", text_of(name, sizeof name,
							  gpiod_line_info_get_name(line))),
		SD_JSON_BUILD_PAIR_BOOLEAN("used", gpiod_line_info_is_used(line)),
		SD_JSON_BUILD_PAIR_STRING("consumer", text_of(consumer, sizeof consumer,
							      gpiod_line_info_get_consumer(line))),
		SD_JSON_BUILD_PAIR_BOOLEAN("output", gpiod_line_info_get_direction(line) ==
					   GPIOD_LINE_DIRECTION_OUTPUT));
}

struct lines {
	sd_json_variant *json;
	char names[1024];	/* of those that are free, a blank between */
	char first[64];		/* a free one, by name; "" : none has a name */
	unsigned named, used;
	int r;
};

static void look_at_lines(struct gpiod_chip *chip, size_t count, struct lines *l)
{
	size_t at = 0;

	*l = (struct lines){ .json = NULL };
	l->r = sd_json_build(&l->json, SD_JSON_BUILD_EMPTY_ARRAY);
	for (size_t i = 0; i < count && l->r >= 0; i++) {
		struct gpiod_line_info *line = gpiod_chip_get_line_info(chip, (unsigned)i);
		char name[64];

		if (!line)
			continue;
		text_of(name, sizeof name, gpiod_line_info_get_name(line));
		l->named += *name != '\0';
		l->used += gpiod_line_info_is_used(line);
		if (*name && !gpiod_line_info_is_used(line) && !strpbrk(name, "#;")) {
			if (!*l->first)
				strcpy(l->first, name);
			if (at < sizeof l->names)
				at += (size_t)snprintf(l->names + at, sizeof l->names - at, "%s%s",
						       at ? " " : "", name);
		}
		l->r = line_json(&l->json, line);
		gpiod_line_info_free(line);
	}
}

static void chip_found(struct probe *p, struct gpiod_chip *chip, struct gpiod_chip_info *info)
{
	char name[64], label[64], section[CONFIG_NAME_MAX], text[256], chosen[160] = "";
	sd_json_variant *v = NULL;
	size_t count = gpiod_chip_info_get_num_lines(info);
	struct finding *f;
	struct lines l;
	int r;

	text_of(name, sizeof name, gpiod_chip_info_get_name(info));
	text_of(label, sizeof label, gpiod_chip_info_get_label(info));
	look_at_lines(chip, count, &l);
	r = l.r < 0 ? l.r : sd_json_buildo(&v,
		SD_JSON_BUILD_PAIR_STRING("chip", name),
		SD_JSON_BUILD_PAIR_STRING("label", label),
		SD_JSON_BUILD_PAIR_UNSIGNED("lines", count),
		SD_JSON_BUILD_PAIR_VARIANT("line", l.json));
	sd_json_variant_unref(l.json);
	if (*l.first)
		snprintf(chosen, sizeof chosen, "line = %s", l.first);
	else
		snprintf(chosen, sizeof chosen, "chip = %s\nline = 0", *label ? label : name);
	snprintf(text, sizeof text, "[sensor %s]\nkind = gpio\n%s\nmode = level\n",
		 probe_name(p, section, *l.first ? l.first : "line", 0), chosen);
	f = probe_add(p, PROBE_GPIO, r, v, text,
		       "%s (%s): %zu lines, %u named, %u in use%s%s", name,
		      label, count, l.named, l.used,
		       *l.names ? "; free and named:\n" : "", l.names);
	if (f)
		f->ready = false;
}

void probe_gpio(struct probe *p)
{
	char path[PATH_MAX], **names;
	unsigned n = probe_list(p, &names, "/dev", "gpiochip", "");

	for (unsigned i = 0; i < n; i++) {
		struct gpiod_chip_info *info = NULL;
		struct gpiod_chip *chip = NULL;

		errno = ENAMETOOLONG;
		if (probe_path(p, path, "/dev/%s", names[i]))
			chip = gpiod_chip_open(path);
		if (chip)
			info = gpiod_chip_get_info(chip);
		if (info)
			chip_found(p, chip, info);
		else
			probe_remark(p, PROBE_GPIO, errno == EACCES ?
				     "%s: no permission: be root, or of the group gpio" : "%s: %s",
				     names[i], strerror(errno));
		if (info)
			gpiod_chip_info_free(info);
		if (chip)
			gpiod_chip_close(chip);
	}
	probe_list_free(names, n);
}
