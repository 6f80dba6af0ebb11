/* SPDX-License-Identifier: MIT */
/* report_torch: what import and export did with each tensor of a state dict. */
#ifndef SONDE_TRAIN_REPORT_TORCH_H
#define SONDE_TRAIN_REPORT_TORCH_H

#include <stdbool.h>
#include <stdint.h>

struct import_report;
struct model;
struct st_file;
struct torch_map;

struct report_torch {
	const char *state;		/* paths: of the state dict, */
	const char *model;		/* of the model, */
	const char *recording, *like;	/* and of what it was made from; or NULL */
	uint64_t bytes;			/* of what was written */
};

int report_import(const struct model *m, const struct st_file *f, const struct torch_map *map,
		  const struct import_report *r, const struct report_torch *from, bool json);
int report_export(const struct model *m, const struct st_file *f, const struct report_torch *from,
		  bool json);

#endif
