// SPDX-License-Identifier: MIT
/*
 * report_deploy: see report_deploy.h.
 */
#include "models/train/report_deploy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-json.h>

#include "models/model.h"
#include "models/train/about.h"
#include "models/train/deploy.h"
#include "models/train/report.h"

static int put_json(sd_json_variant *v, int err)
{
	if (err >= 0)
		err = sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	sd_json_variant_unref(v);
	return err < 0 ? err : 0;
}

static const char *state_word(const struct about *a)
{
	static const char *const word[] = {
		[SIGN_NONE] = "none", [SIGN_FITS] = "fits", [SIGN_BROKEN] = "broken",
	};

	return word[a->sign.state];
}

static int sign_json(sd_json_variant **v, const struct about *a)
{
	char key[SIGN_KEY_TEXT];

	sign_public_text(key, &a->sign.key);
	return sd_json_buildo(v, SD_JSON_BUILD_PAIR_STRING("state", state_word(a)),
			      SD_JSON_BUILD_PAIR_CONDITION(a->sign.state != SIGN_NONE, "key",
							   SD_JSON_BUILD_STRING(key)));
}

static int parts_json(sd_json_variant **v, const struct about *a)
{
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned i = 0; err >= 0 && i < a->parts; i++)
		err = sd_json_variant_append_arraybo(v,
			SD_JSON_BUILD_PAIR_STRING("name", a->part[i].name),
			SD_JSON_BUILD_PAIR_STRING("what", a->part[i].what),
			SD_JSON_BUILD_PAIR_UNSIGNED("tensors", a->part[i].tensors),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", a->part[i].bytes),
			SD_JSON_BUILD_PAIR_UNSIGNED("products", a->part[i].products));
	return err;
}

static const char *kind_word(const struct about_kind *k)
{
	return !k->err ? "passed" : k->err == -EBADMSG ? "failed" : "not here";
}

static int kinds_json(sd_json_variant **v, const struct about *a)
{
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned i = 0; err >= 0 && i < a->kinds; i++)
		err = sd_json_variant_append_arraybo(v,
			SD_JSON_BUILD_PAIR_STRING("kernel", a->kind[i].name),
			SD_JSON_BUILD_PAIR_STRING("result", kind_word(&a->kind[i])));
	return err;
}

/* Views by name, with their weights in the score. */
static int views_json(sd_json_variant **v, const struct model *m)
{
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned i = 0; err >= 0 && i < VIEWS; i++)
		if (m->spec.view[i].weight > 0)
			err = sd_json_variant_append_arraybo(v,
				SD_JSON_BUILD_PAIR_STRING("name",
					detector_view_name((enum detector_view)i)),
				SD_JSON_BUILD_PAIR_REAL("weight", (double)m->spec.view[i].weight));
	return err;
}

static int show_json(const struct model *m, const struct about *a, const char *path)
{
	sd_json_variant *v = NULL, *sign = NULL, *parts = NULL, *views = NULL;
	int err = report_model_build(&v, m, path, a->bytes);

	if (err >= 0)
		err = sign_json(&sign, a);
	if (err >= 0)
		err = parts_json(&parts, a);
	if (err >= 0)
		err = views_json(&views, m);
	if (err >= 0)
		err = sd_json_variant_merge_objectbo(&v,
			SD_JSON_BUILD_PAIR_STRING("sha256", a->sha256),
			SD_JSON_BUILD_PAIR_VARIANT("signature", sign),
			SD_JSON_BUILD_PAIR_VARIANT("views", views),
			SD_JSON_BUILD_PAIR_VARIANT("parts", parts),
			SD_JSON_BUILD_PAIR_UNSIGNED("header_bytes", a->header_bytes),
			SD_JSON_BUILD_PAIR_UNSIGNED("padding_bytes", a->padding_bytes),
			SD_JSON_BUILD_PAIR_UNSIGNED("products", a->products),
			SD_JSON_BUILD_PAIR_REAL("row_us", a->row_ns / 1e3),
			SD_JSON_BUILD_PAIR_STRING("row_kernel", a->row_kernel));
	sd_json_variant_unref(sign);
	sd_json_variant_unref(parts);
	sd_json_variant_unref(views);
	return put_json(v, err);
}

static void sign_text(const struct about *a, const char *more)
{
	char key[SIGN_KEY_TEXT];

	sign_public_text(key, &a->sign.key);
	if (a->sign.state == SIGN_NONE)
		printf("signature       none\n");
	else if (a->sign.state == SIGN_BROKEN)
		printf("signature       BROKEN: the file was changed after %s signed it\n", key);
	else
		printf("signature       by %s%s\n", key, more);
}

static void parts_text(const struct about *a)
{
	printf("%-16s %8s %10s %10s\n", "part", "tensors", "bytes", "products");
	for (unsigned i = 0; i < a->parts; i++)
		printf("%-16s %8u %10llu %10llu  %s\n", a->part[i].name, a->part[i].tensors,
		       (unsigned long long)a->part[i].bytes,
		       (unsigned long long)a->part[i].products, a->part[i].what);
	printf("%-16s %8s %10llu\n", "header", "", (unsigned long long)a->header_bytes);
	printf("%-16s %8s %10llu %10s  to multiples of 64 bytes\n", "padding", "",
	       (unsigned long long)a->padding_bytes, "");
	printf("%-16s %8u %10llu %10llu\n", "all", a->tensors, (unsigned long long)a->bytes,
	       (unsigned long long)a->products);
}

int report_show(const struct model *m, const struct about *a, const char *path, bool json)
{
	int err;

	if (json)
		return show_json(m, a, path);
	err = report_model(m, path, a->bytes, false);
	putchar('\n');
	parts_text(a);
	printf("\nfile            sha256 %s\n", a->sha256);
	sign_text(a, "");
	printf("cost            %llu products a row; %.2f us here (median, %s)\n",
	       (unsigned long long)a->products, a->row_ns / 1e3, a->row_kernel);
	return err;
}

/* The lines that compile and verify share. */
static void file_text(const struct model *m, const struct about *a, const char *path)
{
	printf("model           %s: %s, %s\n", path, m->name, model_precision(m));
	printf("size            %llu bytes in %u tensors\n", (unsigned long long)a->bytes,
	       a->tensors);
	printf("sha256          %s\n", a->sha256);
	printf("self-test       %u rows:", m->test_rows);
	for (unsigned i = 0; i < a->kinds; i++)
		printf("%s %s %s", i ? "," : "", a->kind[i].name, kind_word(&a->kind[i]));
	putchar('\n');
}

static int file_json(sd_json_variant **v, const struct model *m, const struct about *a,
		     const char *path)
{
	sd_json_variant *kinds = NULL, *sign = NULL;
	int err = kinds_json(&kinds, a);

	if (err >= 0)
		err = sign_json(&sign, a);
	if (err >= 0)
		err = sd_json_buildo(v,
			SD_JSON_BUILD_PAIR_STRING("model", m->name),
			SD_JSON_BUILD_PAIR_STRING("file", path),
			SD_JSON_BUILD_PAIR_STRING("precision", model_precision(m)),
			SD_JSON_BUILD_PAIR_UNSIGNED("bytes", a->bytes),
			SD_JSON_BUILD_PAIR_UNSIGNED("tensors", a->tensors),
			SD_JSON_BUILD_PAIR_STRING("sha256", a->sha256),
			SD_JSON_BUILD_PAIR_UNSIGNED("test_rows", m->test_rows),
			SD_JSON_BUILD_PAIR_VARIANT("self_test", kinds),
			SD_JSON_BUILD_PAIR_VARIANT("signature", sign));
	sd_json_variant_unref(kinds);
	sd_json_variant_unref(sign);
	return err;
}

int report_compile(const struct model *m, const struct deploy *c, const struct about *a,
		   const char *path, bool json)
{
	sd_json_variant *v = NULL;
	int err;

	if (json) {
		err = file_json(&v, m, a, path);
		if (err >= 0)
			err = sd_json_variant_merge_objectbo(&v,
				SD_JSON_BUILD_PAIR_BOOLEAN("quantised", c->quantised),
				SD_JSON_BUILD_PAIR_BOOLEAN("test_made", c->test_made),
				SD_JSON_BUILD_PAIR_CONDITION(c->quantised, "correlation",
					SD_JSON_BUILD_REAL(c->report.correlation)));
		return put_json(v, err);
	}
	file_text(m, a, path);
	if (c->quantised)
		printf("quantised       correlation %.5f with float32 over %u rows, "
		       "largest difference %.3f medians\n", c->report.correlation, c->report.rows,
		       c->report.max_difference);
	if (c->test_made)
		printf("remark          it came without a self-test: "
		       "this one's rows are made up\n");
	return 0;
}

int report_verify(const struct model *m, const struct about *a, const char *path, bool trusted,
		  bool json)
{
	sd_json_variant *v = NULL;
	int err;

	if (json) {
		err = file_json(&v, m, a, path);
		if (err >= 0)
			err = sd_json_variant_merge_objectbo(&v,
				SD_JSON_BUILD_PAIR_BOOLEAN("trusted", trusted));
		return put_json(v, err);
	}
	file_text(m, a, path);
	sign_text(a, trusted ? ", the key that was asked for"
			     : "; --key tells whether that is whom you trust");
	return 0;
}

int report_signed(const struct sign_public *key, const char *path, bool json)
{
	char text[SIGN_KEY_TEXT];
	sd_json_variant *v = NULL;
	int err;

	sign_public_text(text, key);
	if (!json) {
		printf("%s: signed by %s\n", path, text);
		return 0;
	}
	err = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("file", path),
			     SD_JSON_BUILD_PAIR_STRING("key", text));
	return put_json(v, err);
}

int report_key(const struct sign_public *key, const char *path, bool json)
{
	char text[SIGN_KEY_TEXT], secret[4096], public[4096];
	sd_json_variant *v = NULL;
	int err;

	sign_public_text(text, key);
	snprintf(secret, sizeof secret, "%s.key", path);
	snprintf(public, sizeof public, "%s.pub", path);
	if (!json) {
		printf("%s: signs; keep it to yourself\n", secret);
		printf("%s: goes to whoever is to trust it: %s\n", public, text);
		return 0;
	}
	err = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("secret", secret),
			     SD_JSON_BUILD_PAIR_STRING("public", public),
			     SD_JSON_BUILD_PAIR_STRING("key", text));
	return put_json(v, err);
}
