/* SPDX-License-Identifier: MIT */
/* control_impl: what control.c, control_json.c and control_idl.c share. */
#ifndef SONDE_CONTROL_IMPL_H
#define SONDE_CONTROL_IMPL_H

#include <systemd/sd-varlink.h>
#include <systemd/sd-varlink-idl.h>

#include "agent/control.h"
#include "agent/daemon.h"

/* control_idl.c */
extern const sd_varlink_interface vl_interface_io_sonde_Agent;

/* control_json.c: each 0 or -errno; the result is the caller's. */
int control_json_event(sd_json_variant **out, const struct store_event *e);
int control_json_describe(sd_json_variant **out, const struct daemon *d);
int control_json_notes(sd_json_variant **out, const struct daemon_notes *notes);

#endif
