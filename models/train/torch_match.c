// SPDX-License-Identifier: MIT
/*
 * torch_match: which tensors of a state dict are ours. An LSTM is known by its members'
 * names, which PyTorch fixes; the other parts by name where they have ours, next to the LSTM, and
 * the head else by its shape. Nothing is guessed where two would do: then the user is asked.
 */
#include "models/train/torch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/train/torch_impl.h"

struct torch_module torch_module_of(const char *name, const char **leaf)
{
	const char *dot = strrchr(name, '.');

	*leaf = dot ? dot + 1 : name;
	return (struct torch_module){ name, dot ? (unsigned)(dot - name) : 0 };
}

const struct st_tensor *torch_find(const struct torch_search *s, struct torch_module m,
				   const char *leaf)
{
	for (unsigned i = 0; i < s->file->tensors; i++) {
		const char *name = s->file->tensor[i].name;

		if (m.len && (strncmp(name, m.name, m.len) || name[m.len] != '.'))
			continue;
		if (!strcmp(name + (m.len ? m.len + 1 : 0), leaf))
			return &s->file->tensor[i];
	}
	return NULL;
}

void torch_claim(const struct torch_search *s, const struct st_tensor *t, const char *what)
{
	struct torch_fate *fate;

	if (!t)
		return;
	fate = &s->map->fate[t - s->file->tensor];
	fate->taken = true;
	snprintf(fate->note, sizeof fate->note, "%s", what);
}

int torch_want_shape(const struct torch_search *s, const struct st_tensor *t, unsigned dims,
		     uint64_t rows, uint64_t columns)
{
	const uint64_t want[2] = { rows, columns };
	char got_text[64], want_text[64];

	if (t->dims == dims && t->shape[0] == rows && (dims < 2 || t->shape[1] == columns))
		return 0;
	st_shape_text(got_text, sizeof got_text, t->shape, t->dims);
	st_shape_text(want_text, sizeof want_text, want, dims);
	return why_set(s->why, -EINVAL, "tensor %.64s has shape %s, expected %s", t->name, got_text,
		       want_text);
}

static struct torch_module named(const char *name)
{
	return (struct torch_module){ name, (unsigned)strlen(name) };
}

/* Does the last part of a module's name begin with "dec"? */
static bool tells_again(struct torch_module m)
{
	unsigned at = m.len;

	while (at && m.name[at - 1] != '.')
		at--;
	return m.len - at >= 3 && !strncmp(m.name + at, "dec", 3);
}

void torch_list(const struct torch_search *s, char *out, size_t size, const char *leaf,
		bool shapes)
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < s->file->tensors; i++) {
		const struct st_tensor *t = &s->file->tensor[i];
		char shape[64] = "";
		const char *got;
		struct torch_module m = torch_module_of(t->name, &got);

		if (strcmp(got, leaf) || (shapes && t->dims != 2) || n >= size)
			continue;
		if (shapes)
			st_shape_text(shape, sizeof shape, t->shape, 2);
		n += (size_t)snprintf(out + n, size - n, "%s%.*s%s%s", n ? ", " : "",
				      m.len ? (int)m.len : 9, m.len ? m.name : "(no name)",
				      shapes ? " " : "", shape);
	}
}

/* The LSTM, and an autoencoder's second (name NULL: it has none). */
static int choose_lstm(const struct torch_search *s, struct torch_module chosen[2])
{
	const struct torch_names *names = s->names;
	struct torch_module found[2] = { { 0 } };
	unsigned n = 0;
	char list[160];

	for (unsigned i = 0; i < s->file->tensors; i++) {
		const char *leaf;
		struct torch_module m = torch_module_of(s->file->tensor[i].name, &leaf);

		if (strcmp(leaf, "weight_ih_l0"))
			continue;
		if (n < 2)
			found[n] = m;
		n++;
	}
	chosen[0] = names->lstm ? named(names->lstm) : found[0];
	chosen[1] = names->decoder ? named(names->decoder) : (struct torch_module){ 0 };
	if (names->lstm || (n == 1 && !names->decoder))
		return 0;
	if (!n)
		return why_set(s->why, -EINVAL, "no LSTM: no tensor's name ends in weight_ih_l0");
	if (n == 2 && !names->decoder && tells_again(found[0]) != tells_again(found[1])) {
		chosen[0] = found[tells_again(found[0])];
		chosen[1] = found[!tells_again(found[0])];
		return 0;
	}
	torch_list(s, list, sizeof list, "weight_ih_l0", false);
	return why_set(s->why, -EINVAL, "%u LSTMs: %s: say with --lstm, for an autoencoder with "
		       "--decoder as well, which to take", n, list);
}

/* Everything that an nn.LSTM may have and we have not, by its name. */
static int check_members(const struct torch_search *s, struct torch_module lstm, unsigned layers)
{
	static const char *const member[] = { "weight_ih_l", "weight_hh_l", "weight_hr_l",
					      "bias_ih_l", "bias_hh_l" };

	for (unsigned i = 0; i < s->file->tensors; i++) {
		const struct st_tensor *t = &s->file->tensor[i];
		const char *leaf;
		struct torch_module m = torch_module_of(t->name, &leaf);
		unsigned k = 0;

		if (m.len != lstm.len || strncmp(m.name, lstm.name, m.len))
			continue;
		while (k < 5 && strncmp(leaf, member[k], strlen(member[k])))
			k++;
		if (k == 5)
			continue;
		leaf += strlen(member[k]);
		if (k == 2)
			return why_set(s->why, -EINVAL, "tensor %.64s: an LSTM with projections "
				       "(proj_size) is none of ours", t->name);
		if (strstr(leaf, "_reverse"))
			return why_set(s->why, -EINVAL, "tensor %.64s: a second direction would "
				       "need rows that are yet to come", t->name);
		if (leaf[0] < '0' || leaf[0] >= '0' + (int)layers || leaf[1])
			return why_set(s->why, -EINVAL, "tensor %.64s: expected at most %u layer%s",
				       t->name, layers, layers > 1 ? "s" : "");
	}
	return 0;
}

static int check_gates(const struct torch_search *s, const struct st_tensor *hh)
{
	uint64_t rows = hh->shape[0], hidden = hh->shape[1];

	if (hh->dims == 2 && hidden && rows == 3 * hidden)
		return why_set(s->why, -EINVAL, "tensor %.64s has 3 gates: a GRU, not an LSTM",
			       hh->name);
	if (hh->dims != 2 || !hidden || hidden > MODEL_HIDDEN_MAX)
		return why_set(s->why, -EINVAL, "tensor %.64s: expected [4 H, H] with H of 1 to %d",
			       hh->name, MODEL_HIDDEN_MAX);
	return torch_want_shape(s, hh, 2, 4 * hidden, hidden);
}

/* One layer into map->gates[g]. inputs 0: whatever it has. */
static int take_layer(const struct torch_search *s, unsigned g, struct torch_module lstm,
		      unsigned layer, unsigned inputs)
{
	static const char *const member[] = { "weight_ih", "weight_hh", "bias_ih", "bias_hh" };
	const struct st_tensor *t[4];
	struct torch_map *map = s->map;
	char name[32], what[TORCH_NOTE_MAX];
	int err;

	for (unsigned k = 0; k < 4; k++) {
		snprintf(name, sizeof name, "%s_l%u", member[k], layer);
		t[k] = torch_find(s, lstm, name);
		if (!t[k] && k < 2)
			return why_set(s->why, -EINVAL, "tensor %.*s%s%s is missing",
				       (int)lstm.len, lstm.name, lstm.len ? "." : "", name);
		snprintf(what, sizeof what, "%s, %s", g ? "gates2" : "gates", member[k]);
		torch_claim(s, t[k], what);
	}
	err = check_gates(s, t[1]);
	if (err)
		return err;
	if (!g) {
		map->hidden = (unsigned)t[1]->shape[1];
		if (t[0]->dims != 2 || !t[0]->shape[1] || t[0]->shape[1] > MODEL_CHANNELS_MAX)
			return why_set(s->why, -EINVAL, "tensor %.64s: expected [%u, N] with N of "
				       "1 to %d", t[0]->name, 4 * map->hidden, MODEL_CHANNELS_MAX);
		map->channels = inputs = (unsigned)t[0]->shape[1];
	}
	err = torch_want_shape(s, t[0], 2, 4 * map->hidden, inputs);
	if (!err)
		err = torch_want_shape(s, t[1], 2, 4 * map->hidden, map->hidden);
	for (unsigned k = 2; !err && k < 4; k++)
		if (t[k])
			err = torch_want_shape(s, t[k], 1, 4 * map->hidden, 0);
	map->gates[g].ih = t[0];
	map->gates[g].hh = t[1];
	map->gates[g].bias_ih = t[2];
	map->gates[g].bias_hh = t[3];
	return err;
}

int torch_match_lstm(struct torch_search *s)
{
	struct torch_module lstm[2];
	struct torch_map *map = s->map;
	unsigned most = RECURRENT_LAYERS_MAX;
	int err = choose_lstm(s, lstm);

	if (err)
		return err;
	map->kind = lstm[1].name ? RECURRENT_AUTOENCODER : RECURRENT_FORECAST;
	if (lstm[1].name)
		most = 1;
	err = check_members(s, lstm[0], most);
	if (!err && lstm[1].name)
		err = check_members(s, lstm[1], most);
	if (!err)
		err = take_layer(s, 0, lstm[0], 0, 0);
	if (err)
		return err;
	map->layers = most == 2 && torch_find(s, lstm[0], "weight_ih_l1") ? 2 : 1;
	if (map->layers == 2)
		err = take_layer(s, 1, lstm[0], 1, map->hidden);
	else if (lstm[1].name)
		err = take_layer(s, 1, lstm[1], 0, map->hidden);
	s->root = lstm[0];
	while (s->root.len && s->root.name[--s->root.len] != '.')
		;
	return err;
}

static int match_all(struct torch_search *s)
{
	int err = torch_match_lstm(s);

	if (!err)
		err = torch_match_graph(s);
	if (!err)
		err = torch_match_dense(s);
	return err ? err : torch_match_norm(s);
}

int torch_match(struct torch_map *map, const struct st_file *f, const struct torch_names *names,
		struct why *why)
{
	struct torch_search s = { .file = f, .map = map, .names = names, .why = why };
	int err;

	*map = (struct torch_map){ .tensors = f->tensors };
	map->fate = calloc(f->tensors + 1, sizeof *map->fate);
	if (!map->fate)
		return why_set(why, -ENOMEM, "no memory for %u tensors", f->tensors);
	for (unsigned i = 0; i < f->tensors; i++)
		strcpy(map->fate[i].note, strncmp(f->tensor[i].name, "pad.", 4) ?
		       "no part of a model" : "padding");
	err = match_all(&s);
	if (err)
		torch_unmatch(map);
	return err;
}

void torch_unmatch(struct torch_map *map)
{
	free(map->fate);
	*map = (struct torch_map){ 0 };
}
