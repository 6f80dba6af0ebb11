// SPDX-License-Identifier: MIT
/*
 * probe: what is attached to this board, printed as configuration: paste it into a file,
 * take out what is not wanted. What can be read as it stands is printed as a section; where
 * somebody has to choose (an address that fits several parts, a tty of which nobody knows what
 * is behind it) the section is commented out. Finding nothing is an answer, not a failure.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/probe.h"
#include "kernels/why.h"

#define NAME_LONG 16	/* what nobody wants to type is longer */
#define NAME_MIN 6	/* room for a number, whatever the channels are called */

static const struct {
	const char *name, *title;
	void (*look)(struct probe *p);
} groups[PROBE_GROUPS] = {
	[PROBE_I2C] = { "i2c", "I2C buses", probe_i2c },
	[PROBE_IIO] = { "iio", "IIO devices", probe_iio },
	[PROBE_HWMON] = { "hwmon", "hardware monitors", probe_hwmon },
	[PROBE_THERMAL] = { "thermal", "thermal zones", probe_thermal },
	[PROBE_W1] = { "w1", "1-Wire", probe_w1 },
	[PROBE_GPIO] = { "gpio", "GPIO chips", probe_gpio },
	[PROBE_SPI] = { "spi", "SPI", probe_spi },
	[PROBE_SERIAL] = { "serial", "serial ports", probe_serial },
};

static struct finding *add(struct probe *p, enum probe_group group, const char *what, va_list ap)
{
	struct finding *f = reallocarray(p->found, p->n + 1, sizeof *f);
	char *text;

	if (!f) {
		p->err = -ENOMEM;
		return NULL;
	}
	p->found = f;
	f += p->n;
	if (vasprintf(&text, what, ap) < 0) {
		p->err = -ENOMEM;
		return NULL;
	}
	*f = (struct finding){ .group = group, .what = text };
	p->n++;
	return f;
}

struct finding *probe_add(struct probe *p, enum probe_group group, int r, sd_json_variant *json,
			  const char *config, const char *what, ...)
{
	struct finding *f;
	va_list ap;

	va_start(ap, what);
	f = add(p, group, what, ap);
	va_end(ap);
	if (r < 0)
		p->err = r;
	if (!f) {
		sd_json_variant_unref(json);
		return NULL;
	}
	f->json = json;
	if (config) {
		f->config = strdup(config);
		f->ready = true;
		if (!f->config)
			p->err = -ENOMEM;
	}
	return f;
}

void probe_remark(struct probe *p, enum probe_group group, const char *what, ...)
{
	struct finding *f;
	va_list ap;

	va_start(ap, what);
	f = add(p, group, what, ap);
	va_end(ap);
	if (f)
		f->remark = true;
}

static bool given_away(const struct probe *p, const char *name)
{
	for (unsigned i = 0; i < p->names; i++)
		if (!strcmp(p->name[i], name))
			return true;
	return false;
}

const char *probe_name(struct probe *p, char name[static CONFIG_NAME_MAX], const char *base,
		       size_t channel)
{
	char (*names)[CONFIG_NAME_MAX], suffix[16] = "";
	size_t room = CONFIG_NAME_MAX - 1 - (channel ? channel + 1 : 0), n = 0, most;

	if (channel > CONFIG_NAME_MAX - NAME_MIN - 2)
		room = NAME_MIN;
	for (; base[n] && n < NAME_LONG && n < room; n++) {
		char c = base[n];

		name[n] = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			  (c >= 'A' && c <= 'Z') || c == '-' ? c : '_';
	}
	name[n] = '\0';
	if (!n)
		n = (size_t)sprintf(name, "sensor");
	for (unsigned i = 2; given_away(p, name); i++) {
		most = room - (size_t)snprintf(suffix, sizeof suffix, "_%u", i);
		strcpy(name + (n < most ? n : most), suffix);
	}
	names = reallocarray(p->name, p->names + 1, sizeof *names);
	if (!names) {
		p->err = -ENOMEM;
		return name;
	}
	p->name = names;
	strcpy(names[p->names++], name);
	return name;
}

size_t probe_longest(const struct probe *p, const char *part)
{
	size_t longest = 0;

	for (unsigned i = 0; i < p->parts; i++) {
		for (unsigned k = 0; k < p->part[i].channels; k++) {
			size_t n = strlen(p->part[i].channel[k].name);

			if (!strcmp(p->part[i].name, part) && n > longest)
				longest = n;
		}
	}
	return longest;
}

static void load_library(struct probe *p)
{
	const char *dir = getenv("SONDE_SENSORS_DIR");
	char **names;
	struct why why;
	unsigned n;

	if (!dir || !*dir)
		dir = CONFIG_SENSORS_DIR;
	if (part_list(&names, &n, dir, &why)) {
		probe_remark(p, PROBE_I2C,
			       "no sensor library, so nothing is recognised: %s", why.text);
		return;
	}
	p->part = calloc(n ? n : 1, sizeof *p->part);
	if (!p->part)
		p->err = -ENOMEM;
	for (unsigned i = 0; p->part && i < n; i++) {
		if (part_load(&p->part[p->parts], dir, names[i], &why))
			probe_remark(p, PROBE_I2C, "%s", why.text);
		else
			p->parts++;
	}
	part_list_free(names, n);
}

/* Every line of text behind a mark. */
static void print_lines(const char *mark, const char *text)
{
	while (*text) {
		int n = (int)strcspn(text, "\n");

		printf("%s%.*s\n", mark, n, text);
		text += n;
		text += *text == '\n';
	}
}

static void print_text(const struct probe *p)
{
	unsigned things = 0;
	bool gap = false, begun = false;

	for (unsigned g = 0; g < PROBE_GROUPS; g++) {
		bool titled = false;

		for (unsigned i = 0; i < p->n; i++) {
			const struct finding *f = &p->found[i];

			if (f->group != g)
				continue;
			if (!titled)
				printf("%s# ---- %s\n", begun ? "\n" : "", groups[g].title);
			else if (gap || f->config)
				printf("\n");
			titled = begun = true;
			print_lines("# ", f->what);
			if (f->config)
				print_lines(f->ready ? "" : "#", f->config);
			gap = f->config;
			things += !f->remark;
		}
	}
	if (!things)
		printf("%s# Nothing that could be read as a sensor was found.\n", p->n ? "\n" : "");
}

static int finding_json(const struct finding *f, sd_json_variant **list)
{
	sd_json_variant *v = sd_json_variant_ref(f->json);
	int r = 0;

	if (!v)
		r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_BOOLEAN("remark", true));
	if (r >= 0)
		r = sd_json_variant_set_field_string(&v, "what", cli_utf8(f->what));
	if (r >= 0 && f->config)
		r = sd_json_variant_set_field_boolean(&v, "ready", f->ready);
	if (r >= 0 && f->config)
		r = sd_json_variant_set_field_string(&v, "config", cli_utf8(f->config));
	if (r >= 0)
		r = sd_json_variant_append_array(list, v);
	sd_json_variant_unref(v);
	return r;
}

static int print_json(struct probe *p)
{
	sd_json_variant *v = NULL, *list = NULL;
	int r = sd_json_build(&v, SD_JSON_BUILD_EMPTY_OBJECT);

	for (unsigned g = 0; r >= 0 && g < PROBE_GROUPS; g++) {
		r = sd_json_build(&list, SD_JSON_BUILD_EMPTY_ARRAY);
		for (unsigned i = 0; r >= 0 && i < p->n; i++)
			if (p->found[i].group == g)
				r = finding_json(&p->found[i], &list);
		if (r >= 0)
			r = sd_json_variant_set_field(&v, groups[g].name, list);
		list = sd_json_variant_unref(list);
	}
	return cli_json(p->c, r, &v);
}

int sensor_probe(struct cli *c, int argc, char **argv)
{
	const char *root = getenv("SONDE_ROOT");
	struct probe p = { .c = c, .root = root ? root : "", .bus = cli_value(c, "bus") };
	int r = CLI_OK;

	if (p.bus && !probe_i2c_bus(&p, p.bus))
		return cli_error(c, "there is no I2C bus %s", p.bus);
	load_library(&p);
	for (unsigned g = 0; g < PROBE_GROUPS; g++)
		if (!p.bus || g == PROBE_I2C)
			groups[g].look(&p);
	if (p.err)
		r = cli_error(c, "%s", strerror(-p.err));
	else if (c->format != CLI_TEXT)
		r = print_json(&p);
	else
		print_text(&p);
	for (unsigned i = 0; i < p.n; i++) {
		free(p.found[i].what);
		free(p.found[i].config);
		sd_json_variant_unref(p.found[i].json);
	}
	free(p.found);
	free(p.name);
	free(p.part);
	return r;
}
