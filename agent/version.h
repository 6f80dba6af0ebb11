/* SPDX-License-Identifier: MIT */
/* version: one number for the daemon, the tool and the trainer. */
#ifndef SONDE_VERSION_H
#define SONDE_VERSION_H

#define SONDE_VERSION "0.1.0"

#endif
