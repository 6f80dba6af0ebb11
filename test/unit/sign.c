// SPDX-License-Identifier: MIT
/*
 * sign: the signature covers every other byte of a file (each is turned over in turn), a
 * signed file is still a safetensors file with the same model in it, and only keys that
 * are trusted open it. The golden signature and public key were computed from the
 * formulas of RFC 8032 in another language.
 */
#include "models/sign.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "kernels/why.h"
#include "models/safetensors.h"
#include "test/unit/model_fixture.h"

#define SEED_TEXT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_TEXT "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="

/* A file of one tensor, signed with the seed 0, 1, ... 31. */
static const char golden_header[] =
	"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
	"\"signature\":{\"dtype\":\"U8\",\"shape\":[96],\"data_offsets\":[4,100]}}";
static const uint8_t golden_signature[SIGN_BYTES] = {
	0xa8, 0x7c, 0xbc, 0xee, 0xc3, 0x45, 0x50, 0x2e, 0x58, 0x3a, 0x27, 0x8c,
	0xe9, 0x58, 0x51, 0xcf, 0xd1, 0x78, 0xfa, 0xb7, 0xdd, 0xea, 0xf5, 0x58,
	0x57, 0xcb, 0x82, 0x26, 0xb4, 0x0a, 0xed, 0x0c, 0x0c, 0x53, 0x59, 0xf2,
	0x3e, 0x14, 0x35, 0x3f, 0xeb, 0x8a, 0x55, 0x8b, 0x28, 0xa0, 0xdb, 0xac,
	0x59, 0xf9, 0x6e, 0x1d, 0x8f, 0x23, 0x19, 0xd5, 0x46, 0xb2, 0xa2, 0xaa,
	0x40, 0x2b, 0xeb, 0x0c, 0x03, 0xa1, 0x07, 0xbf, 0xf3, 0xce, 0x10, 0xbe,
	0x1d, 0x70, 0xdd, 0x18, 0xe7, 0x4b, 0xc0, 0x99, 0x67, 0xe4, 0xd6, 0x30,
	0x9b, 0xa5, 0x0d, 0x5f, 0x1d, 0xdc, 0x86, 0x64, 0x12, 0x55, 0x31, 0xb8,
};

static size_t golden_file(uint8_t *out)
{
	uint64_t n = strlen(golden_header);

	memcpy(out, &n, 8);
	memcpy(out + 8, golden_header, n);
	memcpy(out + 8 + n, "Sond", 4);
	memcpy(out + 12 + n, golden_signature, SIGN_BYTES);
	return 12 + n + SIGN_BYTES;
}

static size_t elsewhere(uint8_t *out)
{
	static const char header[] =
		"{\"signature\":{\"dtype\":\"U8\",\"shape\":[96],\"data_offsets\":[0,96]},"
		"\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[96,100]}}";
	uint64_t n = strlen(header);

	memcpy(out, &n, 8);
	memcpy(out + 8, header, n);
	memcpy(out + 8 + n, golden_signature, SIGN_BYTES);
	memcpy(out + 8 + n + SIGN_BYTES, "Sond", 4);
	return 12 + n + SIGN_BYTES;
}

static void golden(void)
{
	char text[SIGN_KEY_TEXT];
	struct why why;
	struct sign_info info;
	uint8_t file[512];
	size_t len = golden_file(file);

	CHECK_EQ(sign_inspect(&info, file, len, NULL), 0);
	CHECK_EQ(info.state, SIGN_FITS);
	sign_public_text(text, &info.key);
	CHECK_STR(text, KEY_TEXT);
	/* One bit anywhere: no longer a safetensors file, or no longer what was signed. */
	for (size_t i = 0; i < len * 8; i++) {
		struct sign_info other;

		file[i / 8] ^= 1 << i % 8;
		CHECK(sign_inspect(&other, file, len, NULL) || other.state != SIGN_FITS);
		file[i / 8] ^= 1 << i % 8;
	}
	CHECK(sign_inspect(&info, file, len - 1, NULL));
	/* Not where it is looked for: what fits would be other bytes than the reader's. */
	len = elsewhere(file);
	CHECK_EQ(sign_inspect(&info, file, len, &why), -EINVAL);
	CHECK(strstr(why.text, "not at the end"));
	len = golden_file(file);
	/* Half of it: the name alone makes no signature. */
	memcpy(strstr((char *)file + 8, "[96]"), "[95]", 4);
	CHECK(sign_inspect(&info, file, len, NULL));
}

#define PUBLIC_IS(text, expected)                                                  \
	CHECK_EQ(sign_public_parse(&key, text, sizeof(text) - 1, &why), expected)
#define SECRET_IS(text, expected)                                                  \
	CHECK_EQ(sign_secret_parse(&secret, text, sizeof(text) - 1, &why), expected)

static void texts(void)
{
	struct sign_secret secret;
	struct sign_public key;
	char text[SIGN_KEY_TEXT];
	struct why why = { "" };

	PUBLIC_IS("sonde-ed25519-public " KEY_TEXT, 0);
	sign_public_text(text, &key);
	CHECK_STR(text, KEY_TEXT);
	PUBLIC_IS("# whose it is\r\n\n\t sonde-ed25519-public\t" KEY_TEXT " anna@work\r\n\n", 0);
	SECRET_IS("sonde-ed25519-secret " SEED_TEXT "\n", 0);
	/* The public key follows from the seed. */
	CHECK(!memcmp(secret.bytes + 32, key.bytes, 32));
	sign_secret_forget(&secret);
	for (unsigned i = 0; i < sizeof secret.bytes; i++)
		CHECK_EQ(secret.bytes[i], 0);

	PUBLIC_IS("", -EINVAL);
	PUBLIC_IS("# " KEY_TEXT "\n", -EINVAL);
	CHECK(strstr(why.text, "no key"));
	PUBLIC_IS("sonde-ed25519-public", -EINVAL);
	PUBLIC_IS("sonde-ed25519-publi " KEY_TEXT, -EINVAL);
	PUBLIC_IS("sonde-ed25519-publick " KEY_TEXT, -EINVAL);
	PUBLIC_IS("sonde-ed25519-public A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMQ==", -EINVAL);
	PUBLIC_IS("sonde-ed25519-public AAAA" KEY_TEXT, -EINVAL);
	PUBLIC_IS("sonde-ed25519-public A6EHv!POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=", -EINVAL);
	PUBLIC_IS("sonde-ed25519-public " KEY_TEXT "\nsonde-ed25519-public " KEY_TEXT, -EINVAL);
	CHECK(strstr(why.text, "more than one"));
	PUBLIC_IS("sonde-ed25519-secret " SEED_TEXT, -EINVAL);
	CHECK(strstr(why.text, "the secret key"));
	SECRET_IS("sonde-ed25519-public " KEY_TEXT, -EINVAL);
	CHECK(strstr(why.text, "the public key"));
	/* The neutral point: any R = sB fits it. */
	PUBLIC_IS("sonde-ed25519-public AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", -EINVAL);
	CHECK(strstr(why.text, "not an Ed25519 key"));
}

static void key_files(void)
{
	struct sign_public made, read;
	struct sign_secret secret;
	struct why why;
	struct stat st;
	char path[4096];

	umask(0);
	CHECK_EQ(sign_key_make(&made, in_dir("anna"), &why), 0);
	CHECK(!stat(in_dir("anna.key"), &st));
	CHECK_EQ(st.st_mode & 0777, 0600);
	umask(022);
	CHECK_EQ(sign_public_read(&read, in_dir("anna.pub"), &why), 0);
	CHECK(!memcmp(&made, &read, sizeof made));
	CHECK_EQ(sign_secret_read(&secret, in_dir("anna.key"), &why), 0);
	CHECK(!memcmp(secret.bytes + 32, made.bytes, 32));

	/* Never over a key that is there; the half that was begun goes. */
	CHECK_EQ(sign_key_make(&read, in_dir("anna"), &why), -EEXIST);
	CHECK(strstr(why.text, "anna.key"));
	CHECK(!unlink(in_dir("anna.key")));
	CHECK_EQ(sign_key_make(&read, in_dir("anna"), &why), -EEXIST);
	CHECK(strstr(why.text, "anna.pub"));
	CHECK(access(in_dir("anna.key"), F_OK));
	CHECK(!unlink(in_dir("anna.pub")));
	CHECK_EQ(sign_key_make(&read, in_dir("anna"), &why), 0);
	CHECK(memcmp(&made, &read, sizeof made));

	snprintf(path, sizeof path, "%s", in_dir("anna.key"));
	CHECK(!chmod(path, 0640));
	CHECK_EQ(sign_secret_read(&secret, path, &why), -EPERM);
	CHECK(strstr(why.text, "640"));
	CHECK(!chmod(path, 0600));
	CHECK_EQ(sign_secret_read(&secret, in_dir("nobody.key"), &why), -ENOENT);
	CHECK_EQ(sign_public_read(&read, path, &why), -EINVAL);
	CHECK(strstr(why.text, path));
}

static void save(struct fixture *f, const char *name, bool int8)
{
	fixture_make(f, 3, 2, 4, 70, int8);
	fixture_score(f);
	CHECK_EQ(model_save(&f->m, in_dir(name), NULL), 0);
}

/* As the format's own reader would see it, but for our alignment. */
static void signed_model(bool int8)
{
	struct sign_secret secret;
	struct bytes plain, sealed;
	struct st_file a, b;
	struct sign_info info;
	struct model *m;
	struct fixture f;
	struct why why = { "" };
	uint64_t header;

	save(&f, "m", int8);
	plain = bytes_read(in_dir("m"));
	CHECK_EQ(sign_inspect(&info, plain.p, plain.len, &why), 0);
	CHECK_EQ(info.state, SIGN_NONE);
	CHECK_EQ(sign_secret_parse(&secret, "sonde-ed25519-secret " SEED_TEXT, 65, &why), 0);
	if (sign_file(in_dir("m"), &secret, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	sealed = bytes_read(in_dir("m"));
	CHECK_EQ(sign_inspect(&info, sealed.p, sealed.len, &why), 0);
	CHECK_EQ(info.state, SIGN_FITS);
	memcpy(&header, sealed.p, 8);
	CHECK_EQ((8 + header) % ST_ALIGN, 0);
	CHECK_EQ(model_load(&m, in_dir("m"), &why), 0);
	same_model(&f.m, m);
	model_free(m);

	/* Each tensor of before lies there with its bytes, at a multiple of 64. */
	CHECK_EQ(st_open(&a, plain.p, plain.len, &why), 0);
	CHECK_EQ(st_open(&b, sealed.p, sealed.len, &why), 0);
	CHECK_STR(a.text, b.text);
	for (unsigned i = 0; i < a.tensors; i++) {
		const struct st_tensor *t = st_find(&b, a.tensor[i].name);

		CHECK(t && t->end - t->begin == a.tensor[i].end - a.tensor[i].begin);
		CHECK(!memcmp(t->data, a.tensor[i].data, t->end - t->begin));
	}
	for (unsigned i = 0; i < b.tensors; i++)
		CHECK(!strncmp(b.tensor[i].name, "pad.", 4) || !(b.tensor[i].begin % ST_ALIGN));
	st_close(&a);
	st_close(&b);

	/* No byte is left out. */
	for (size_t i = 0; i < sealed.len; i += i > 8 + header && i < sealed.len - 200 ? 7 : 1) {
		sealed.p[i] ^= 0x10;
		CHECK(sign_inspect(&info, sealed.p, sealed.len, NULL) ||
		      info.state != SIGN_FITS);
		sealed.p[i] ^= 0x10;
	}

	/* Signed again by the same key: the same bytes; by another: only the signature differs. */
	CHECK_EQ(sign_file(in_dir("m"), &secret, &why), 0);
	free(plain.p);
	plain = bytes_read(in_dir("m"));
	CHECK_EQ(plain.len, sealed.len);
	CHECK(!memcmp(plain.p, sealed.p, sealed.len));
	free(plain.p);
	free(sealed.p);
	fixture_free(&f);
}

/* What no loader takes is not signed, and stays as it is. */
static void refuses_to_sign(void)
{
	struct sign_secret secret;
	struct bytes b, after;
	struct fixture f;
	struct why why;

	CHECK_EQ(sign_secret_parse(&secret, "sonde-ed25519-secret " SEED_TEXT, 65, &why), 0);
	CHECK_EQ(sign_file(in_dir("none"), &secret, &why), -ENOENT);
	save(&f, "bad", true);
	b = bytes_read(in_dir("bad"));
	bytes_write(in_dir("bad"), b.p, b.len - 1);
	CHECK_EQ(sign_file(in_dir("bad"), &secret, &why), -EINVAL);
	after = bytes_read(in_dir("bad"));
	CHECK(after.len == b.len - 1 && !memcmp(after.p, b.p, after.len));
	free(after.p);
	free(b.p);
	fixture_free(&f);
}

static void refused(const struct sign_trust *t, const char *path, const char *reason)
{
	struct why why = { "" };
	struct model *m;

	CHECK_EQ(sign_load(&m, path, t, &why), -EKEYREJECTED);
	if (!strstr(why.text, reason) || !strstr(why.text, path)) {
		fprintf(stderr, "\"%s\" is not in: %s\n", reason, why.text);
		exit(1);
	}
}

static void taken(const struct sign_trust *t, const char *path)
{
	struct model *m;
	struct why why = { "" };

	if (sign_load(&m, path, t, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	CHECK_EQ(m->spec.channels, 3);
	model_free(m);
}

static void trust(void)
{
	char folder[4096], anna_pub[4096], path[4096];
	struct sign_secret anna, ben;
	struct sign_public public;
	struct sign_trust *t;
	struct fixture f;
	struct bytes b;
	struct why why;

	snprintf(folder, sizeof folder, "%s", in_dir("trusted"));
	CHECK(!mkdir(folder, 0755));
	unlink(in_dir("anna.key"));
	unlink(in_dir("anna.pub"));
	CHECK_EQ(sign_key_make(&public, in_dir("anna"), &why), 0);
	CHECK_EQ(sign_key_make(&public, in_dir("trusted/ben"), &why), 0);
	CHECK_EQ(sign_secret_read(&anna, in_dir("anna.key"), &why), 0);
	CHECK_EQ(sign_secret_read(&ben, in_dir("trusted/ben.key"), &why), 0);
	snprintf(anna_pub, sizeof anna_pub, "%s", in_dir("anna.pub"));
	save(&f, "m", true);
	snprintf(path, sizeof path, "%s", in_dir("m"));

	/* Nobody asks. */
	CHECK_EQ(sign_trust_open(&t, "", "", &why), 0);
	CHECK(!t);
	taken(t, path);

	CHECK_EQ(sign_trust_open(&t, folder, "", &why), 0);
	refused(t, path, "not signed");
	CHECK_EQ(sign_file(path, &anna, &why), 0);
	refused(t, path, "signed by ");
	refused(t, path, "is no key of");
	CHECK_EQ(sign_file(path, &ben, &why), 0);
	taken(t, path);
	b = bytes_read(path);
	b.p[b.len - SIGN_BYTES - 100] ^= 1;
	bytes_write(path, b.p, b.len);
	refused(t, path, "changed after");
	b.p[b.len - SIGN_BYTES - 100] ^= 1;
	/* Another's key in the place of the signer's. */
	memcpy(b.p + b.len - 32, anna.bytes + 32, 32);
	bytes_write(path, b.p, b.len);
	refused(t, path, "does not fit");
	bytes_write(path, "x", 1);
	refused(t, path, "too short");
	sign_trust_close(t);

	/* A folder and a file: either will do. A bad key in the folder bars nobody else. */
	bytes_write(in_dir("trusted/broken.pub"), "sonde-ed25519-public x\n", 23);
	bytes_write(in_dir("trusted/README"), "x", 1);
	fixture_free(&f);
	save(&f, "m", true);
	CHECK_EQ(sign_file(path, &anna, &why), 0);
	CHECK_EQ(sign_trust_open(&t, folder, anna_pub, &why), 0);
	taken(t, path);
	CHECK_EQ(sign_file(path, &ben, &why), 0);
	taken(t, path);
	sign_trust_close(t);
	CHECK_EQ(sign_trust_open(&t, "", anna_pub, &why), 0);
	refused(t, path, "is no key of");
	sign_trust_close(t);
	CHECK(!unlink(in_dir("trusted/ben.pub")));
	CHECK_EQ(sign_trust_open(&t, folder, "", &why), 0);
	refused(t, path, "broken.pub");
	sign_trust_close(t);
	/* No good key at all, or no folder: closed, not open. */
	CHECK(!unlink(in_dir("trusted/broken.pub")));
	CHECK_EQ(sign_trust_open(&t, folder, "", &why), 0);
	CHECK(t);
	refused(t, path, "there is no key");
	sign_trust_close(t);
	CHECK_EQ(sign_trust_open(&t, in_dir("nowhere"), "", &why), -ENOENT);
	CHECK_EQ(sign_trust_open(&t, "", in_dir("nowhere.pub"), &why), -EINVAL);
	CHECK(strstr(why.text, "trusted key"));
	free(b.p);
	fixture_free(&f);
}

int main(void)
{
	char remove[4200];

	CHECK(mkdtemp(dir));
	golden();
	texts();
	key_files();
	signed_model(true);
	signed_model(false);
	refuses_to_sign();
	trust();
	snprintf(remove, sizeof remove, "rm -rf '%s'", dir);
	return system(remove) != 0;
}
