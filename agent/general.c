// SPDX-License-Identifier: MIT
/* general: see general.h. */
#include "agent/general.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/frame.h"
#include "models/expand.h"

#define MEASURE_S 60.0
#define FILE_NAME "general.safetensors"

unsigned general_online(double rate_hz)
{
	return (unsigned)ceil(fmin(MEASURE_S * rate_hz, 1e6));
}

int general_expand(struct model *m, const struct pipeline_config *c, struct why *why)
{
	const char *name[FRAME_CHANNELS_MAX];
	unsigned n = c->channels < FRAME_CHANNELS_MAX ? c->channels : FRAME_CHANNELS_MAX;

	for (unsigned i = 0; i < n; i++)
		name[i] = config_channel(c, i)->name;
	return model_expand(m, name, n, c->rate_hz, general_online(c->rate_hz), why);
}

bool general_path(const struct config *c, char *path, size_t size)
{
	const char *end = strrchr(c->sensors_dir, '/');
	char found[CONFIG_PATH_MAX + sizeof FILE_NAME];

	if (!end || *c->trusted_keys || *c->trusted_key)
		return false;
	snprintf(found, sizeof found, "%.*s/" FILE_NAME, (int)(end - c->sensors_dir), c->sensors_dir);
	if (access(found, R_OK) || strlen(found) >= size)
		return false;
	strcpy(path, found);
	return true;
}
