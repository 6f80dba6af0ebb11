// SPDX-License-Identifier: MIT
/*
 * verb_verify: `sonde model verify`: would this file do, on this machine, and is it from whom
 * it should be? It ends with 1 and the reason when one answer is no. Stricter than the
 * daemon, which goes on with the next kind of kernel when one rounds otherwise.
 */
#include <errno.h>
#include <getopt.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/sign.h"
#include "models/train/about.h"
#include "models/train/report_deploy.h"
#include "models/train/verb.h"

const char verify_help[] =
	"  MODEL           its structure, its self-test bit for bit with each kind of kernel, its\n"
	"                  signature if it has one\n"
	"  --key K.pub     it has to be signed by this key\n"
	"  -j, --json      the report as JSON\n";

static int judge(const struct about *a, const struct model *m, struct why *why)
{
	char key[SIGN_KEY_TEXT];

	if (a->sign.state == SIGN_BROKEN) {
		sign_public_text(key, &a->sign.key);
		return why_set(why, -EKEYREJECTED, "its signature does not fit: it was changed "
			       "after %s signed it", key);
	}
	if (!m->test_rows)
		return why_set(why, -ENODATA,
			       "it has no self-test: `sonde model compile` gives it one");
	for (unsigned i = 0; i < a->kinds; i++)
		if (a->kind[i].err == -EBADMSG || (a->kind[i].err && i == a->kinds - 1)) {
			*why = a->kind[i].why;
			return why_in(why, a->kind[i].err, "%s kernels", a->kind[i].name);
		}
	return 0;
}

static int verify(const char *path, const char *key, bool json, struct why *why)
{
	struct sign_trust *trust;
	struct about a;
	struct model *m;
	int err = sign_trust_open(&trust, "", key ? key : "", why);

	if (err)
		return err;
	err = sign_load(&m, path, trust, why);
	sign_trust_close(trust);
	if (err)
		return err;
	err = about_file(&a, m->memory, m->memory_size, why);
	if (!err) {
		about_test(&a, m);
		err = judge(&a, m, why);
	}
	if (err)
		why_in(why, err, "%s", path);
	else
		err = report_verify(m, &a, path, key != NULL, json);
	model_free(m);
	return err;
}

int verb_verify(int argc, char **argv, struct why *why)
{
	static const struct option options[] = {
		{ "key", 1, 0, 'k' }, { "json", 0, 0, 'j' }, { 0 },
	};
	const char *key = NULL;
	bool json = false;
	int o;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "j", options, NULL)) != -1)
		switch (o) {
		case 'k': key = optarg; break;
		case 'j': json = true; break;
		default: return option_unknown(argc, argv, why);
		}
	if (argc - optind != 1)
		return why_set(why, VERB_USAGE, "one model file is wanted");
	if (key && !*key)
		return why_set(why, VERB_USAGE, "--key: an empty name");
	return verify(argv[optind], key, json, why);
}
