// SPDX-License-Identifier: MIT
/* decode: text fields as procfs prints them, IIO layouts and elements, counters. */
#include "agent/decode.h"

#include <errno.h>
#include <locale.h>
#include <stdint.h>

#include "kernels/why.h"
#include "test/test.h"

/* Exactly as long as it is, so that a sanitizer sees a read beyond. */
static int text_value(const char *field, const char *text, double *v)
{
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);
	struct text_field f;
	struct why why = { "" };
	int err;

	CHECK(copy);
	memcpy(copy, text, len);
	if (decode_text_parse(&f, field, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	err = decode_text(&f, copy, (unsigned)len, v);
	free(copy);
	return err;
}

#define VALUE(field, text, wanted)                            \
	do {                                                  \
		double got;                                   \
		CHECK_EQ(text_value(field, text, &got), 0);   \
		CHECK_NEAR(got, wanted, 0);                   \
	} while (0)

#define ERROR(field, text, err)                               \
	do {                                                  \
		double got = -42;                             \
		CHECK_EQ(text_value(field, text, &got), err); \
		CHECK_NEAR(got, -42, 0);                      \
	} while (0)

static const char stat[] =
	"cpu  30 3 9 100 5 0 6 7 0 0\n"
	"cpu0 10 1 3 40 2 0 2 3 0 0\n"
	"cpu1 20 2 6 60 3 0 4 4 0 0\n"
	"cpu10 1 1 1 1 1 1 1 1 0 0\n"
	"intr 294809 0 0 17\n"
	"ctxt 693471\n"
	"procs_running 2\n";

static const char net[] =
	"Inter-|   Receive                   |  Transmit\n"
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"
	"    lo:    3267      29    0    0    0     0          0         0     3267      29\n"
	"  eth0:438588723   8275    0    0    0     0          0         0   341908    4416\n"
	" wlan0: 277      1    0    0    0     0          0         0   1000    4\n";

static const char disks[] =
	"   7       0 loop0 1 1 1 1 1 1 1 1 1 1 1\n"
	" 254       0 vda 33080 8986 2198634 9422 98436 11275 6061784 27151 0 15296 39414\n"
	" 254       1 vda1 33000 8000 2198000 9000 98000 11000 6061000 27000 0 15000 39000\n"
	" 179       0 mmcblk0 5 6 100 7 8 9 200 10 0 11 12\n"
	" 259       0 nvme0n1 5 6 1000 7 8 9 200 10 0 11 12\n"
	" 259       1 nvme0n1p1 5 6 1000 7 8 9 200 10 0 11 12\n";

static void procfs(void)
{
	VALUE("cpu0:1+2+3+6+7+8", stat, 10 + 1 + 3 + 0 + 2 + 3);
	VALUE("cpu1:1", stat, 20);
	VALUE("cpu:4", stat, 100);
	VALUE("cpu?/all:1", stat, 30);
	VALUE("cpu*/all:1", stat, 61);
	VALUE("cpu*:1", stat, 30);
	VALUE("cpu0:1-4", stat, -30);
	VALUE("cpu0:-4+1", stat, -30);
	VALUE("cpu1:1+1", stat, 40);
	VALUE("intr:1", stat, 294809);
	VALUE("ctxt:1", stat, 693471);
	VALUE("procs_running:1", stat, 2);
	ERROR("cpu2:1", stat, -ENOENT);
	ERROR("ctxt:2", stat, -ENOENT);
	ERROR("ctxt:0", stat, -EINVAL);
	ERROR("cpu:1", "", -ENOENT);

	VALUE("MemAvailable:1", "MemTotal:  9 kB\nMemAvailable:   24301912 kB\n", 24301912);
	VALUE("eth0:1", net, 438588723);
	VALUE("eth0:9", net, 341908);
	VALUE("eth*,wlan*/all:1", net, 438588723 + 277);
	VALUE("wlan*,eth*/all:9", net, 341908 + 1000);
	VALUE("eth*,wlan*@0/all:9", net, 341908 + 1000);
	VALUE("sd?,vd?,mmcblk?,nvme?n?@2/all:5", disks, 2198634 + 100 + 1000);
	VALUE("vda@2:5", disks, 2198634);
	ERROR("sd?@2/all:5", disks, -ENOENT);

	VALUE("0", "0.51 0.17 0.08 1/93 13479\n", 0.51);
	VALUE("3", "0.51 0.17 0.08 1/93 13479\n", 1);
	VALUE("some:4", "some avg10=0.79 avg60=1.28 avg300=0.45 total=10342360\n"
	      "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n", 10342360);
	VALUE("full:4", "some avg10=0.79 total=3\nfull avg10=0.00 avg60=0 avg300=0 total=7", 7);
	VALUE("some:1", "some avg10=0.79 avg60=1.28\n", 0.79);
}

static void numbers(void)
{
	double v;

	VALUE("0", "42000\n", 42000);
	VALUE("0", "42000", 42000);
	VALUE("0", "-5\n", -5);
	VALUE("0", "+5", 5);
	VALUE("0", " \t 7 8", 7);
	VALUE("1", " \t 7 8", 8);
	VALUE("0", "1.5kB", 1.5);
	VALUE("0", "0.1", 0.1);
	VALUE("0", "-.25", -0.25);
	VALUE("0", "3.", 3);
	VALUE("0", "18446744073709551615", 18446744073709551615.0);
	VALUE("0", "9007199254740991.0", 9007199254740991.0);
	CHECK_EQ(text_value("0", "123456789012345678901234567890", &v), 0);
	CHECK_NEAR(v / 123456789012345678901234567890.0, 1, 1e-15);
	VALUE("0", "0.30000000000000000000000000004", 0.3);
	VALUE("0", "12e3", 12);
	VALUE("0", "1\r\n", 1);
	ERROR("0", "-", -EINVAL);
	ERROR("0", ".", -EINVAL);
	ERROR("0", "-.", -EINVAL);
	ERROR("0", "x5", -EINVAL);
	ERROR("0", "a=", -EINVAL);
	ERROR("0", "nan", -EINVAL);
	ERROR("0", "\n5", -ENOENT);
	ERROR("0", "", -ENOENT);
	ERROR("1", "5\n6 7\n", -ENOENT);
	/* No number of the machine depends on the language of its user. */
	if (setlocale(LC_NUMERIC, "de_DE.UTF-8"))
		VALUE("0", "2.5", 2.5);
	setlocale(LC_NUMERIC, "C");
}

static void globs(void)
{
	VALUE("*:1", "abc 5", 5);
	VALUE("a*c:1", "abxc 5", 5);
	VALUE("*b*d*:1", "abcd 5", 5);
	VALUE("a*b*c:1", "aXbYbZc 5", 5);
	VALUE("a**:1", "a 5", 5);
	ERROR("a*b:1", "abc 5", -ENOENT);
	ERROR("a?:1", "a 5", -ENOENT);
	ERROR("ab:1", "abc 5", -ENOENT);
	ERROR("abc:1", "ab 5", -ENOENT);
	ERROR("*a*a*a*a*a*a*b:1", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 5", -ENOENT);
}

static void bad_field(const char *field, const char *word)
{
	struct text_field f;
	struct why why = { "" };

	CHECK_EQ(decode_text_parse(&f, field, &why), -EINVAL);
	if (!strstr(why.text, word)) {
		fprintf(stderr, "\"%s\": \"%s\" does not say \"%s\"\n", field, why.text, word);
		exit(1);
	}
}

static void fields(void)
{
	struct text_field f;

	CHECK_EQ(decode_text_parse(&f, "sd?,vd?@2/all:5+9-127", NULL), 0);
	CHECK_STR(f.key, "sd?,vd?");
	CHECK_EQ(f.key_column, 2);
	CHECK(f.all);
	CHECK_EQ(f.columns, 3);
	CHECK_EQ(f.column[0], 5);
	CHECK_EQ(f.column[1], 9);
	CHECK_EQ(f.column[2], ~127);
	CHECK_EQ(decode_text_parse(&f, "7", NULL), 0);
	CHECK_STR(f.key, "");
	CHECK(!f.all);

	bad_field("", "ends where a column");
	bad_field("x", "character 1, \"x\"");
	bad_field("1+", "ends where a column");
	bad_field("1 + 2", "character 2, \" \"");
	bad_field("+1", "character 1");
	bad_field("1++2", "character 3");
	bad_field("128", "character 1");
	bad_field("1+999", "character 3");
	bad_field(":1", "character 1, \":\"");
	bad_field("cpu0:", "ends where");
	bad_field("cpu0:a", "character 6, \"a\"");
	bad_field("a b:1", "character 2");
	bad_field("a:b:1", "character 2");
	bad_field("a,,b:1", "character 2");
	bad_field(",a:1", "character 1");
	bad_field("a,:1", "character 2");
	bad_field("a@:1", "character 3");
	bad_field("a@200:1", "character 3");
	bad_field("a/every:1", "character 2");
	bad_field("a/all@2:1", "character 6");
	bad_field("a/all*:1", "character 6");
	bad_field("0123456789012345678901234567890123456789012345678:1", "longer than 47");
	bad_field("1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1", "more than 16");
}

static void element(const char *type, const uint8_t *p, int64_t wanted)
{
	struct scan_element e;

	CHECK_EQ(decode_scan_parse(&e, type, NULL), 0);
	CHECK_EQ(decode_scan_layout(&e, 1) > 0, 1);
	CHECK_EQ(decode_scan(&e, p), wanted);
}

static void elements(void)
{
	static const uint8_t p[] = { 0x81, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };

	element("le:u8/8>>0", p, 0x81);
	element("le:s8/8>>0", p, -127);
	element("be:u16/16>>0", p, 0x8123);
	element("le:u16/16>>0", p, 0x2381);
	element("be:s16/16>>0", p, 0x8123 - 0x10000);
	element("be:s12/16>>4", p, 0x812 - 0x1000);
	element("be:u12/16>>4", p, 0x812);
	element("le:s12/16>>0", p, 0x381);
	element("le:u4/8>>4", p, 8);
	element("le:s4/8>>4", p, -8);
	element("le:s1/8>>0", p, -1);
	element("be:s24/32>>8", p, 0x812345 - 0x1000000);
	element("le:u24/32>>8", p, 0x674523);
	element("le:u32/32", p, 0x67452381);
	element("be:s32/32>>0", p, 0x81234567 - 0x100000000);
	element("be:s64/64>>0", p, (int64_t)0x8123456789abcdefu);
	element("le:u64/64>>0", p, (int64_t)0xefcdab8967452381u);
	element("le:s63/64>>1", p, (int64_t)0xefcdab8967452381u >> 1);
	element("be:u1/64>>63", p, 1);
	element("be:s16/16X3>>0", p, 0x8123 - 0x10000);
}

static void bad_element(const char *type)
{
	struct scan_element e;
	struct why why = { "" };

	CHECK_EQ(decode_scan_parse(&e, type, &why), -EINVAL);
	CHECK(strstr(why.text, type));
}

static void layouts(void)
{
	static const char *const accel[] = {
		"le:s16/16>>0", "le:s16/16>>0", "le:s16/16>>0", "le:s64/64>>0",
	};
	static const char *const mixed[] = {
		"le:u8/8>>0", "be:u24/32>>8", "le:u8/8>>0", "le:s16/16>>0",
	};
	static const char *const repeated[] = { "le:u8/8>>0", "le:s16/16X4>>0" };
	struct scan_element e[4];

	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(decode_scan_parse(&e[i], accel[i], NULL), 0);
	/* Three axes and the timestamp: 6 bytes, 2 of padding, 8. */
	CHECK_EQ(decode_scan_layout(e, 4), 16);
	CHECK_EQ(e[2].offset, 4);
	CHECK_EQ(e[3].offset, 8);
	CHECK_EQ(decode_scan_layout(e, 3), 6);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(decode_scan_parse(&e[i], mixed[i], NULL), 0);
	CHECK_EQ(decode_scan_layout(e, 4), 12);
	CHECK_EQ(e[1].offset, 4);
	CHECK_EQ(e[2].offset, 8);
	CHECK_EQ(e[3].offset, 10);
	/* The scan ends aligned to its largest element. */
	CHECK_EQ(decode_scan_layout(e, 3), 12);
	/* A repeated one is aligned to all of itself. */
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQ(decode_scan_parse(&e[i], repeated[i], NULL), 0);
	CHECK_EQ(decode_scan_layout(e, 2), 16);
	CHECK_EQ(e[1].offset, 8);
	CHECK_EQ(decode_scan_layout(e, 0), 0);

	bad_element("xe:s16/16>>0");
	bad_element("le:x16/16>>0");
	bad_element("le:s0/16>>0");
	bad_element("le:s65/64>>0");
	bad_element("le:s16/24>>0");
	bad_element("le:s16/8>>0");
	bad_element("le:s12/16>>5");
	bad_element("le:s12/16>4");
	bad_element("le:s12/16>>");
	bad_element("le:s12/16X0>>0");
	bad_element("le:s12/16X>>0");
	bad_element("le:s12/16X256");
	bad_element("le:s12/16>>0 ");
	bad_element("le:s");
}

static void rates(void)
{
	struct rate r = { 0 };
	double v = -1;

	CHECK(!decode_rate(&r, 100, 1000, 0, &v));
	CHECK(decode_rate(&r, 110, 1000 + 500000000, 0, &v));
	CHECK_NEAR(v, 20, 1e-12);
	/* The same moment again: no value, and the next one is counted from before. */
	CHECK(!decode_rate(&r, 115, 1000 + 500000000, 0, &v));
	CHECK(decode_rate(&r, 120, 1000 + 1000000000, 0, &v));
	CHECK_NEAR(v, 20, 1e-12);
	CHECK(decode_rate(&r, 120, 1000 + 2000000000u, 0, &v));
	CHECK_NEAR(v, 0, 0);
	/* Set back: no value, then from there on. */
	CHECK(!decode_rate(&r, 5, 1000 + 3000000000u, 0, &v));
	CHECK(decode_rate(&r, 6, 1000 + 4000000000u, 0, &v));
	CHECK_NEAR(v, 1, 1e-12);
	/* Around the end of 32 bits. */
	r = (struct rate){ .last = 4294967290.0, .last_ns = 1, .primed = true };
	CHECK(decode_rate(&r, 4, 1000000001, 4294967296.0, &v));
	CHECK_NEAR(v, 10, 1e-12);
	CHECK(!decode_rate(&r, NAN, 2000000001, 0, &v));
}

int main(void)
{
	procfs();
	numbers();
	globs();
	fields();
	elements();
	layouts();
	rates();
	return 0;
}
