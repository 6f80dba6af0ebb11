// SPDX-License-Identifier: MIT
/*
 * fc_xnn: the int8 operator as one of XNNPACK's, qd8_f32_qc8w.
 *
 * "qd8" means dynamically quantised: the library expects zero point and scale with
 * every run. They are 0 and 1 here for ever, because the step was folded into the
 * weights' scales; what is left is fmaf(sum, scale, bias). A dynamic operator writes its step
 * there before a run. Created, reshaped and set up once; a run touches only the tensors.
 *
 * XNNPACK is kept from AMX, which it would choose for every operator where there is any:
 * configuring tiles costs 110 ns a run, a trap and 8 KiB of state per thread, and one
 * row fills a sixteenth of a tile.
 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <xnnpack.h>

#include "kernels/fc_impl.h"
#include "kernels/why.h"

_Static_assert(FC_PAD >= XNN_EXTRA_BYTES, "XNNPACK reads further beyond a tensor than FC_PAD");

struct xnn_state {
	struct xnn_quantization_params params[1 + XNN_EXTRA_QUANTIZATION_PARAMS];
	xnn_operator_t op;
};

static pthread_once_t started = PTHREAD_ONCE_INIT;
static enum xnn_status start_status;

/*
 * AMX is had by asking (ARCH_REQ_XCOMP_PERM), and the kernel refuses it to a process
 * with an alternate signal stack too small for a frame with tiles in it (x86's
 * validate_sigaltstack). Such a stack stands here while XNNPACK asks. It is large
 * enough for any signal that comes meanwhile, and of no effect elsewhere.
 */
static void start(void)
{
	char space[8192];
	stack_t small = { .ss_sp = space, .ss_size = sizeof space }, before;
	int err = sigaltstack(&small, &before);

	start_status = xnn_initialize(NULL);
	if (!err)
		sigaltstack(&before, NULL);
}

int fc_xnn_error(int status, const char *what, struct why *why)
{
	switch ((enum xnn_status)status) {
	case xnn_status_success:
		return 0;
	case xnn_status_out_of_memory:
		return why_set(why, -ENOMEM, "XNNPACK: %s: out of memory", what);
	case xnn_status_unsupported_hardware:
	case xnn_status_unsupported_parameter:
	case xnn_status_uninitialized:
		return why_set(why, -ENOTSUP, "XNNPACK: %s: not on this machine (status %d)", what,
			       status);
	default:
		return why_set(why, -EINVAL, "XNNPACK: %s: status %d", what, status);
	}
}

int fc_xnn_start(struct why *why)
{
	pthread_once(&started, start);
	return fc_xnn_error(start_status, "start", why);
}

static void close_xnn(struct fc *fc)
{
	struct xnn_state *s = fc->state;

	if (!s)
		return;
	if (s->op)
		xnn_delete_operator(s->op);
	free(s);
}

/* A kernel of several rows reads the parameters of rows that are not there. */
static void set_step(struct xnn_state *s, float step)
{
	for (unsigned i = 0; i < sizeof s->params / sizeof *s->params; i++)
		s->params[i].scale = step;
}

static int open_xnn(struct fc *fc, struct why *why)
{
	const struct fc_spec *spec = &fc->spec;
	struct xnn_state *s;
	enum xnn_status status;
	int err = fc_xnn_start(why);

	if (err)
		return err;
	s = calloc(1, sizeof *s);
	if (!s)
		return why_set(why, -ENOMEM, "out of memory");
	fc->state = s;
	set_step(s, 1);
	status = xnn_create_fully_connected_nc_qd8_f32_qc8w(
		spec->in, spec->out, spec->in, spec->out, spec->scale, spec->weight, spec->bias,
		-INFINITY, INFINITY, 0, NULL, NULL, &s->op);
	if (status != xnn_status_success)
		return fc_xnn_error(status, "create", why);
	status = xnn_reshape_fully_connected_nc_qd8_f32_qc8w(s->op, 1, NULL);
	if (status != xnn_status_success)
		return fc_xnn_error(status, "reshape", why);
	status = xnn_setup_fully_connected_nc_qd8_f32_qc8w(s->op, fc->x, fc->y, s->params);
	return fc_xnn_error(status, "setup", why);
}

static void run_xnn(struct fc *fc)
{
	struct xnn_state *s = fc->state;

	if (fc->spec.dynamic)
		set_step(s, fc->step);
	xnn_run_operator(s->op, NULL);
}

const struct fc_ops fc_xnn = {
	.name = "xnnpack", .open = open_xnn, .close = close_xnn, .run = run_xnn,
};
