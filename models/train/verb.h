/* SPDX-License-Identifier: MIT */
/*
 * verb: what `sonde-model` can be told to do. One table of these (main.c) drives
 * dispatch and help. A verb does not print its errors: it gives its reason up.
 */
#ifndef SONDE_TRAIN_VERB_H
#define SONDE_TRAIN_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct why;

struct verb {
	const char *name;
	const char *synopsis;	/* what follows the name */
	const char *summary;	/* one line, for the list */
	const char *help;	/* the options, a line each */
	/* 0, -errno with the reason, or VERB_USAGE: the command line is wrong. */
	int (*run)(int argc, char **argv, struct why *why);
};

#define VERB_USAGE 1

int verb_compile(int argc, char **argv, struct why *why);
int verb_bench(int argc, char **argv, struct why *why);
int verb_eval(int argc, char **argv, struct why *why);
int verb_fit(int argc, char **argv, struct why *why);
int verb_export(int argc, char **argv, struct why *why);
int verb_general(int argc, char **argv, struct why *why);
int verb_import(int argc, char **argv, struct why *why);
int verb_key(int argc, char **argv, struct why *why);
int verb_distill(int argc, char **argv, struct why *why);
int verb_profile(int argc, char **argv, struct why *why);
int verb_prune(int argc, char **argv, struct why *why);
int verb_quantize(int argc, char **argv, struct why *why);
int verb_score(int argc, char **argv, struct why *why);
int verb_search(int argc, char **argv, struct why *why);
int verb_show(int argc, char **argv, struct why *why);
int verb_sign(int argc, char **argv, struct why *why);
int verb_verify(int argc, char **argv, struct why *why);

extern const char compile_help[], key_help[], sign_help[], verify_help[];
extern const char eval_help[], export_help[], general_help[], import_help[];
extern const char distill_help[], prune_help[], search_help[];
extern const char bench_help[], profile_help[];
extern const char fit_help[], quantize_help[], score_help[], show_help[];

/* For getopt_long's '?' and ':' and for numbers out of range: VERB_USAGE with the reason. */
int option_unknown(int argc, char **argv, struct why *why);
int option_count(unsigned *out, const char *name, const char *text, unsigned least,
		 unsigned most, struct why *why);
int option_seed(uint64_t *out, const char *text, struct why *why);
/* "level,spread" to bits of enum detector_view; "64M" to bytes. */
int option_views(unsigned *out, const char *text, struct why *why);
int option_bytes(size_t *out, const char *name, const char *text, struct why *why);
int option_hz(double *out, const char *text, struct why *why);

#endif
