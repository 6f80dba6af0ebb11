// SPDX-License-Identifier: MIT
/* interrupt: see interrupt.h. */
#include "models/train/interrupt.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	interrupted = 1;
}

const volatile sig_atomic_t *interrupt_catch(void)
{
	struct sigaction act = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &act, NULL);
	return &interrupted;
}
