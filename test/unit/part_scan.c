// SPDX-License-Identifier: MIT
/*
 * A bus scan on a made bus: what is asked where, that a driver's address is left alone, that
 * nothing is written but an identity's register, and who is recognised with the library itself.
 */
#include <errno.h>

#include "agent/part_scan.h"
#include "kernels/why.h"
#include "test/test.h"

#define REGISTERS_MAX 4

struct chip {
	uint8_t address;
	bool taken;		/* by a driver */
	struct { uint8_t at, value[2]; } reg[REGISTERS_MAX];
	unsigned regs;
	bool deaf;		/* NAKs every register */
};

struct made_bus {
	const struct chip *chip;
	unsigned chips;
	unsigned claimed;
	unsigned quicks[128], receives[128], exchanges[128];
	uint64_t now_ns, step_ns;
	unsigned touched;	/* messages to a taken address */
	int claim_error;
};

static const struct chip *at(const struct made_bus *b)
{
	for (unsigned i = 0; i < b->chips; i++)
		if (b->chip[i].address == b->claimed)
			return &b->chip[i];
	return NULL;
}

static int claim(void *user, unsigned address)
{
	struct made_bus *b = user;

	b->claimed = address;
	b->now_ns += b->step_ns;
	if (b->claim_error)
		return b->claim_error;
	return at(b) && at(b)->taken ? -EBUSY : 0;
}

static int answer(struct made_bus *b)
{
	b->touched += at(b) && at(b)->taken;
	return at(b) ? 0 : -EREMOTEIO;
}

static int quick(void *user)
{
	struct made_bus *b = user;

	b->quicks[b->claimed]++;
	return answer(b);
}

static int receive(void *user)
{
	struct made_bus *b = user;

	b->receives[b->claimed]++;
	return answer(b);
}

static int exchange(void *user, const struct part_step *s, uint8_t *in)
{
	struct made_bus *b = user;
	const struct chip *c = at(b);

	b->exchanges[b->claimed]++;
	CHECK_EQ(s->outs, 1);
	CHECK(s->in >= 1 && s->in <= 2);
	if (answer(b) || c->deaf)
		return -EREMOTEIO;
	memset(in, 0xff, s->in);
	for (unsigned i = 0; i < c->regs; i++)
		if (c->reg[i].at == s->out[0])
			memcpy(in, c->reg[i].value, s->in);
	return 0;
}

static uint64_t now_ns(void *user)
{
	return ((struct made_bus *)user)->now_ns;
}

static const struct part_bus all = { claim, quick, receive, exchange, now_ns };

static struct part *library;
static unsigned parts;

static void load_library(void)
{
	const char *dir = getenv("SONDE_SENSORS_DIR");
	struct why why = { "" };
	char **names;

	dir = dir ? dir : "agent/sensors";
	CHECK_EQ(part_list(&names, &parts, dir, &why), 0);
	library = calloc(parts, sizeof *library);
	CHECK(library);
	for (unsigned i = 0; i < parts; i++)
		CHECK_EQ(part_load(&library[i], dir, names[i], &why), 0);
	part_list_free(names, parts);
}

static const struct part_found *find(const struct part_found *f, int n, unsigned address)
{
	for (int i = 0; i < n; i++)
		if (f[i].address == address)
			return &f[i];
	return NULL;
}

static bool guesses(const struct part_found *f, const char *name)
{
	for (unsigned i = 0; i < f->guesses; i++)
		if (!strcmp(library[f->guess[i]].name, name))
			return true;
	return false;
}

static const struct chip board[] = {
	{ 0x18, .regs = 1, .reg = { { 0x0f, { 0x33 } } } },			/* lis3dh */
	{ 0x19, .regs = 2, .reg = { { 0x07, { 0x04, 0 } }, { 0x0f, { 0 } } } },	/* mcp9808 */
	{ 0x1d, .regs = 1, .reg = { { 0x00, { 0xe5 } } } },			/* adxl345 */
	{ 0x20 },							/* a port expander */
	{ 0x23, .deaf = true },							/* bh1750 */
	{ 0x40, .regs = 1, .reg = { { 0xff, { 0x22, 0x61 } } } },	/* ina226, revised */
	{ 0x41, .regs = 1, .reg = { { 0xff, { 0x00, 0x00 } } } },		/* ina219 */
	{ 0x44, .deaf = true },							/* sht3x */
	{ 0x48, .taken = true, .regs = 1, .reg = { { 0x0f, { 0x01, 0x17 } } } },
	{ 0x49, .regs = 1, .reg = { { 0x0f, { 0x11, 0x17 } } } },		/* tmp117, rev 1 */
	{ 0x4a, .regs = 1, .reg = { { 0x0f, { 0x01, 0x16 } } } },	/* tmp116: another */
	{ 0x50 },								/* an EEPROM */
	{ 0x68, .regs = 1, .reg = { { 0x75, { 0x68 } } } },			/* mpu6050 */
	{ 0x76, .regs = 2, .reg = { { 0xd0, { 0x60 } }, { 0x0d, { 0x00 } } } },	/* bme280 */
	{ 0x77, .regs = 2, .reg = { { 0x0d, { 0x10 } }, { 0xd0, { 0x00 } } } },	/* dps310 */
};

#define CHIPS (sizeof board / sizeof *board)

static void test_board(void)
{
	static const struct { unsigned address; const char *part; } sure[] = {
		{ 0x18, "lis3dh" }, { 0x19, "mcp9808" }, { 0x1d, "adxl345" }, { 0x40, "ina226" },
		{ 0x49, "tmp117" }, { 0x68, "mpu6050" }, { 0x76, "bme280" }, { 0x77, "dps310" },
	};
	struct made_bus b = { .chip = board, .chips = CHIPS };
	struct part_found f[PART_SCAN_MAX];
	unsigned stopped = 1;
	int n = part_scan(library, parts, &all, &b, f, &stopped);

	CHECK_EQ(n, CHIPS);
	CHECK_EQ(stopped, 0);
	for (unsigned i = 0; i < CHIPS; i++)
		CHECK_EQ(f[i].address, board[i].address);
	for (unsigned i = 0; i < sizeof sure / sizeof *sure; i++) {
		const struct part_found *one = find(f, n, sure[i].address);

		CHECK(one);
		CHECK_EQ(one->answer, PART_KNOWN);
		CHECK_EQ(one->guesses, 1);
		CHECK_STR(library[one->guess[0]].name, sure[i].part);
	}
	CHECK_EQ(find(f, n, 0x20)->answer, PART_UNKNOWN);
	CHECK_EQ(find(f, n, 0x50)->answer, PART_UNKNOWN);
	CHECK_EQ(find(f, n, 0x48)->answer, PART_TAKEN);
	CHECK_EQ(find(f, n, 0x23)->answer, PART_GUESSED);
	CHECK(guesses(find(f, n, 0x23), "bh1750"));
	CHECK_EQ(find(f, n, 0x41)->answer, PART_GUESSED);
	CHECK(guesses(find(f, n, 0x41), "ina219"));
	CHECK(!guesses(find(f, n, 0x41), "ina226"));	/* it said that it is none */
	CHECK(guesses(find(f, n, 0x44), "sht3x") && guesses(find(f, n, 0x44), "sht4x"));
	CHECK(guesses(find(f, n, 0x44), "ina219") && !guesses(find(f, n, 0x44), "ina226"));
	CHECK(guesses(find(f, n, 0x4a), "lm75") && guesses(find(f, n, 0x4a), "ads1115"));
	CHECK(!guesses(find(f, n, 0x4a), "tmp117"));
}

/* What was sent to whom. */
static void test_manners(void)
{
	struct made_bus b = { .chip = board, .chips = CHIPS };
	struct part_found f[PART_SCAN_MAX];
	unsigned stopped;

	part_scan(library, parts, &all, &b, f, &stopped);
	CHECK_EQ(b.touched, 0);
	for (unsigned a = 0; a < 128; a++) {
		bool inside = a >= 0x08 && a <= 0x77 && a != 0x48;
		bool eeprom = (a >= 0x30 && a <= 0x37) || (a >= 0x50 && a <= 0x5f);

		CHECK_EQ(b.receives[a], inside && eeprom);
		CHECK_EQ(b.quicks[a], inside && !eeprom);
	}
	CHECK_EQ(b.exchanges[0x20], 0);		/* its outputs would have changed */
	CHECK_EQ(b.exchanges[0x50], 0);
	CHECK_EQ(b.exchanges[0x23], 0);		/* the library has no identity there */
	CHECK_EQ(b.exchanges[0x53], 0);		/* nobody answered */
	CHECK(b.exchanges[0x68]);
}

/* An adapter that can less. */
static void test_poor_adapters(void)
{
	struct made_bus b = { .chip = board, .chips = CHIPS };
	struct part_bus ops = all;
	struct part_found f[PART_SCAN_MAX];
	unsigned stopped;
	int n;

	ops.quick = NULL;
	n = part_scan(library, parts, &ops, &b, f, &stopped);
	CHECK_EQ(n, CHIPS);
	CHECK_EQ(b.receives[0x18], 1);
	ops = all;
	ops.receive = NULL;		/* no way to ask the EEPROMs gently: they are not asked */
	n = part_scan(library, parts, &ops, &b, f, &stopped);
	CHECK_EQ(n, CHIPS - 1);
	CHECK(!find(f, n, 0x50));
	ops = all;
	ops.exchange = NULL;		/* nobody can say who he is: all remain possible */
	n = part_scan(library, parts, &ops, &b, f, &stopped);
	CHECK_EQ(n, CHIPS);
	CHECK_EQ(find(f, n, 0x68)->answer, PART_GUESSED);
	CHECK(guesses(find(f, n, 0x68), "mpu6050"));
	CHECK(guesses(find(f, n, 0x41), "ina226"));
	ops.quick = ops.receive = NULL;
	CHECK_EQ(part_scan(library, parts, &ops, &b, f, &stopped), -EOPNOTSUPP);
	b.claim_error = -ENOTTY;
	CHECK_EQ(part_scan(library, parts, &all, &b, f, &stopped), -ENOTTY);
}

/* A bus on which each message times out ends the scan; a slow one (imx8mp: 106 ms) does not. */
static void test_slow(void)
{
	struct made_bus b = { .chip = board, .chips = CHIPS, .step_ns = 1000000000,
			      .now_ns = 86400000000000 };
	struct part_found f[PART_SCAN_MAX];
	unsigned stopped;
	int n = part_scan(library, parts, &all, &b, f, &stopped);

	CHECK(stopped > 0x08 + 25 && stopped < 0x08 + 35);
	CHECK(n > 0 && f[n - 1].address < stopped);
	b = (struct made_bus){ .chip = board, .chips = CHIPS, .step_ns = 106000000 };
	CHECK_EQ(part_scan(library, parts, &all, &b, f, &stopped), CHIPS);
	CHECK_EQ(stopped, 0);
}

static void test_empty(void)
{
	struct made_bus b = { .chips = 0 };
	struct part_found f[PART_SCAN_MAX];
	unsigned stopped;

	CHECK_EQ(part_scan(library, parts, &all, &b, f, &stopped), 0);
	b.chip = board;
	b.chips = CHIPS;
	CHECK_EQ(part_scan(NULL, 0, &all, &b, f, &stopped), CHIPS);
	CHECK_EQ(f[0].answer, PART_UNKNOWN);
}

/* More parts than a finding has room for. */
static void test_many(void)
{
	static struct part many[3 * PART_SCAN_GUESSES];
	struct made_bus b = { .chip = board, .chips = CHIPS };
	struct {
		struct part_found f[PART_SCAN_MAX];
		uint8_t behind[64];
	} room;
	unsigned stopped;

	memset(&room, 0x5a, sizeof room);
	for (unsigned i = 0; i < sizeof many / sizeof *many; i++) {
		part_init(&many[i], "x");
		CHECK_EQ(part_key(&many[i], "kind", "i2c", NULL), 0);
		CHECK_EQ(part_key(&many[i], "address", "0x20", NULL), 0);
	}
	CHECK_EQ(part_scan(many, sizeof many / sizeof *many, &all, &b, room.f, &stopped), CHIPS);
	CHECK_EQ(find(room.f, CHIPS, 0x20)->guesses, PART_SCAN_GUESSES);
	CHECK_EQ(find(room.f, CHIPS, 0x20)->guess[PART_SCAN_GUESSES - 1], PART_SCAN_GUESSES - 1);
	CHECK_EQ(find(room.f, CHIPS, 0x23)->answer, PART_UNKNOWN);
	for (unsigned i = 0; i < sizeof room.behind; i++)
		CHECK_EQ(room.behind[i], 0x5a);
}

int main(void)
{
	load_library();
	test_board();
	test_manners();
	test_poor_adapters();
	test_slow();
	test_empty();
	test_many();
	free(library);
	return 0;
}
