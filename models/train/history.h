/* SPDX-License-Identifier: MIT */
/*
 * history: what the daemon has stored of normal operation, as a recording to learn from. Its event
 * store keeps the ticks around each alarm; those before it, outside of any alarm, fault or
 * missed ticks, and under the limit, are rows like a capture's. It is read without the daemon's
 * code: the layout is that of agent/store_db.h, and test/unit/history.c holds both to it.
 */
#ifndef SONDE_TRAIN_HISTORY_H
#define SONDE_TRAIN_HISTORY_H

struct table;
struct why;

#define HISTORY_ROWS_MIN 256u	/* of normal operation: fewer teach nothing */
#define HISTORY_PIECE_MIN 16u	/* rows without a break; shorter pieces are left out */
#define HISTORY_GAP 8u		/* rows of NaN between pieces: more than fit's lags */

/*
 * A CSV as table_read has it or, by its first bytes, an event store, which is only read, also
 * beside a running daemon. pipeline NULL: the only one in it. The channels are those of its newest
 * window; windows of others are passed over. Result: table_free; its sha256 is of the values.
 *
 * -EINVAL: several pipelines and none named, an unknown name (both list what there is), a name
 * given with a CSV, too little history; -EBADMSG: damaged; -ENOTSUP: of another version.
 */
int history_read(struct table **out, const char *path, const char *pipeline, struct why *why);

#endif
