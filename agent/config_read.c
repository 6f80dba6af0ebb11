// SPDX-License-Identifier: MIT
/*
 * config_read: the text of one configuration file into raw sections and keys.
 *
 * inih splits keys from values and takes comments off; it neither tells the
 * handler of an empty section nor of more than one bad line. The reader that
 * feeds it a line at a time therefore keeps the line number, opens the sections
 * itself, and judges each line once inih has had it: what was no comment, no
 * section and did not reach the handler is a mistake.
 */
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_raw.h"
#include "kernels/why.h"

static const char *const section_kinds[] = { "agent", "pipeline", "sensor", "output", NULL };

struct reading {
	struct raw *raw;
	FILE *file;
	struct config_place at;
	char *line;		/* getline's */
	size_t size;
	bool pending;		/* the line must still reach the handler */
	bool skip;		/* in a section that was refused */
	int err;
};

static void raw_report(struct raw *raw, bool error, const struct config_place *at,
		       const char *format, va_list ap)
{
	char text[RAW_TEXT_MAX + 512];
	int n;

	n = at->line ? snprintf(text, sizeof text, "%s:%d: ", at->file, at->line)
		     : snprintf(text, sizeof text, "%s: ", at->file);
	if (n >= 0 && (size_t)n < sizeof text)
		vsnprintf(text + n, sizeof text - n, format, ap);
	raw->errors += error;
	raw->report(raw->user, error, text);
}

void raw_error(struct raw *raw, const struct config_place *at, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	raw_report(raw, true, at, format, ap);
	va_end(ap);
}

void raw_missing(struct raw *raw, const struct config_place *at, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	raw_report(raw, raw->strict, at, format, ap);
	va_end(ap);
}

/* The text without the blanks around it, in place. */
static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t\r\n\f\v");
	end = s + strlen(s);
	while (end > s && strchr(" \t\r\n\f\v", end[-1]))
		end--;
	*end = '\0';
	return s;
}

static struct raw_section *section_find(struct raw *raw, const char *kind, const char *name)
{
	for (unsigned i = 0; i < raw->sections; i++)
		if (!strcmp(raw->section[i].kind, kind) && !strcmp(raw->section[i].name, name))
			return &raw->section[i];
	return NULL;
}

/* Is [kind name] one that may begin here? Says why not. */
static bool section_check(struct reading *r, const char *kind, const char *name)
{
	const char *guess = nearest(kind, section_kinds);
	const struct raw_section *twin;
	struct why why;

	if (!guess || strcmp(guess, kind)) {
		raw_error(r->raw, &r->at, "[%s%s%s]: no such section; %s%s%s", kind,
			  *name ? " " : "", name, guess ? "did you mean [" :
			  "there are [agent], [pipeline NAME], [sensor NAME] and [",
			  guess ? guess : "output NAME", guess ? "]?" : "]");
		return false;
	}
	if (!strcmp(kind, "agent")) {
		if (*name) {
			raw_error(r->raw, &r->at, "[agent %s]: there is one agent; it has no name",
				  name);
			return false;
		}
	} else if (!*name) {
		raw_error(r->raw, &r->at, "[%s]: a %s needs a name: [%s NAME]", kind, kind, kind);
		return false;
	} else if (name_check(name, false, &why)) {
		raw_error(r->raw, &r->at, "[%s %s]: %s", kind, name, why.text);
		return false;
	}
	twin = section_find(r->raw, kind, name);
	if (twin && *name) {
		raw_error(r->raw, &r->at, "[%s %s]: there is one already, at %s:%d", kind, name,
			  twin->at.file, twin->at.line);
		return false;
	}
	return true;
}

static int section_open(struct reading *r, char *text)
{
	struct raw *raw = r->raw;
	struct raw_section *s;
	char *name = text + strcspn(text, " \t");

	if (*name)
		*name++ = '\0';
	name = trim(name);
	r->skip = !section_check(r, text, name);
	if (r->skip)
		return 0;
	s = reallocarray(raw->section, raw->sections + 1, sizeof *s);
	if (!s)
		return -ENOMEM;
	raw->section = s;
	s += raw->sections;
	*s = (struct raw_section){ .kind = strdup(text), .name = strdup(name), .at = r->at };
	raw->sections++;
	return s->kind && s->name ? 0 : -ENOMEM;
}

/* inih has had the last line: was it one that says something, and said nothing? */
static void judge(struct reading *r)
{
	if (!r->pending)
		return;
	r->pending = false;
	raw_error(r->raw, &r->at, "\"%s\": neither a [section] nor \"key = value\"",
		  trim(r->line));
}

/* Is s[n] UTF-8? Names and units go into JSON, which takes nothing else (RFC 3629, section 4). */
static bool is_utf8(const unsigned char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned more = s[i] < 0x80 ? 0 : s[i] >= 0xf0 ? 3 : s[i] >= 0xe0 ? 2 : 1;
		unsigned long c = more ? s[i] & (0x3fu >> more) : s[i];

		if ((s[i] >= 0x80 && s[i] < 0xc2) || s[i] > 0xf4 || more >= n - i)
			return false;
		for (unsigned k = 0; k < more; k++) {
			if ((s[++i] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (s[i] & 0x3f);
		}
		/* Too long an encoding, a surrogate, or beyond Unicode. */
		if ((more == 2 && c < 0x800) || (more == 3 && (c < 0x10000 || c > 0x10ffff)) ||
		    (c >= 0xd800 && c <= 0xdfff))
			return false;
	}
	return true;
}

/* inih's reader, in the manner of fgets. A line that is bad in itself goes in as an empty one. */
static char *read_line(char *buffer, int size, void *user)
{
	struct reading *r = user;
	ssize_t length;
	char *text, *end;

	judge(r);
	length = r->err ? -1 : getline(&r->line, &r->size, r->file);
	if (length < 0)
		return NULL;
	r->at.line++;
	strcpy(buffer, "\n");
	if (memchr(r->line, '\0', length)) {
		raw_error(r->raw, &r->at, "a NUL byte: this is no text");
		return buffer;
	}
	if (!is_utf8((unsigned char *)r->line, length)) {
		raw_error(r->raw, &r->at, "not UTF-8");
		return buffer;
	}
	if (length + 2 > size) {
		raw_error(r->raw, &r->at, "a line of %zd bytes; no more than %d are read", length,
			  size - 2);
		return buffer;
	}
	strcpy(buffer, r->line);
	text = buffer + strspn(buffer, " \t\r\n\f\v");
	if (!strncmp(text, "\xef\xbb\xbf", 3) && r->at.line == 1)
		text += 3;
	r->pending = *text && !strchr("#;", *text);
	end = strchr(text, ']');
	if (*text == '[' && end) {
		*end = '\0';
		r->pending = false;
		end += 1 + strspn(end + 1, " \t\r\n");
		if (*end && !strchr("#;", *end))
			raw_error(r->raw, &r->at, "\"%s\" after the section's ]", trim(end));
		r->err = section_open(r, trim(text + 1));
		strcpy(buffer, "\n");
	}
	return buffer;
}

/* inih's handler: a key of the section opened last. */
static int take_key(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	struct raw *raw = r->raw;
	struct raw_section *s = raw->sections ? &raw->section[raw->sections - 1] : NULL;
	struct raw_key *k;

	r->pending = false;
	if (r->skip)
		return 1;
	if (!s || s->at.file != r->at.file) {
		raw_error(raw, &r->at, "%s = %s: before the first [section]", name, value);
		return 1;
	}
	if (!*name) {
		raw_error(raw, &r->at, "= %s: a value without a key", value);
		return 1;
	}
	for (unsigned i = 0; i < s->keys; i++)
		if (!strcmp(s->key[i].name, name)) {
			raw_error(raw, &r->at, "%s = %s: set already, at line %d", name, value,
				  s->key[i].at.line);
			return 1;
		}
	k = reallocarray(s->key, s->keys + 1, sizeof *k);
	if (!k) {
		r->err = -ENOMEM;
		return 0;
	}
	s->key = k;
	k += s->keys;
	*k = (struct raw_key){ .name = strdup(name), .value = strdup(value), .at = r->at };
	s->keys++;
	if (!k->name || !k->value)
		r->err = -ENOMEM;
	return 1;
}

static const char *keep_name(struct raw *raw, const char *path)
{
	char **file = reallocarray(raw->file, raw->files + 1, sizeof *file);

	if (!file)
		return NULL;
	raw->file = file;
	file[raw->files] = strdup(path);
	return file[raw->files] ? file[raw->files++] : NULL;
}

int raw_read(struct raw *raw, const char *path)
{
	struct reading r = { .raw = raw };

	r.at.file = keep_name(raw, path);
	if (!r.at.file)
		return -ENOMEM;
	r.file = fopen(path, "re");
	if (!r.file) {
		int err = -errno;

		raw_error(raw, &r.at, "%s", strerror(-err));
		return err;
	}
	/* An indented key is a key, not more of the value before it. */
	ini_allow_multiline = false;
	ini_inline_comment_prefixes = ";#";
	ini_max_line = RAW_TEXT_MAX;
	ini_parse_stream(read_line, &r, take_key, &r);
	judge(&r);
	if (ferror(r.file)) {
		r.at.line = 0;
		raw_error(raw, &r.at, "cannot be read: %s", strerror(errno));
	}
	fclose(r.file);
	free(r.line);
	return r.err;
}

void raw_free(struct raw *raw)
{
	for (unsigned i = 0; i < raw->sections; i++) {
		struct raw_section *s = &raw->section[i];

		for (unsigned k = 0; k < s->keys; k++) {
			free(s->key[k].name);
			free(s->key[k].value);
		}
		free(s->key);
		free(s->kind);
		free(s->name);
	}
	free(raw->section);
	raw->section = NULL;
	raw->sections = 0;
}
