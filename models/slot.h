/* SPDX-License-Identifier: MIT */
/*
 * slot: the file that a pipeline's model is loaded from (`live`) and the one that was there
 * before it. Beside NAME.safetensors lies NAME.previous.safetensors, the one to roll back
 * to. Each change takes effect with one rename, so that whoever is killed at any point, or
 * loses power, leaves the state of before or that of after: a model is always live, whole.
 *
 * The step that a change can be cut off in leaves NAME.outgoing.safetensors, a copy of what
 * was live: the next slot_open tells by its contents whether the change had taken effect, and
 * ends or forgets it.
 */
#ifndef SONDE_SLOT_H
#define SONDE_SLOT_H

#include <stdbool.h>
#include <stddef.h>

struct why;

#define SLOT_PATH_MAX 4096

struct slot {
	char live[SLOT_PATH_MAX], previous[SLOT_PATH_MAX], outgoing[SLOT_PATH_MAX];
	int folder;			/* held locked: one change at a time */
};

/*
 * Waits for a change that another process has under way, then mends what one that was cut
 * off has left. live need not exist; its folder must. Errors: -errno. Result: slot_close.
 */
int slot_open(struct slot *s, const char *live, struct why *why);
void slot_close(struct slot *s);

bool slot_has_previous(const struct slot *s);

/*
 * Asked when the new file is live: may it stay? Otherwise (an error with the reason) all is
 * put back as it was. NULL: it may.
 */
typedef int slot_accept(void *user, struct why *why);

/*
 * Make these bytes live; what was live becomes the previous one, and the previous one goes.
 * -EALREADY: they are live, nothing was changed; nor was it after any other error, but for
 * a last fsync that failed: then the change is there and may not outlive a power cut.
 */
int slot_promote(struct slot *s, const void *data, size_t len, slot_accept *accept, void *user,
		 struct why *why);

/*
 * Make the previous one live again; what was live goes. -ENOENT: there is none.
 */
int slot_rollback(struct slot *s, slot_accept *accept, void *user, struct why *why);

#endif
