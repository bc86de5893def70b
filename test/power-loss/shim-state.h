/*
 * What the interposed calls in shim.c share: the real functions, the table of tracked descriptors, the operation log,
 * the control page and the faults. Included by shim.c alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* ---- the real functions ------------------------------------------------------------------------------------- */

static struct {
  int (*openat)(int, const char *, int, ...);
  int (*close)(int);
  int (*dup)(int);
  int (*dup2)(int, int);
  int (*dup3)(int, int, int);
  int (*fcntl)(int, int, ...);
  ssize_t (*write)(int, const void *, size_t);
  ssize_t (*writev)(int, const struct iovec *, int);
  ssize_t (*pwritev)(int, const struct iovec *, int, off_t);
  int (*ftruncate)(int, off_t);
  int (*truncate)(const char *, off_t);
  int (*fallocate)(int, int, off_t, off_t);
  int (*fsync)(int);
  int (*fdatasync)(int);
  int (*renameat2)(int, const char *, int, const char *, unsigned);
  int (*unlinkat)(int, const char *, int);
  int (*mkdirat)(int, const char *, mode_t);
  int (*linkat)(int, const char *, int, const char *, int);
  void *(*mmap)(void *, size_t, int, int, int, off_t);
  ssize_t (*sendfile)(int, int, off_t *, size_t);
  ssize_t (*copy_file_range)(int, off_t *, int, off_t *, size_t, unsigned);
  FILE *(*fopen)(const char *, const char *);
  long (*syscall)(long, ...);
} real;

#define RESOLVE(name) *(void **)&real.name = dlsym(RTLD_NEXT, #name)

static void resolve_real(void) {
  RESOLVE(openat), RESOLVE(close), RESOLVE(dup), RESOLVE(dup2), RESOLVE(dup3), RESOLVE(fcntl), RESOLVE(write);
  RESOLVE(writev), RESOLVE(pwritev), RESOLVE(ftruncate), RESOLVE(truncate), RESOLVE(fallocate), RESOLVE(fsync);
  RESOLVE(fdatasync), RESOLVE(renameat2), RESOLVE(unlinkat), RESOLVE(mkdirat), RESOLVE(linkat), RESOLVE(mmap);
  RESOLVE(sendfile), RESOLVE(copy_file_range), RESOLVE(fopen), RESOLVE(syscall);
}

/* ---- state -------------------------------------------------------------------------------------------------- */

/** The control page (image/control, mapped shared, 512 bytes of u64): read by the harness, also after the kill. */
enum slot {
  SLOT_MAGIC,     /* 1 once the shim is in force */
  SLOT_ARMED,     /* faults and NOSYNC act only while this is not 0; the harness may write it */
  SLOT_IN_FLIGHT, /* tracked calls whose effect may not be in the log yet */
  SLOT_WRITES,
  SLOT_SYNCS,
  SLOT_OPENS,
  SLOT_NAMES,     /* creations, renames, unlinks, directories */
  SLOT_FAULTS,    /* calls that were made to fail */
  SLOT_SKIPPED,   /* sync calls that NOSYNC made to do nothing */
  SLOT_COUNT = 64
};

enum record {
  REC_START = 1, REC_CREATE, REC_WRITE, REC_TRUNCATE, REC_SYNC_BEGIN, REC_SYNC_END, REC_MKDIR, REC_UNLINK,
  REC_RENAME, REC_LINK, REC_MAP, REC_UNMODELLED
};

struct header {
  uint32_t magic, type;
  uint64_t inode, a, b;
  uint32_t length, zero;
};

/** One open file below the directory. Never freed: a call may still hold it while another thread closes. */
struct file {
  dev_t device;
  ino_t inode;
  int flags;
  char path[]; /* relative to the directory; "" is the directory itself */
};

#define MAX_FD 65536
static _Atomic(struct file *) table[MAX_FD];

static struct {
  char dir[PATH_MAX];
  size_t dir_length;
  int log;
  int active, foreign; /* foreign: another process owns the log */
  int nosync;
  const char *nosync_match;
  unsigned delay_us;
  _Atomic uint64_t *control;
  atomic_uint_fast64_t token;
  pthread_mutex_t log_lock, name_lock, position_lock;
} shim = {.log_lock = PTHREAD_MUTEX_INITIALIZER, .name_lock = PTHREAD_MUTEX_INITIALIZER, .position_lock = PTHREAD_MUTEX_INITIALIZER};

static void die(const char *why) {
  dprintf(2, "troupe-shim: %s (errno %d)\n", why, errno);
  _exit(99);
}

static void count(enum slot slot) { atomic_fetch_add(&shim.control[slot], 1); }
static void enter(void) { atomic_fetch_add(&shim.control[SLOT_IN_FLIGHT], 1); }
static void leave(void) { atomic_fetch_sub(&shim.control[SLOT_IN_FLIGHT], 1); }

/* ---- the log ------------------------------------------------------------------------------------------------ */

static void send_all(struct iovec *v, int n) {
  while (n > 0) {
    ssize_t done = real.writev(shim.log, v, n > IOV_MAX ? IOV_MAX : n);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) die("can't write the log");
    while (n > 0 && (size_t)done >= v->iov_len) done -= v->iov_len, v++, n--;
    if (n > 0) v->iov_base = (char *)v->iov_base + done, v->iov_len -= done;
  }
}

/**
 * Appends one record with the first `length` bytes of `data`. The mutex is what makes the log readable after SIGKILL:
 * a thread that dies inside keeps it, so only the last record of a log can be incomplete.
 */
static void record(enum record type, uint64_t inode, uint64_t a, uint64_t b, const struct iovec *data, int n, size_t length) {
  struct header header = {0x54524f50, type, inode, a, b, (uint32_t)length, 0};
  struct iovec *v = alloca((n + 1) * sizeof *v);
  v[0] = (struct iovec){&header, sizeof header};
  int used = 1;
  for (size_t left = length; left > 0; used++) {
    v[used] = data[used - 1];
    if (v[used].iov_len > left) v[used].iov_len = left;
    left -= v[used].iov_len;
  }
  pthread_mutex_lock(&shim.log_lock);
  send_all(v, used);
  pthread_mutex_unlock(&shim.log_lock);
}

static void record_text(enum record type, uint64_t inode, uint64_t a, const char *text) {
  struct iovec v = {(void *)text, strlen(text)};
  record(type, inode, a, 0, &v, 1, v.iov_len);
}

/** Two paths, with a zero byte between them. */
static void record_pair(enum record type, const char *from, const char *to) {
  struct iovec v[2] = {{(void *)from, strlen(from) + 1}, {(void *)to, strlen(to)}};
  record(type, 0, 0, 0, v, 2, v[0].iov_len + v[1].iov_len);
}

/* ---- paths and descriptors ---------------------------------------------------------------------------------- */

/** Where `absolute` lies below the directory, or NULL. */
static const char *below(const char *absolute) {
  if (strncmp(absolute, shim.dir, shim.dir_length) != 0) return NULL;
  if (absolute[shim.dir_length] == 0) return "";
  return absolute[shim.dir_length] == '/' ? absolute + shim.dir_length + 1 : NULL;
}

static int path_of(int fd, char *into) {
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, into, PATH_MAX - 1);
  if (n < 0) return 0;
  into[n] = 0;
  return 1;
}

/** The canonical path of a name that may not exist, relative to the directory; NULL when it lies elsewhere. */
static const char *name_below(int at, const char *path, char *buffer) {
  char parent[PATH_MAX];
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') n--;
  size_t cut = n;
  while (cut > 0 && path[cut - 1] != '/') cut--;
  if (n >= PATH_MAX) return NULL;
  memcpy(parent, path, cut);
  parent[cut] = 0;
  int fd = real.openat(at, cut ? parent : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return NULL;
  int found = path_of(fd, buffer);
  real.close(fd);
  size_t used = strlen(buffer);
  if (!found || used + 1 + (n - cut) >= PATH_MAX) return NULL;
  if (buffer[used - 1] != '/') buffer[used++] = '/';
  memcpy(buffer + used, path + cut, n - cut);
  buffer[used + n - cut] = 0;
  return below(buffer);
}

/** Starts to track `fd` if it is a file or directory below the directory. */
static struct file *adopt(int fd, int flags) {
  char absolute[PATH_MAX];
  struct stat st;
  if (fd < 0) return NULL;
  if (fd >= MAX_FD) die("descriptor out of the table");
  atomic_store(&table[fd], NULL);
  if (flags & O_PATH || !path_of(fd, absolute)) return NULL;
  const char *path = below(absolute);
  if (path == NULL || fstat(fd, &st) != 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) return NULL;
  if (shim.foreign && (flags & O_ACCMODE) != O_RDONLY) die("a second process writes to the directory");
  struct file *file = malloc(sizeof *file + strlen(path) + 1);
  if (file == NULL) die("out of memory");
  *file = (struct file){st.st_dev, st.st_ino, flags};
  strcpy(file->path, path);
  atomic_store(&table[fd], file);
  return file;
}

/** The tracked file behind `fd`. Checked against fstat: descriptors may be closed behind our back and used again. */
static struct file *lookup(int fd) {
  if (!shim.active || fd < 0 || fd >= MAX_FD) return NULL;
  struct file *file = atomic_load(&table[fd]);
  if (file == NULL) return NULL;
  struct stat st;
  if (fstat(fd, &st) == 0 && st.st_ino == file->inode && st.st_dev == file->device) return file;
  atomic_store(&table[fd], NULL);
  return NULL;
}

static void share(int from, int to) {
  if (!shim.active || to < 0 || to >= MAX_FD) return;
  atomic_store(&table[to], from >= 0 && from < MAX_FD ? atomic_load(&table[from]) : NULL);
}

/* ---- faults ------------------------------------------------------------------------------------------------- */

/** `call:errno:n[+ | -m][:part of the path]`, several by commas. n counts matching calls since SLOT_ARMED was set. */
static struct fault {
  char call[16], match[64];
  int error;
  unsigned long first, last;
  atomic_ulong seen;
} faults[8];
static int fault_count;

static int error_number(const char *name) {
  static const struct { const char *name; int value; } known[] = {
    {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EMFILE", EMFILE}, {"EACCES", EACCES}, {"EROFS", EROFS}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(known[i].name, name) == 0) return known[i].value;
  die("TROUPE_SHIM_FAIL: unknown errno");
  return 0;
}

static void parse_faults(const char *text) {
  while (text != NULL && *text != 0) {
    if (fault_count == 8) die("TROUPE_SHIM_FAIL: too many rules");
    struct fault *fault = &faults[fault_count++];
    char error[16] = "", range[40] = "";
    if (sscanf(text, "%15[^:,]:%15[^:,]:%39[^:,]:%63[^,]", fault->call, error, range, fault->match) < 3)
      die("TROUPE_SHIM_FAIL: call:errno:n");
    fault->error = error_number(error);
    char *end;
    fault->first = fault->last = strtoul(range, &end, 10);
    if (*end == '+') fault->last = ULONG_MAX;
    if (*end == '-') fault->last = strtoul(end + 1, NULL, 10);
    text = strchr(text, ',');
    if (text != NULL) text++;
  }
}

static int call_matches(const char *rule, const char *call) {
  if (strcmp(rule, call) == 0) return 1;
  if (strcmp(rule, "sync") == 0) return strcmp(call, "fsync") == 0 || strcmp(call, "fdatasync") == 0;
  return strcmp(rule, "anywrite") == 0 && strstr(call, "write") != NULL;
}

/** True, with errno set, when this call has to fail. */
static int fails(const char *call, const char *path) {
  for (int i = 0; i < fault_count; i++) {
    struct fault *fault = &faults[i];
    if (!call_matches(fault->call, call) || strstr(path, fault->match) == NULL) continue;
    if (atomic_load(&shim.control[SLOT_ARMED]) == 0) continue;
    unsigned long n = atomic_fetch_add(&fault->seen, 1) + 1;
    if (n < fault->first || n > fault->last) continue;
    count(SLOT_FAULTS);
    errno = fault->error;
    return 1;
  }
  return 0;
}

/* ---- start -------------------------------------------------------------------------------------------------- */

static int open_image(const char *name, int flags) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/%s", getenv("TROUPE_SHIM_IMAGE"), name);
  int fd = real.openat(AT_FDCWD, path, flags | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) die("can't open the image directory");
  return fd;
}

static void boot_once(void) {
  resolve_real();
  const char *dir = getenv("TROUPE_SHIM_DIR"), *nosync = getenv("TROUPE_SHIM_NOSYNC"), *delay = getenv("TROUPE_SHIM_SYNC_DELAY_US");
  if (dir == NULL || getenv("TROUPE_SHIM_IMAGE") == NULL) return;
  if (realpath(dir, shim.dir) == NULL) die("TROUPE_SHIM_DIR does not exist");
  shim.dir_length = strlen(shim.dir);
  shim.nosync = nosync != NULL && *nosync != 0 && strcmp(nosync, "0") != 0;
  shim.nosync_match = shim.nosync && strcmp(nosync, "1") != 0 ? nosync : "";
  shim.delay_us = delay != NULL ? (unsigned)atoi(delay) : 0;
  parse_faults(getenv("TROUPE_SHIM_FAIL"));
  shim.log = open_image("log", O_WRONLY | O_APPEND);
  int control = open_image("control", O_RDWR);
  if (real.ftruncate(control, SLOT_COUNT * 8) != 0) die("can't size the control page");
  shim.control = real.mmap(NULL, SLOT_COUNT * 8, PROT_READ | PROT_WRITE, MAP_SHARED, control, 0);
  if (shim.control == MAP_FAILED) die("can't map the control page");
  real.close(control);
  /* One process per log: a child that inherits LD_PRELOAD may read below the directory, and dies if it writes. */
  shim.foreign = flock(shim.log, LOCK_EX | LOCK_NB) != 0;
  shim.active = 1;
  if (shim.foreign) return;
  const char *armed = getenv("TROUPE_SHIM_ARMED");
  atomic_store(&shim.control[SLOT_ARMED], armed == NULL || strcmp(armed, "0") != 0);
  atomic_store(&shim.control[SLOT_MAGIC], 1);
  record(REC_START, 0, (uint64_t)getpid(), 0, NULL, 0, 0);
}

static pthread_once_t booted = PTHREAD_ONCE_INIT;
static void boot(void) { pthread_once(&booted, boot_once); }
__attribute__((constructor)) static void boot_early(void) { boot(); }
