// SPDX-License-Identifier: MIT
/*
 * tool: sonde-model, a program of its own so that the daemon's machine needs no BLAS. It
 * is looked for beside this binary (a build tree), in ../lib/sonde (an installation),
 * then in PATH. Under -j its output is made one JSON value and its complaint an
 * {"error": ...}, because whoever said -j will parse what comes.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/cli/cli.h"

#define TOOL "sonde-model"

static void exec_tool(char **argv)
{
	static const char *const beside[] = { "", "../lib/sonde/" };
	char self[PATH_MAX], path[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	for (unsigned i = 0; slash && i < 2; i++) {
		snprintf(path, sizeof(path), "%.*s/%s" TOOL, (int)(slash - self), self, beside[i]);
		execv(path, argv);
	}
	execvp(TOOL, argv);
}

/* All of a stream, NUL-terminated; what is read is also written to echo (-1: nowhere). */
static char *drain(int fd, int echo)
{
	size_t used = 0, room = 4096;
	char *text = malloc(room);
	ssize_t n;

	while (text && (n = read(fd, text + used, room - used - 1)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n < 0)
			continue;
		if (echo >= 0 && write(echo, text + used, n) < 0)
			echo = -1;
		used += n;
		if (room - used < 2048) {
			char *more = realloc(text, room *= 2);

			if (!more)
				free(text);
			text = more;
		}
	}
	if (text)
		text[used] = '\0';
	return text;
}

/* The reason stands on the first line that begins with the tool's name. */
static int complain(struct cli *c, const char *said, int code)
{
	const char *line = strstr(said, TOOL ": ");

	line = line ? line + strlen(TOOL ": ") : said;
	if (!*line)
		return cli_error(c, TOOL " ended with %d", code);
	cli_error(c, "%.*s", (int)strcspn(line, "\n"), line);
	return code == CLI_USAGE ? CLI_USAGE : CLI_FAILED;
}

/* `score` prints a number a row and has no JSON of its own. */
static int scores(sd_json_variant **out, char *text)
{
	sd_json_variant **v = NULL;
	size_t n = 0, room = 0;
	char *end;
	int r = 0;

	for (double d = strtod(text, &end); r >= 0 && end != text; d = strtod(text, &end)) {
		if (n == room) {
			sd_json_variant **more = realloc(v, (room = room * 2 + 256) * sizeof(*v));

			if (!more) {
				r = -ENOMEM;
				break;
			}
			v = more;
		}
		r = sd_json_variant_new_real(&v[n], cli_float(d));
		n += r >= 0;
		text = end;
	}
	if (r >= 0 && text[strspn(text, " \n")])
		r = sd_json_buildo(out, SD_JSON_BUILD_PAIR_STRING("output", cli_utf8(text)));
	else if (r >= 0)
		r = sd_json_buildo(out, SD_JSON_BUILD_PAIR_VARIANT_ARRAY("scores", v, n));
	if (v)	/* frees the array as well */
		sd_json_variant_unref_many(v, n);
	return r;
}

static int answer(struct cli *c, const char *verb, char *text)
{
	sd_json_variant *v = NULL;

	if (!strcmp(verb, "score"))
		return cli_json(c, scores(&v, text), &v);
	if (*text == '{')
		return cli_json(c, sd_json_parse(text, 0, &v, NULL, NULL), &v);
	return cli_json(c, sd_json_buildo(&v,
		SD_JSON_BUILD_PAIR_STRING("output", cli_utf8(text))), &v);
}

/* Child: what goes to standard output and error comes to us through files and a pipe. */
static int run_beside(struct cli *c, char **argv)
{
	FILE *output = tmpfile();
	char *said = NULL, *text = NULL;
	int fds[2], status = 0, r;
	pid_t pid;

	if (!output || pipe(fds)) {
		r = cli_error(c, TOOL ": %s", strerror(errno));
		goto out;
	}
	pid = fork();
	if (pid == 0) {
		dup2(fileno(output), STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		exec_tool(argv);
		dprintf(STDERR_FILENO, TOOL ": %s\n", strerror(errno));
		_exit(127);
	}
	close(fds[1]);
	said = pid > 0 ? drain(fds[0], STDERR_FILENO) : NULL;
	close(fds[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	lseek(fileno(output), 0, SEEK_SET);
	text = drain(fileno(output), -1);
	if (!said || !text)
		r = cli_error(c, TOOL ": %s", strerror(pid < 0 ? EAGAIN : ENOMEM));
	else if (!WIFEXITED(status))
		r = cli_error(c, TOOL " was killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status))
		r = complain(c, said, WEXITSTATUS(status));
	else
		r = answer(c, argv[1], text);
out:
	free(said);
	free(text);
	if (output)
		fclose(output);
	return r;
}

int tool_run(struct cli *c, char **argv)
{
	if (c->format != CLI_TEXT)
		return run_beside(c, argv);
	exec_tool(argv);
	return cli_error(c, TOOL ": %s", strerror(errno));
}
