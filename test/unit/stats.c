// SPDX-License-Identifier: MIT
/*
 * The stats page over both backends: what a writer puts in, a reader in another mapping or process
 * gets, whole; what is not a page of this version is refused. The file backend is had by
 * refusing bpf(). `stats create DIR` leaves a page behind for test/system/bpf.sh.
 */
#include "agent/stats.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "kernels/why.h"
#include "test/unit/refuse.h"

static char dir[] = "/tmp/sonde-stats-XXXXXX";
static char name[PATH_MAX];

static void clean(void)
{
	char pin[PATH_MAX] = "", *slash;

	if (readlink(name, pin, sizeof(pin) - 1) > 0 && !strncmp(pin, "/sys/fs/bpf/sonde-", 18)) {
		unlink(pin);
		slash = strrchr(pin, '/');
		*slash = '\0';
		rmdir(pin);
	}
	unlink(name);
}

static struct stats_page *create(unsigned pipelines, int want_bpf)
{
	struct stats_page *p;
	struct why why = { "" };
	struct stat st;
	int bpf = -1;

	CHECK_EQ(stats_create(&p, dir, pipelines, &bpf, &why), 0);
	CHECK_EQ(bpf, want_bpf);
	CHECK(bpf ? !why.text[0] : !!why.text[0]);
	CHECK(!lstat(name, &st));
	CHECK(bpf ? S_ISLNK(st.st_mode) : S_ISREG(st.st_mode));
	return p;
}

static struct stats_page *attach(void)
{
	struct stats_page *p;
	struct why why = { "" };
	int err = stats_attach(&p, dir, &why);

	if (err)
		fprintf(stderr, "%s\n", why.text);
	CHECK_EQ(err, 0);
	return p;
}

/* One value in every field that a thread's tick sets: a torn copy has two. */
static void write_tick(struct sonde_tick *t, uint64_t k)
{
	stats_write_begin(&t->seq);
	t->ticks = t->missed = t->scored = t->t_ns = k;
	for (unsigned i = 0; i < SONDE_HIST_BUCKETS; i++)
		t->latency.bucket[i] = t->lateness.bucket[i] = t->step.bucket[i] = k;
	for (unsigned i = 0; i < SONDE_CHANNELS_MAX; i++)
		t->channel[i].samples = t->channel[i].age_ns = k;
	stats_write_end(&t->seq);
}

static void check_tick(const struct sonde_tick *t, uint64_t k)
{
	CHECK_EQ(t->ticks, k);
	CHECK_EQ(t->missed, k);
	CHECK_EQ(t->scored, k);
	CHECK_EQ(t->t_ns, k);
	for (unsigned i = 0; i < SONDE_HIST_BUCKETS; i++)
		CHECK(t->latency.bucket[i] == k && t->lateness.bucket[i] == k &&
		      t->step.bucket[i] == k);
	for (unsigned i = 0; i < SONDE_CHANNELS_MAX; i++)
		CHECK(t->channel[i].samples == k && t->channel[i].age_ns == k);
}

static void test_elements(int bpf)
{
	struct stats_page *w = create(3, bpf), *r = attach();
	struct sonde_stats copy;

	CHECK_EQ(stats_pipelines(w), 3);
	CHECK_EQ(stats_pipelines(r), 3);
	for (unsigned i = 0; i < 3; i++) {
		struct sonde_stats *s = stats_pipeline(w, i);

		CHECK_EQ(stats_read(r, i, &copy), 0);
		CHECK_EQ(copy.magic, SONDE_STATS_MAGIC);
		CHECK_EQ(copy.size, sizeof(copy));
		CHECK_EQ(copy.host.pid, 0);
		check_tick(&copy.tick, 0);
		write_tick(&s->tick, 100 + i);
		stats_write_begin(&s->host.seq);
		s->host.pid = 7 + i;
		s->host.pad = 9 + i;
		stats_write_end(&s->host.seq);
	}
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(stats_read(r, i, &copy), 0);
		check_tick(&copy.tick, 100 + i);
		CHECK_EQ(copy.host.pid, 7 + i);
		CHECK_EQ(copy.host.pad, 9 + i);
	}
	CHECK_EQ(stats_read(r, 3, &copy), -EINVAL);
	stats_close(r);
	stats_close(w);
	stats_close(NULL);
	clean();
}

static void test_read_only(int bpf)
{
	struct stats_page *w = create(1, bpf), *r = attach();
	int status;
	pid_t pid = fork();

	if (!pid) {
		/* The sanitizers' handlers would make a report of it. */
		signal(SIGSEGV, SIG_DFL);
		stats_pipeline(r, 0)->magic = 0;
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	stats_close(r);
	stats_close(w);
	clean();
}

static void test_wedged(int bpf)
{
	struct stats_page *w = create(1, bpf), *r = attach();
	struct sonde_stats *s = stats_pipeline(w, 0), copy;

	stats_write_begin(&s->tick.seq);
	CHECK_EQ(stats_read(r, 0, &copy), -EAGAIN);
	stats_write_end(&s->tick.seq);
	CHECK_EQ(stats_read(r, 0, &copy), 0);
	stats_write_begin(&s->host.seq);
	s->tick.missed = 3;
	s->host.pid = 5;
	CHECK_EQ(stats_read(r, 0, &copy), -EAGAIN);
	/* A daemon that died there: the copy is what there was, for those who say so. */
	CHECK_EQ(copy.tick.missed, 3);
	CHECK_EQ(copy.host.pid, 5);
	stats_close(r);
	stats_close(w);
	clean();
}

static bool stop;

static void *writer(void *stats)
{
	struct sonde_stats *s = stats;
	uint64_t k = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		write_tick(&s->tick, ++k);
		/* Long enough for a copy to get through now and then, even under a sanitizer. */
		if (!(k % 16))
			nanosleep(&(struct timespec){ .tv_nsec = 30000 }, NULL);
	}
	return NULL;
}

static void test_torn(int bpf)
{
	struct stats_page *w = create(1, bpf), *r = attach();
	unsigned read = 0, changed = 0;
	struct timespec now, end;
	struct sonde_stats copy;
	uint64_t last = 0;
	pthread_t thread;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec++;
	stop = false;
	CHECK(!pthread_create(&thread, NULL, writer, stats_pipeline(w, 0)));
	do {
		int err = stats_read(r, 0, &copy);

		CHECK(!err || err == -EAGAIN);
		if (!err) {
			check_tick(&copy.tick, copy.tick.ticks);
			CHECK(copy.tick.ticks >= last);
			changed += copy.tick.ticks != last;
			last = copy.tick.ticks;
			read++;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec || now.tv_nsec < end.tv_nsec);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	printf("%s: %u copies of %u states\n", bpf ? "bpf" : "file", read, changed);
	CHECK(changed > 20);
	stats_close(r);
	stats_close(w);
	clean();
}

static void test_crash(int bpf)
{
	struct sonde_stats copy;
	struct stats_page *r;
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct stats_page *w = create(2, bpf);

		write_tick(&stats_pipeline(w, 1)->tick, 42);
		raise(SIGKILL);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	r = attach();
	CHECK_EQ(stats_pipelines(r), 2);
	CHECK_EQ(stats_read(r, 1, &copy), 0);
	check_tick(&copy.tick, 42);
	stats_close(r);
	clean();
}

static unsigned entries(const char *path)
{
	DIR *d = opendir(path);
	unsigned n = 0;

	CHECK(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void test_replaced(int bpf)
{
	struct stats_page *w1 = create(1, bpf), *r1, *w2, *r2;
	char pin[PATH_MAX] = "";
	struct sonde_stats copy;

	write_tick(&stats_pipeline(w1, 0)->tick, 1);
	r1 = attach();
	w2 = create(2, bpf);
	write_tick(&stats_pipeline(w2, 0)->tick, 2);
	r2 = attach();
	CHECK_EQ(stats_pipelines(r2), 2);
	CHECK_EQ(stats_read(r2, 0, &copy), 0);
	check_tick(&copy.tick, 2);
	CHECK_EQ(stats_read(r1, 0, &copy), 0);
	check_tick(&copy.tick, 1);
	CHECK_EQ(entries(dir), 1);
	if (bpf) {
		CHECK(readlink(name, pin, sizeof(pin) - 1) > 0);
		*strrchr(pin, '/') = '\0';
		CHECK_EQ(entries(pin), 1);
	}
	stats_close(r1);
	stats_close(r2);
	stats_close(w1);
	stats_close(w2);
	/* clean() is not called: what is left is replaced by the next test, too. */
}

static void put_file(const void *data, size_t size)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static void refused(int want)
{
	struct stats_page *p = (void *)1;
	struct why why = { "" };

	CHECK_EQ(stats_attach(&p, dir, &why), want);
	CHECK(!p && why.text[0]);
}

static void test_refused(void)
{
	struct sonde_stats good = {
		.magic = SONDE_STATS_MAGIC, .version = SONDE_STATS_VERSION, .size = sizeof(good),
	}, s;
	static const size_t sizes[] = { 0, 1, 16, sizeof(good) - 1, sizeof(good) + 1 };
	char bytes[sizeof(good) + 1];

	clean();
	refused(-ENOENT);
	CHECK(!symlink("/sys/fs/bpf/sonde-nothing/stats", name));
	refused(-ENOENT);
	unlink(name);
	put_file(&good, sizeof(good));
	stats_close(attach());
	s = good;
	s.magic ^= 1;
	put_file(&s, sizeof(s));
	refused(-EINVAL);
	s = good;
	s.version++;
	put_file(&s, sizeof(s));
	refused(-EINVAL);
	s = good;
	s.size -= 8;
	put_file(&s, sizeof(s));
	refused(-EINVAL);
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, &good, sizeof(good));
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		put_file(bytes, sizes[i]);
		refused(-EINVAL);
	}
	unlink(name);
	CHECK(!mkfifo(name, 0600));
	refused(-EINVAL);
	unlink(name);
	CHECK(!mkdir(name, 0700));
	refused(-EINVAL);
	rmdir(name);
}

/* Pinned maps that are not a stats page, though their first bytes may say so. */
static void test_refused_map(void)
{
	static const struct {
		unsigned type, flags, size, magic;
	} maps[] = {
		{ BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE, sizeof(struct sonde_stats), 0 },
		{ BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE, sizeof(struct sonde_stats) - 8, 1 },
		{ BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE, sizeof(struct sonde_stats) + 8, 1 },
		{ BPF_MAP_TYPE_ARRAY, 0, sizeof(struct sonde_stats), 1 },
		{ BPF_MAP_TYPE_HASH, 0, sizeof(struct sonde_stats), 1 },
	};
	struct sonde_stats good[2] = { {
		.magic = SONDE_STATS_MAGIC, .version = SONDE_STATS_VERSION, .size = sizeof(good[0]),
	} };
	char pin[64];

	snprintf(pin, sizeof(pin), "/sys/fs/bpf/sonde-test-%d", getpid());
	CHECK(!symlink(pin, name));
	for (unsigned i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
		LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = maps[i].flags);
		int fd = bpf_map_create(maps[i].type, "other", 4, maps[i].size, 1, &o);

		CHECK(fd >= 0 && !bpf_obj_pin(fd, pin));
		if (maps[i].magic)
			CHECK(!bpf_map_update_elem(fd, &(int){ 0 }, good, BPF_ANY));
		close(fd);
		refused(-EINVAL);
		unlink(pin);
	}
	unlink(name);
}

static void test_bad_arguments(void)
{
	struct stats_page *p;
	struct why why = { "" };

	CHECK_EQ(stats_create(&p, dir, 0, NULL, &why), -EINVAL);
	CHECK_EQ(stats_create(&p, dir, UINT_MAX, NULL, &why), -EINVAL);
	CHECK_EQ(stats_create(&p, "/tmp/sonde-stats-not-there", 1, NULL, &why), -ENOENT);
	CHECK(!p);
}

static void test_page(const void *arg)
{
	int bpf = *(const int *)arg;

	if (!bpf)
		refuse_call(SYS_bpf, EPERM);
	test_elements(bpf);
	test_read_only(bpf);
	test_wedged(bpf);
	test_torn(bpf);
	test_crash(bpf);
	test_replaced(bpf);
}

static int leave_page(const char *run_dir)
{
	struct stats_page *p;
	struct why why = { "" };
	struct sonde_stats *s;
	int bpf;

	CHECK_EQ(stats_create(&p, run_dir, 2, &bpf, &why), 0);
	if (!bpf)
		SKIP_BECAUSE("%s", why.text);
	s = stats_pipeline(p, 1);
	stats_write_begin(&s->tick.seq);
	s->tick.ticks = 12345;
	s->tick.channels = 1;
	s->tick.score = 1.5;
	s->tick.latency.bucket[7] = 77;
	strcpy(s->tick.channel[0].name, "cpu0.busy");
	strcpy(s->tick.channel[0].unit, "%");
	s->tick.channel[0].value = 1;
	s->tick.channel[0].samples = 99;
	stats_write_end(&s->tick.seq);
	stats_write_begin(&s->host.seq);
	strcpy(s->host.name, "main");
	s->host.worst_pid = 4321;
	stats_write_end(&s->host.seq);
	stats_close(p);
	return 0;
}

int main(int argc, char **argv)
{
	char pin[PATH_MAX] = "";
	struct stats_page *p;
	struct why why = { "" };
	int bpf;

	if (argc == 3 && !strcmp(argv[1], "create"))
		return leave_page(argv[2]);
	CHECK(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/stats", dir);
	test_bad_arguments();
	CHECK_EQ(stats_create(&p, dir, 1, &bpf, &why), 0);
	stats_close(p);
	clean();
	if (bpf)
		in_child(test_page, &bpf);
	else
		printf("not tested over BPF: %s\n", why.text);
	/* Begins with what the other backend left behind, and ends likewise. */
	CHECK(!bpf || readlink(name, pin, sizeof(pin) - 1) > 0);
	in_child(test_page, &(int){ 0 });
	CHECK(access(pin, F_OK) && errno == ENOENT);
	if (bpf) {
		in_child(test_page, &bpf);
		clean();
		test_refused_map();
	}
	test_refused();
	CHECK(!rmdir(dir));
	return 0;
}
