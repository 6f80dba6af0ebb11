// SPDX-License-Identifier: MIT
/*
 * config_wiring: the keys of a [sensor] that say where a wire goes: bus and address,
 * GPIO line, tty.
 */
#include <stdio.h>
#include <string.h>

#include "agent/config_raw.h"

static int word_of(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

static const char *const gpio_modes[] = { "level", "counter", "trigger", NULL };
static const char *const gpio_edges[] = { "rising", "falling", "both", NULL };
static const char *const gpio_biases[] = { "as-is", "pull-up", "pull-down", "disabled", NULL };

void wiring_gpio(struct raw *raw, struct raw_section *section, struct sensor_config *s,
		     const struct sensor_keys *keys)
{
	int mode = *keys->mode ? word_of(gpio_modes, keys->mode) : GPIO_LEVEL;

	if (mode < 0)
		raw_error(raw, key_place(section, "mode"), "mode = %s: must be level, counter or "
			  "trigger", keys->mode);
	memcpy(s->gpio.chip, keys->chip, sizeof s->gpio.chip);
	memcpy(s->gpio.line, keys->line, sizeof s->gpio.line);
	s->gpio.mode = (uint8_t)mode;
	s->gpio.edge = (uint8_t)(*keys->edge ? word_of(gpio_edges, keys->edge)
			: mode == GPIO_LEVEL ? GPIO_BOTH : GPIO_RISING);
	s->gpio.bias = (uint8_t)(*keys->bias ? word_of(gpio_biases, keys->bias) : GPIO_AS_IS);
	s->gpio.active_low = !strcmp(keys->active, "low");
	s->gpio.debounce_s = keys->debounce_s;
}

/* "1" and "0.0" are said of buses as well. */
void wiring_bus(struct raw *raw, struct raw_section *section, struct sensor_config *s,
		    const struct sensor_keys *keys)
{
	unsigned a, b;
	int end = -1;

	memcpy(s->bus, keys->bus, sizeof s->bus);
	if (!strcmp(s->kind, "i2c") && *keys->bus) {
		if (sscanf(keys->bus, "%4u%n", &a, &end) == 1 && end > 0 && !keys->bus[end])
			snprintf(s->bus, sizeof s->bus, "i2c-%u", a);
		else if (sscanf(keys->bus, "i2c-%4u%n", &a, &end) == 1 && !keys->bus[end])
			snprintf(s->bus, sizeof s->bus, "i2c-%u", a);
		else
			raw_error(raw, key_place(section, "bus"), "bus = %s: must read i2c-N, as "
				  "in i2c-1", keys->bus);
		if (!s->address)
			raw_error(raw, &s->at, "[sensor %s] does not say its address: add "
				  "\"address = 0x..\" (sonde sensor probe finds it)", s->name);
	} else if (!strcmp(s->kind, "spi") && *keys->bus) {
		if (sscanf(keys->bus, "%4u.%4u%n", &a, &b, &end) == 2 && end > 0 && !keys->bus[end])
			snprintf(s->bus, sizeof s->bus, "spi%u.%u", a, b);
		else if (sscanf(keys->bus, "spi%4u.%4u%n", &a, &b, &end) == 2 && !keys->bus[end])
			snprintf(s->bus, sizeof s->bus, "spi%u.%u", a, b);
		else
			raw_error(raw, key_place(section, "bus"), "bus = %s: must read spiN.M, as "
				  "in spi0.0", keys->bus);
	}
}

void wiring_serial(struct raw *raw, struct raw_section *section, struct sensor_config *s,
		       const struct sensor_keys *keys)
{
	s->baud = keys->baud;
	if (s->part)
		return;		/* frames: start and checksum are the part's */
	if (strlen(keys->start) >= sizeof s->start)
		raw_error(raw, key_place(section, "start"), "start = %s: longer than %zu bytes",
			  keys->start, sizeof s->start - 1);
	else
		memcpy(s->start, keys->start, sizeof s->start);
	s->nmea = !strcmp(keys->checksum, "nmea");
	if (*keys->checksum && !s->nmea && strcmp(keys->checksum, "none"))
		raw_error(raw, key_place(section, "checksum"), "checksum = %s: must be nmea or none "
			  "for lines of text", keys->checksum);
}
