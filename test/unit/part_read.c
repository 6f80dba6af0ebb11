// SPDX-License-Identifier: MIT
/* Files of the sensor library: every mistake with file and line, and what is no file. */
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/part_fixture.h"

static char dir[] = "/tmp/sonde-part-XXXXXX";

static void write_file(const char *name, const char *text, size_t size)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	CHECK(f && fwrite(text, 1, size, f) == size && !fclose(f));
}

static void bad_file(const char *text, size_t size, const char *reason)
{
	struct why why = { "" };
	struct part p;

	write_file("bad.conf", text, size);
	CHECK_EQ(part_load(&p, dir, "bad", &why), -EINVAL);
	CHECK(!strncmp(why.text, dir, strlen(dir)));
	has(&why, reason);
}

#define BAD(text, reason) bad_file(text, strlen(text), reason)
#define GOOD "[part]\nkind = i2c\naddress = 0x48\nread.0 = 0 -> 2\nchannel.t = 0 @ 0 be:s16/16\n"

static void test_mistakes(void)
{
	char *text;

	BAD("", "bad.conf: kind is missing");
	BAD("[part]\n\n# remark\nkind = usb\n", "bad.conf:4: kind = usb: must be");
	BAD("kind = i2c\n", "bad.conf:1: kind: before [part]");
	BAD("[parts]\nkind = i2c\n", "bad.conf:2: [parts]: a part has one section, [part]");
	BAD("[part]\nnonsense\nkind = usb\n", "bad.conf:2: neither [part] nor");
	BAD("[part]\nkind = usb\nnonsense\n", "bad.conf:2: kind = usb");
	BAD("[part\nkind = i2c\n", "bad.conf:1: neither");
	BAD("[part]\nkind = i2c\nnonsense\naddress = 0x48\n", "bad.conf:3: neither");
	BAD(GOOD "read.0 = 0 -> 2\n", "bad.conf:6: read.0 = 0 -> 2: set already");
	BAD(GOOD "address = 0x49\n", "bad.conf:6: address = 0x49: set already");
	BAD(GOOD "adress = 1\n", "bad.conf:6: adress = 1: no key of a part; did you mean address?");
	BAD(GOOD "init.1 = 1\n", "bad.conf:6: init.1 = 1: init.0 is missing");
	BAD(GOOD "channel.u = 1 @ 0 be:s16/16\n", "bad.conf: channel.u: there is no read.1");
	BAD("[part]\nkind = i2c\nread.0 = 0 -> 2\nchannel.t = 0 @ 0 be:s16/16\n",
	    "bad.conf: address is missing");
	BAD(GOOD "title = \x80\n", "bad.conf:6: not text in UTF-8");
	BAD(GOOD "title = \xed\xa0\x80\n", "bad.conf:6: not text");
	BAD(GOOD "title = \033[2J\n", "bad.conf:6: not text");
	BAD(GOOD "title = \x7f\n", "bad.conf:6: not text");
	BAD(GOOD "title = \xf5\x80\x80\x80\n", "bad.conf:6: not text");
	BAD(GOOD "title = \xc1\x80\n", "bad.conf:6: not text");
	BAD(GOOD "title = \xe0\x80\x80\n", "bad.conf:6: not text");
	BAD(GOOD "title = \xf4\x90\x80\x80\n", "bad.conf:6: not text");
	BAD(GOOD "title = \xf0\x8f\x80\x80\n", "bad.conf:6: not text");
	BAD(GOOD "title = \xe2\x82\n", "bad.conf:6: not text");
	bad_file("[part]\nti\0tle = x\n", 17, "bad.conf:2: a NUL byte");
	text = malloc(100000);
	CHECK(text);
	memset(text, 'x', 100000);
	memcpy(text, "[part]\ntitle = ", 15);
	bad_file(text, 2000, "bad.conf:2: a line of more than");
	for (unsigned i = 7; i < 100000; i++)
		text[i] = i % 100 ? '#' : '\n';
	bad_file(text, 100000, "the file has more than 65536 bytes");
	free(text);
}

static void test_files(void)
{
	struct why why = { "" };
	struct part p;
	char path[64], **names;
	unsigned n;

	write_file("some.conf", GOOD, strlen(GOOD));
	write_file("other-1.conf", "\xef\xbb\xbf" GOOD "title = ä ; remark\r\n",
		   strlen(GOOD) + 3 + strlen("title = ä ; remark\r\n"));
	write_file("not-one.txt", "", 0);
	write_file("bad name.conf", "", 0);
	write_file(".conf", "", 0);
	CHECK_EQ(part_load(&p, dir, "some", &why), 0);
	CHECK_STR(p.name, "some");
	CHECK_EQ(p.bytes, 2);
	CHECK_EQ(part_load(&p, dir, "other-1", &why), 0);
	CHECK_STR(p.title, "ä");
	/* The ends of what UTF-8 can say. */
	write_file("some.conf", GOOD "title = \u00a2\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"
		   "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\xc2\x80\n", strlen(GOOD) + 29);
	CHECK_EQ(part_load(&p, dir, "some", &why), 0);
	CHECK_EQ(strlen(p.title), 21);
	CHECK_EQ(part_load(&p, dir, "sone", &why), -ENOENT);
	has(&why, "there is no part sone");
	has(&why, "did you mean some?");
	CHECK_EQ(part_load(&p, dir, "nothing-like-it", &why), -ENOENT);
	CHECK_EQ(part_load(&p, dir, "../some", &why), -EINVAL);
	CHECK_EQ(part_load(&p, dir, "", &why), -EINVAL);
	CHECK_EQ(part_load(&p, "/nonexistent-dir", "some", &why), -ENOENT);
	has(&why, "/nonexistent-dir: ");
	/* Neither a directory nor a FIFO is waited for. */
	snprintf(path, sizeof path, "%s/dir.conf", dir);
	CHECK(!mkdir(path, 0700));
	CHECK_EQ(part_load(&p, dir, "dir", &why), -EINVAL);
	has(&why, "not a regular file");
	CHECK(!rmdir(path));
	snprintf(path, sizeof path, "%s/fifo.conf", dir);
	CHECK(!mkfifo(path, 0600));
	CHECK_EQ(part_load(&p, dir, "fifo", &why), -EINVAL);
	CHECK(!unlink(path));
	CHECK_EQ(part_list(&names, &n, dir, &why), 0);
	CHECK_EQ(n, 3);		/* bad.conf of before as well */
	CHECK_STR(names[0], "bad");
	CHECK_STR(names[1], "other-1");
	CHECK_STR(names[2], "some");
	part_list_free(names, n);
	CHECK_EQ(part_list(&names, &n, "/nonexistent-dir", &why), -ENOENT);
}

static void clean_up(void)
{
	static const char *const names[] = {
		"some.conf", "other-1.conf", "not-one.txt", "bad name.conf", ".conf", "bad.conf",
		"fifo.conf",
	};
	char path[64];

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

int main(void)
{
	CHECK(mkdtemp(dir));
	atexit(clean_up);
	test_mistakes();
	test_files();
	return 0;
}
