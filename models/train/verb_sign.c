// SPDX-License-Identifier: MIT
/*
 * verb_sign: `sonde model key` and `sonde model sign`. A key is made without a password: it is
 * as safe as the file, which is why the file is its owner's alone.
 */
#include <getopt.h>
#include <string.h>

#include "kernels/why.h"
#include "models/sign.h"
#include "models/train/report_deploy.h"
#include "models/train/verb.h"

const char key_help[] =
	"  -o, --output NAME    NAME.key signs, NAME.pub is for those who are to trust it;\n"
	"                       neither may be there yet\n"
	"  -j, --json           the report as JSON\n";

const char sign_help[] =
	"  MODEL                the signature goes into the file, in place of an older one\n"
	"  --key NAME.key       as `sonde model key` has made it\n"
	"  -j, --json           the report as JSON\n";

int verb_key(int argc, char **argv, struct why *why)
{
	static const struct option options[] = {
		{ "output", 1, 0, 'o' }, { "json", 0, 0, 'j' }, { 0 },
	};
	struct sign_public key;
	const char *name = NULL;
	bool json = false;
	int o, err;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "o:j", options, NULL)) != -1)
		switch (o) {
		case 'o': name = optarg; break;
		case 'j': json = true; break;
		default: return option_unknown(argc, argv, why);
		}
	if (optind < argc)
		return why_set(why, VERB_USAGE, "%s: not expected here", argv[optind]);
	if (!name || !*name)
		return why_set(why, VERB_USAGE, "-o is missing");
	err = sign_key_make(&key, name, why);
	return err ? err : report_key(&key, name, json);
}

int verb_sign(int argc, char **argv, struct why *why)
{
	static const struct option options[] = {
		{ "key", 1, 0, 'k' }, { "json", 0, 0, 'j' }, { 0 },
	};
	struct sign_secret secret;
	struct sign_public public;
	const char *key = NULL;
	bool json = false;
	int o, err;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "j", options, NULL)) != -1)
		switch (o) {
		case 'k': key = optarg; break;
		case 'j': json = true; break;
		default: return option_unknown(argc, argv, why);
		}
	if (argc - optind != 1)
		return why_set(why, VERB_USAGE, "one model file is wanted");
	if (!key)
		return why_set(why, VERB_USAGE, "--key is missing");
	err = sign_secret_read(&secret, key, why);
	if (err)
		return err;
	sign_secret_public(&public, &secret);
	err = sign_file(argv[optind], &secret, why);
	sign_secret_forget(&secret);
	return err ? err : report_signed(&public, argv[optind], json);
}
