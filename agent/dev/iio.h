/* SPDX-License-Identifier: MIT */
/* iio: which of its two ways an open device goes. Its units are in the folder's contract. */
#ifndef SONDE_IIO_H
#define SONDE_IIO_H

#include "agent/dev/dev.h"

/* How an open one is read: DEV_PATH_POLL when buffered, DEV_PATH_WORKER when not. */
enum dev_path iio_path(const struct dev *d);

#endif
