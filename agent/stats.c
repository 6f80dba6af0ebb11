// SPDX-License-Identifier: MIT
/*
 * stats: makes and finds the stats page. The page is a BPF map where the kernel grants one,
 * so that bpftool can print it and it outlives the daemon in bpffs; otherwise a file
 * of the same layout. Either is complete before it has its name, and takes the
 * name by rename: a reader finds the old page or the new one, never a half-made one.
 * RUN_DIR/stats is the only name that readers know. Its contents are stats_page.c's.
 */
#include "agent/stats.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/bpf_log.h"
#include "kernels/why.h"
#include "stats.skel.h"

#define BPFFS "/sys/fs/bpf"
#define DEFAULT_RUN_DIR "/run/sonde"

/* kernel/bpf/arraymap.c, array_map_alloc: elements are rounded up to 8 bytes. */
#define STRIDE ((sizeof(struct sonde_stats) + 7) & ~(size_t)7)

struct stats_page {
	void *map;
	size_t len;
	unsigned pipelines;
};

static size_t map_len(unsigned pipelines)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (pipelines * STRIDE + page - 1) & ~(page - 1);
}

static int map_fd(struct stats_page *p, int fd, int prot, unsigned pipelines)
{
	p->len = map_len(pipelines);
	p->pipelines = pipelines;
	/* Populated: the pipeline's thread writes here and may not fault. */
	p->map = mmap(NULL, p->len, prot, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (p->map != MAP_FAILED)
		return 0;
	p->map = NULL;
	return -errno;
}

static void fill(struct stats_page *p)
{
	for (unsigned i = 0; i < p->pipelines; i++) {
		struct sonde_stats *s = stats_pipeline(p, i);

		s->magic = SONDE_STATS_MAGIC;
		s->version = SONDE_STATS_VERSION;
		s->size = sizeof(*s);
	}
}

/*
 * /sys/fs/bpf/sonde is the system daemon's. Any other run directory has its own, named by a
 * hash of its path (FNV-1a, 64 bit), so that a restart finds it again; bpffs allows no
 * dots and no nested names.
 */
static int pin_dir(const char *run_dir, char *dir, size_t size)
{
	char path[PATH_MAX], standard[PATH_MAX];
	uint64_t hash = 0xcbf29ce484222325;

	if (!realpath(run_dir, path))
		return -errno;
	if (!strcmp(path, DEFAULT_RUN_DIR) ||
	    (realpath(DEFAULT_RUN_DIR, standard) && !strcmp(path, standard))) {
		snprintf(dir, size, BPFFS "/sonde");
		return 0;
	}
	for (const char *c = path; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
	snprintf(dir, size, BPFFS "/sonde-%016llx", (unsigned long long)hash);
	return 0;
}

/* Put a link to target in RUN_DIR/stats in place of what is there. */
static int link_to(const char *run_dir, const char *target, struct why *why)
{
	char part[PATH_MAX], name[PATH_MAX];
	int err;

	snprintf(name, sizeof(name), "%s/stats", run_dir);
	snprintf(part, sizeof(part), "%s/stats.part", run_dir);
	if (unlink(part) && errno != ENOENT)
		return why_set(why, -errno, "%s: %s", part, strerror(errno));
	if (symlink(target, part) || rename(part, name)) {
		err = why_set(why, -errno, "%s: %s", name, strerror(errno));
		unlink(part);
		return err;
	}
	return 0;
}

static int pin(int fd, const char *dir, struct why *why)
{
	char part[128], name[128];
	int err;

	snprintf(part, sizeof(part), "%s/stats_part", dir);
	snprintf(name, sizeof(name), "%s/stats", dir);
	if (mkdir(dir, 0700) && errno != EEXIST)
		return why_set(why, -errno, "%s: %s", dir, strerror(errno));
	unlink(part);
	err = bpf_obj_pin(fd, part);
	if (!err && rename(part, name))
		err = -errno;
	if (!err)
		return 0;
	unlink(part);
	return why_set(why, err, "pinning %s: %s", name, strerror(-err));
}

static int bpffs_mounted(struct why *why)
{
	struct statfs fs;

	if (statfs(BPFFS, &fs))
		return why_set(why, -errno, BPFFS ": %s", strerror(errno));
	if (fs.f_type == BPF_FS_MAGIC)
		return 0;
	return why_set(why, -ENODEV, "no bpffs on " BPFFS ": mount -t bpf bpf " BPFFS);
}

/* libbpf raises RLIMIT_MEMLOCK itself on the kernels (before 5.11) that count maps there. */
static int create_bpf(struct stats_page *p, const char *run_dir, const char *dir,
		      unsigned pipelines, struct why *why)
{
	struct stats_bpf *skel;
	char target[128];
	int err, fd;

	err = bpffs_mounted(why);
	if (err)
		return err;
	bpf_log_begin();
	skel = stats_bpf__open();
	if (!skel)
		return why_set(why, -errno, "BPF object: %s", strerror(errno));
	err = bpf_map__set_max_entries(skel->maps.stats, pipelines);
	if (!err)
		err = stats_bpf__load(skel);
	if (err) {
		why_set(why, err, "no BPF map: %s%s%s", strerror(-err),
			bpf_log_first[0] ? ": " : "", bpf_log_first);
		goto out;
	}
	fd = bpf_map__fd(skel->maps.stats);
	err = map_fd(p, fd, PROT_READ | PROT_WRITE, pipelines);
	if (err) {
		why_set(why, err, "mapping the BPF map: %s", strerror(-err));
		goto out;
	}
	fill(p);
	err = pin(fd, dir, why);
	if (err)
		goto out;
	snprintf(target, sizeof(target), "%s/stats", dir);
	err = link_to(run_dir, target, why);
out:
	stats_bpf__destroy(skel);
	return err;
}

static int create_file(struct stats_page *p, const char *run_dir, unsigned pipelines,
		       struct why *why)
{
	char part[PATH_MAX], name[PATH_MAX];
	int fd, err;

	snprintf(name, sizeof(name), "%s/stats", run_dir);
	snprintf(part, sizeof(part), "%s/stats.part", run_dir);
	if (unlink(part) && errno != ENOENT)
		return why_set(why, -errno, "%s: %s", part, strerror(errno));
	fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return why_set(why, -errno, "%s: %s", part, strerror(errno));
	/* Allocated now: on a full tmpfs a later store would be a SIGBUS. */
	err = -posix_fallocate(fd, 0, pipelines * STRIDE);
	if (!err)
		err = map_fd(p, fd, PROT_READ | PROT_WRITE, pipelines);
	close(fd);
	if (!err) {
		fill(p);
		err = rename(part, name) ? -errno : 0;
	}
	if (!err)
		return 0;
	unlink(part);
	return why_set(why, err, "%s: %s", name, strerror(-err));
}

int stats_create(struct stats_page **out, const char *run_dir, unsigned pipelines,
		 int *bpf, struct why *why)
{
	char dir[64], stale[128];
	struct stats_page *p;
	int err;

	*out = NULL;
	if (!pipelines || pipelines > INT_MAX / STRIDE)
		return why_set(why, -EINVAL, "a stats page for %u pipelines", pipelines);
	err = pin_dir(run_dir, dir, sizeof(dir));
	if (err)
		return why_set(why, err, "%s: %s", run_dir, strerror(-err));
	p = calloc(1, sizeof(*p));
	if (!p)
		return why_set(why, -ENOMEM, "out of memory");
	if (!create_bpf(p, run_dir, dir, pipelines, why)) {
		if (bpf)
			*bpf = 1;
		*out = p;
		return 0;
	}
	/* A pin left by an earlier run would go on showing that run's numbers. */
	snprintf(stale, sizeof(stale), "%s/stats", dir);
	unlink(stale);
	rmdir(dir);
	if (p->map)
		munmap(p->map, p->len);
	p->map = NULL;
	if (bpf)
		*bpf = 0;
	err = create_file(p, run_dir, pipelines, why);
	if (err) {
		stats_close(p);
		return err;
	}
	*out = p;
	return 0;
}

/*
 * Not BPF_F_RDONLY: mmap takes VM_SHARED from a descriptor that can not write, and bpf_map_mmap
 * (kernel/bpf/syscall.c) refuses what is not shared. It also sees to it that a mapping
 * made without PROT_WRITE never gets it.
 */
static int attach_bpf(struct stats_page *p, const char *path, struct why *why)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	int err, fd;

	fd = bpf_obj_get(path);
	if (fd < 0)
		return why_set(why, fd, "%s: %s%s", path, strerror(-fd),
			       fd == -EPERM ? " (reading a BPF map needs root or CAP_BPF)" : "");
	err = bpf_map_get_info_by_fd(fd, &info, &len);
	if (!err && (info.type != BPF_MAP_TYPE_ARRAY || !(info.map_flags & BPF_F_MMAPABLE) ||
		     info.value_size != sizeof(struct sonde_stats)))
		err = -EINVAL;
	if (!err)
		err = map_fd(p, fd, PROT_READ, info.max_entries);
	close(fd);
	if (err)
		return why_set(why, err, "%s: %s", path, err == -EINVAL ?
			       "not a stats page of this version" : strerror(-err));
	return 0;
}

static int attach_file(struct stats_page *p, const char *path, struct why *why)
{
	struct stat st;
	int err = 0, fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st)) {
		err = why_set(why, -errno, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size % STRIDE ||
		   st.st_size / STRIDE > INT_MAX / STRIDE) {
		/* Beyond a file's end a mapping is a SIGBUS: its size decides first. */
		err = why_set(why, -EINVAL, "%s: not a stats page of this version (%lld bytes)",
			      path, (long long)st.st_size);
	} else {
		err = map_fd(p, fd, PROT_READ, st.st_size / STRIDE);
		if (err)
			why_set(why, err, "%s: %s", path, strerror(-err));
	}
	if (fd >= 0)
		close(fd);
	return err;
}

static int check(struct stats_page *p, const char *path, struct why *why)
{
	for (unsigned i = 0; i < p->pipelines; i++) {
		const struct sonde_stats *s = stats_pipeline(p, i);

		if (s->magic != SONDE_STATS_MAGIC)
			return why_set(why, -EINVAL, "%s: not a stats page", path);
		if (s->version != SONDE_STATS_VERSION || s->size != sizeof(*s))
			return why_set(why, -EINVAL, "%s: version %u of %u bytes, not %u of %zu: "
				       "sonde and sonded are of different versions",
				       path, s->version, s->size, SONDE_STATS_VERSION, sizeof(*s));
	}
	return 0;
}

int stats_attach(struct stats_page **out, const char *run_dir, struct why *why)
{
	struct stats_page *p;
	char path[PATH_MAX];
	struct statfs fs;
	struct stat st;
	int err;

	*out = NULL;
	snprintf(path, sizeof(path), "%s/stats", run_dir);
	if (statfs(path, &fs)) {
		err = -errno;
		if (err == -ENOENT && !lstat(path, &st))
			return why_set(why, err, "%s leads to a BPF map that is gone "
				       "(is bpffs mounted?)", path);
		return why_set(why, err, "%s: %s", path, err == -ENOENT ?
			       "no daemon has run here" : strerror(-err));
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return why_set(why, -ENOMEM, "out of memory");
	err = fs.f_type == BPF_FS_MAGIC ? attach_bpf(p, path, why) : attach_file(p, path, why);
	if (!err)
		err = check(p, path, why);
	if (err) {
		stats_close(p);
		return err;
	}
	*out = p;
	return 0;
}

void stats_close(struct stats_page *p)
{
	if (!p)
		return;
	if (p->map)
		munmap(p->map, p->len);
	free(p);
}

unsigned stats_pipelines(const struct stats_page *p)
{
	return p->pipelines;
}

struct sonde_stats *stats_pipeline(struct stats_page *p, unsigned i)
{
	return (struct sonde_stats *)((char *)p->map + i * STRIDE);
}
