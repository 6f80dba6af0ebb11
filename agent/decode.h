/* SPDX-License-Identifier: MIT */
/*
 * decode: raw bytes to a number in its unit, in place. Two shapes of input:
 * text as sysfs and procfs print it, and binary scans as an IIO buffer lays
 * them out. Pure functions over untrusted bytes; all of it is fuzzed.
 */
#ifndef SONDE_DECODE_H
#define SONDE_DECODE_H

#include <stdbool.h>
#include <stdint.h>

struct why;

/*
 * A field of text: words of one line, or of several, summed.
 *
 *	FIELD   = [KEY ["@" COLUMN] ["/all"] ":"] ["-"] COLUMN {("+" | "-") COLUMN}
 *	KEY     = PATTERN {"," PATTERN}, where * stands for any characters and ? for one
 *	COLUMN  = 0 .. 127
 *
 * Words end at white space; a colon ends one too and belongs to none. The first
 * word of a line is column 0. A key picks the first line whose word 0 (or @COLUMN)
 * matches one of its patterns, /all every such line; without a key it is line 0.
 *
 *	0					a sysfs attribute that is one number
 *	cpu0:1+2+3+6+7+8			/proc/stat: jiffies that core 0 was busy
 *	intr:1					/proc/stat: interrupts in all
 *	MemAvailable:1				/proc/meminfo, "MemAvailable:  123 kB"
 *	eth*,wlan*@0/all:1			/proc/net/dev, "eth0:123 4": bytes received
 *	sd?,vd?,mmcblk?,nvme?n?@2/all:5		/proc/diskstats: sectors read, all disks
 *	0					/proc/loadavg: the first average
 *	some:4					/proc/pressure/cpu, "some ... total=123"
 *	0-1					word 0 minus word 1
 *
 * A number is signed decimal with an optional fraction; what follows it in its word
 * is ignored ("1.5kB" is 1.5, "1/93" is 1). In a word with "=" it begins behind that.
 */
#define TEXT_COLUMNS_MAX 16
#define TEXT_KEY_MAX 48

struct text_field {
	char key[TEXT_KEY_MAX];			/* "" : the first line */
	uint8_t key_column;			/* the word that the key is compared with */
	bool all;				/* every matching line, not the first */
	uint8_t columns;
	int8_t column[TEXT_COLUMNS_MAX];	/* >= 0 added, < 0: ~c subtracted */
};

/* -EINVAL; the reason names the character at which the text stops making sense. */
int decode_text_parse(struct text_field *f, const char *s, struct why *why);

/*
 * Find and sum the field in text[len] (not NUL-terminated).
 * -ENOENT no such line or column, -EINVAL not a number.
 */
int decode_text(const struct text_field *f, const char *text, unsigned len,
		double *value);

/*
 * One element of an IIO scan: Documentation/ABI/testing/sysfs-bus-iio,
 * in_*_type "[be|le]:[s|u]bits/storagebits[Xrepeat][>>shift]", storagebits 8, 16, 32
 * or 64, bits + shift within them.
 */
struct scan_element {
	bool big_endian, is_signed;
	uint8_t bits, storage_bits, shift, repeat;
	uint16_t offset;	/* bytes into the scan */
};

int decode_scan_parse(struct scan_element *e, const char *type, struct why *why);

/*
 * Lay n elements out as the kernel does: each aligned to the size of its storage times
 * its repeat, the scan to the largest of these (drivers/iio/industrialio-buffer.c,
 * iio_compute_scan_bytes). Returns the size of a scan in bytes; 0: it would pass 65535.
 */
unsigned decode_scan_layout(struct scan_element *e, unsigned n);

/*
 * The raw integer of element e in the scan at p, sign-extended; of a repeated one the
 * first. An unsigned one of 64 bits is returned as it is: cast it back.
 */
int64_t decode_scan(const struct scan_element *e, const uint8_t *p);

/*
 * A counter as a rate: the first sample and a step backwards give no value, nor does a
 * second sample of the same moment, which is not kept either.
 */
struct rate {
	double last;
	uint64_t last_ns;
	bool primed;
};
/* Returns true and *per_second when there is one. wrap: 2^32 and the like, 0 none. */
bool decode_rate(struct rate *r, double now, uint64_t t_ns, double wrap,
		 double *per_second);

#endif
