/* SPDX-License-Identifier: MIT */
/*
 * import: a net that PyTorch trained, put into a float model whose other parts come from
 * elsewhere: another model, or a fit to a recording.
 *
 * A dict without a linear part does not say what its net forecasts: the next row, or what
 * a linear forecast leaves of it. With a recording both are tried, by the detector that will run,
 * and the one with the smaller error on held-out rows is kept; without one it is the latter.
 */
#ifndef SONDE_TRAIN_IMPORT_H
#define SONDE_TRAIN_IMPORT_H

#include "models/train/torch.h"

struct recording;

enum import_linear {
	IMPORT_LINEAR_DICT,	/* the dict's */
	IMPORT_LINEAR_BASE,	/* the model's, beside the net */
	IMPORT_LINEAR_NONE	/* zero: the net forecasts the row by itself */
};

struct import_report {
	enum import_linear linear;
	bool measured;			/* the losses below are known */
	/* Held out, mean square of each channel in deviations, over all channels. */
	double loss_linear;		/* of the linear part that the model had */
	double loss_net;		/* of the model as it is now; NAN: an autoencoder */
	bool lost_graph, lost_quick;	/* the model had one, which read another net's state */
};

/*
 * Put net into d->m, a whole float model without or with a net of its own, for its channels.
 * rec: normal operation; limits are measured again on it, by folds where the other parts were
 * fitted to it (refit.h). NULL: those of d->m stay, which
 * needs a model that had a recurrent view. Arrays of net are borrowed or kept by d. -EINVAL:
 * channels that do not fit, an int8 model; and what calibrate and torch_rescale return.
 */
int import_net(struct draft *d, const struct torch_net *net, const struct recording *rec,
	       struct import_report *report, struct why *why);

#endif
