// SPDX-License-Identifier: MIT
/* report: what all reports share; see report.h. */
#include "models/train/report.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-json.h>

#include "models/model.h"

uint64_t report_file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

double report_day_limit(const struct model *m)
{
	return (double)tail_score(&m->tail, logf((float)(m->rate_hz * 86400)));
}

int report_put(sd_json_variant *v, int err)
{
	if (err >= 0)
		err = sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	sd_json_variant_unref(v);
	return err < 0 ? err : 0;
}

/* Characters alone: numbers are read and written the same everywhere. */
bool report_unicode(void)
{
	return setlocale(LC_CTYPE, "") && !strcmp(nl_langinfo(CODESET), "UTF-8");
}

const char *report_kernel(const struct model *m, enum fc_kind kind)
{
	static const char *const name[FC_KINDS] = { "xnnpack", "xnnpack-subgraph", "reference" };

	return m->spec.linear.weight ? name[kind] : "float";
}

const char *report_bytes(char text[REPORT_BYTES], double bytes)
{
	if (bytes < 1e3)
		snprintf(text, REPORT_BYTES, "%.0f B", bytes);
	else if (bytes < 1e6)
		snprintf(text, REPORT_BYTES, "%.1f kB", bytes / 1e3);
	else
		snprintf(text, REPORT_BYTES, "%.1f MB", bytes / 1e6);
	return text;
}
