// SPDX-License-Identifier: MIT
/*
 * board_emulator: QEMU as a child, its console on pipes, QMP (properties of devices) and
 * qtest (levels of inputs) on sockets that are listened on before it is started, so that there
 * is no waiting for its files to appear. Calls are synchronous: a property is set when
 * the answer has come.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/vm/board.h"

#define ANSWER_MS 20000

double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int send_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t got = send(fd, p, n, MSG_NOSIGNAL);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -EIO;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

/* One line, in time; the sockets are slow ones, a byte a call is good enough. */
static int read_line(int fd, char *p, size_t size)
{
	double until = now_s() + ANSWER_MS / 1e3;
	size_t n = 0;

	for (;;) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		double left_ms = (until - now_s()) * 1e3;

		if (left_ms <= 0 || poll(&wait, 1, (int)left_ms + 1) == 0)
			return -ETIMEDOUT;
		if (read(fd, p + n, 1) != 1)
			return -EIO;
		if (p[n] == '\n')
			break;
		if (n + 2 < size)
			n++;
	}
	p[n] = 0;
	return 0;
}

/* QMP sends events between answers: an answer has "return" or "error". */
static int qmp_call(struct emulator *e, const char *command)
{
	char answer[2048];
	int rc = send_all(e->qmp, command, strlen(command));

	while (!rc) {
		rc = read_line(e->qmp, answer, sizeof(answer));
		if (!rc && strstr(answer, "\"error\"")) {
			fprintf(e->log, "[qmp: %s: %.*s]\n", answer, (int)strcspn(command, "\n"), command);
			return -EINVAL;
		}
		if (!rc && strstr(answer, "\"return\""))
			break;
	}
	return rc;
}

int emulator_property(struct emulator *e, const char *id, const char *property, const char *value)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "{\"execute\":\"qom-set\",\"arguments\":{\"path\":\"/machine/peripheral/%s\","
		 "\"property\":\"%s\",\"value\":%s}}\n", id, property, value);
	return qmp_call(e, command);
}

int emulator_line(struct emulator *e, const char *chip, int line, int level)
{
	char command[128];
	int rc;

	snprintf(command, sizeof(command), "set_irq_in /machine/soc/%s unnamed-gpio-in %d %d\n", chip,
		 line, level);
	rc = send_all(e->qtest, command, strlen(command));
	if (!rc)
		rc = read_line(e->qtest, command, sizeof(command));
	return rc ? rc : strncmp(command, "OK", 2) ? -EINVAL : 0;
}

static int listen_on(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1)) {
		perror(path);
		exit(1);
	}
	return fd;
}

static int accept_from(int listener, const char *path)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	int fd = poll(&p, 1, ANSWER_MS) > 0 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;

	close(listener);
	unlink(path);
	return fd;
}

/* The child's side of start: the parent's death ends it too, whatever the parent dies of. */
static void become(const int *in, const int *out, char **args)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in[0], 0);
	dup2(out[1], 1);
	dup2(out[1], 2);
	close(in[0]);
	close(in[1]);
	close(out[0]);
	close(out[1]);
	execvp(args[0], args);
	perror(args[0]);
	_exit(127);
}

int emulator_start(struct emulator *e, FILE *log, char **argv, int n)
{
	char dir[] = "/tmp/sonde-vm.XXXXXX", qmp[64], qtest[64], qmp_arg[80], qtest_arg[80];
	char *more[] = { "-qmp", qmp_arg, "-qtest", qtest_arg, "-qtest-log", "/dev/null", NULL };
	char **args = calloc((size_t)n + 8, sizeof(*args));
	int out[2], in[2], qmp_fd, qtest_fd;
	char hello[1024];

	*e = (struct emulator){ .pid = -1, .out = -1, .in = -1, .qmp = -1, .qtest = -1, .log = log };
	if (!args || !mkdtemp(dir) || pipe(out) || pipe(in)) {
		free(args);
		return -errno;
	}
	snprintf(qmp, sizeof(qmp), "%s/qmp", dir);
	snprintf(qtest, sizeof(qtest), "%s/qtest", dir);
	snprintf(qmp_arg, sizeof(qmp_arg), "unix:%s", qmp);
	snprintf(qtest_arg, sizeof(qtest_arg), "unix:%s", qtest);
	memcpy(args, argv, (size_t)n * sizeof(*args));
	memcpy(args + n, more, sizeof(more));
	qmp_fd = listen_on(qmp);
	qtest_fd = listen_on(qtest);
	e->pid = fork();
	if (e->pid == 0)
		become(in, out, args);
	free(args);
	close(in[0]);
	close(out[1]);
	e->in = in[1];
	e->out = out[0];
	e->qmp = accept_from(qmp_fd, qmp);
	e->qtest = accept_from(qtest_fd, qtest);
	rmdir(dir);
	if (e->pid < 0 || e->qmp < 0 || e->qtest < 0 || read_line(e->qmp, hello, sizeof(hello)))
		return -EIO;
	return qmp_call(e, "{\"execute\":\"qmp_capabilities\"}\n");
}

double emulator_waited_s(const struct emulator *e)
{
	unsigned long long waited, sum = 0;
	struct dirent *d;
	char path[320];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)e->pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)e->pid, d->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fscanf(f, "%*u %llu", &waited) == 1)
			sum += waited;
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return (double)sum / 1e9;
}

void emulator_end(struct emulator *e)
{
	if (e->pid > 0) {
		kill(e->pid, SIGKILL);
		waitpid(e->pid, NULL, 0);
	}
}
