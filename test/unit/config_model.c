// SPDX-License-Identifier: MIT
/*
 * The keys that decide which models run: trusted keys and the shadow. What is not there is a
 * warning, or a mistake when strict; what is no absolute path is a mistake always.
 */
#include "test/unit/config_fixture.h"

static void says(const char *message)
{
	char want[512];

	CHECK_EQ(reports.n, 1);
	snprintf(want, sizeof want, "%s:%s", file, message);
	CHECK_STR(reports.text[0], want);
}

int main(void)
{
	static const char missing_keys[] =
		"[agent]\ntrusted_keys = /nowhere/keys\n" PIPELINE SENSOR;
	static const char missing_shadow[] =
		PIPELINE "shadow = /nowhere/next.safetensors\n" SENSOR;
	struct config *c;

	CHECK(mkdtemp(folder) != NULL);
	snprintf(file, sizeof file, "%s/test.conf", folder);

	c = load(PIPELINE SENSOR);
	CHECK_STR(c->trusted_keys, "");
	CHECK_STR(c->trusted_key, "");
	CHECK_STR(c->pipeline[0].shadow, "");
	config_free(c);

	c = load("[agent]\ntrusted_keys = /tmp\ntrusted_key = /dev/null\n" PIPELINE
		 "shadow = /dev/null\n" SENSOR);
	CHECK_EQ(reports.n, 0);
	CHECK_STR(c->trusted_keys, "/tmp");
	CHECK_STR(c->trusted_key, "/dev/null");
	CHECK_STR(c->pipeline[0].shadow, "/dev/null");
	config_free(c);

	config_free(load_bytes(missing_keys, sizeof missing_keys - 1, false, 0));
	says("2: trusted_keys = /nowhere/keys: No such file or directory");
	load_bytes(missing_keys, sizeof missing_keys - 1, true, -EINVAL);
	config_free(load_bytes(missing_shadow, sizeof missing_shadow - 1, false, 0));
	says("2: shadow = /nowhere/next.safetensors: No such file or directory");

	/* Never quietly without: that would let everything in. */
	refuse(2, "trusted_keys = keys: a path must begin with /",
	       "[agent]\ntrusted_keys = keys\n" PIPELINE SENSOR);
	refuse(2, "trusted_key = : nothing after the =",
	       "[agent]\ntrusted_key =\n" PIPELINE SENSOR);
	refuse(2, "trusted_kes = /etc: [agent] has no key of this name; did you mean trusted_keys?",
	       "[agent]\ntrusted_kes = /etc\n" PIPELINE SENSOR);
	unlink(file);
	CHECK(!rmdir(folder));
	return 0;
}
