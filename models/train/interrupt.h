/* SPDX-License-Identifier: MIT */
/* interrupt: Ctrl-C ends the learning, not the program; the second one ends the program. */
#ifndef SONDE_TRAIN_INTERRUPT_H
#define SONDE_TRAIN_INTERRUPT_H

#include <signal.h>

/* From now on; becomes nonzero. What learn_options.stop wants. */
const volatile sig_atomic_t *interrupt_catch(void);

#endif
