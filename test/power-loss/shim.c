/*
 * A preloaded library that knows what a disk would hold after a power cut (Linux, glibc).
 *
 * THE MODEL. A write goes to the page cache, which survives SIGKILL and not a power cut. It reaches the disk for sure
 * when an fsync or fdatasync of its file, begun after the write returned, has returned. A name (creation, rename,
 * removal) reaches the disk for sure when its directory was synced. Anything not yet synced may be there in part.
 *
 * So what a cut leaves is a function of the ORDER of the operations, and this library does no more than to write that
 * order down: each operation below TROUPE_SHIM_DIR becomes one record in TROUPE_SHIM_IMAGE/log. The harness (disk.ts)
 * replays the log over the files as they were at the start, and from it makes any state that a disk may be in: cut,
 * torn or kept. A write costs one append of the same bytes; a sync costs two records of 40 bytes, however large the
 * file is. The log itself is written by write(2), so it survives the SIGKILL that stands for the power cut.
 *
 * ORDER. An operation is logged after it was done and before its caller sees it return. So a write that returned
 * before a sync was called stands before that sync's BEGIN, and a write that ran beside a sync stands after BEGIN: it
 * counts as unsynced. END is logged after the real sync and before the caller sees it: what was acknowledged because a
 * sync returned has its END in the log, and a sync killed in the middle has none and promises nothing.
 *
 * KILL. Only the last record can be incomplete (see `record`). A call killed between its effect and its record is in
 * the page cache and not in the log: SLOT_IN_FLIGHT tells the harness that there may be one; for a plain kill it takes
 * the file's real bytes as unsynced writes. With no call in flight, log and files must agree to the byte, and the
 * harness checks that: an operation that this library failed to see does not go unnoticed.
 *
 * FAULTS. TROUPE_SHIM_FAIL makes the n-th call fail. A failed sync is logged as failed, and the model then does what
 * Linux does: the pages count as clean, no later sync writes them, the data is lost at the cut although a second
 * fdatasync reports success. TROUPE_SHIM_NOSYNC=1 (or a part of a path) makes sync calls succeed and do nothing: the
 * canary. TROUPE_SHIM_SYNC_DELAY_US adds a random wait of at most that to each sync, inside BEGIN and END.
 *
 * OUT OF THE MODEL. Writes through mmap: such a file (-shm, which SQLite rebuilds) is logged as mapped and dropped at a
 * cut. sync_file_range, msync, sync and syncfs promise nothing here. stdio on a file below the directory, symbolic
 * links and punched holes are logged as "unmodelled", and the harness fails on them. One process per log.
 */
#include "shim-state.h"

/* ---- open, close, dup --------------------------------------------------------------------------------------- */

static int open_any(int at, const char *path, int flags, mode_t mode) {
  char buffer[PATH_MAX];
  struct stat st;
  boot();
  if (!shim.active) return real.openat(at, path, flags, mode);
  if (fault_count > 0) {
    const char *name = name_below(at, path, buffer);
    if (name != NULL && fails("open", name)) return -1;
  }
  if ((flags & (O_CREAT | O_TRUNC)) == 0) {
    int fd = real.openat(at, path, flags, mode);
    if (adopt(fd, flags) != NULL) count(SLOT_OPENS);
    return fd;
  }
  enter();
  pthread_mutex_lock(&shim.name_lock);
  int existed = fstatat(at, path, &st, 0) == 0;
  int fd = real.openat(at, path, flags, mode);
  struct file *file = adopt(fd, flags);
  if (file != NULL) {
    count(SLOT_OPENS);
    if (!existed) count(SLOT_NAMES), record_text(REC_CREATE, file->inode, 0, file->path);
    else if (flags & O_TRUNC) record(REC_TRUNCATE, file->inode, 0, 0, NULL, 0, 0);
  }
  pthread_mutex_unlock(&shim.name_lock);
  leave();
  return fd;
}

#define MODE_ARGUMENT(flags)                    \
  mode_t mode = 0;                              \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {      \
    va_list list;                               \
    va_start(list, flags);                      \
    mode = va_arg(list, mode_t);                \
    va_end(list);                               \
  }

int open(const char *path, int flags, ...) { MODE_ARGUMENT(flags) return open_any(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_ARGUMENT(flags) return open_any(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE_ARGUMENT(flags) return open_any(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE_ARGUMENT(flags) return open_any(at, path, flags, mode); }
int creat(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

static FILE *fopen_any(const char *path, const char *mode) {
  char buffer[PATH_MAX];
  boot();
  const char *name = shim.active && strpbrk(mode, "wa+") ? name_below(AT_FDCWD, path, buffer) : NULL;
  if (name != NULL) record_text(REC_UNMODELLED, 0, 0, name);
  return real.fopen(path, mode);
}

FILE *fopen(const char *path, const char *mode) { return fopen_any(path, mode); }
FILE *fopen64(const char *path, const char *mode) { return fopen_any(path, mode); }

int close(int fd) {
  boot();
  share(-1, fd);
  return real.close(fd);
}

int dup(int fd) {
  boot();
  int copy = real.dup(fd);
  share(fd, copy);
  return copy;
}

int dup2(int fd, int to) {
  boot();
  int copy = real.dup2(fd, to);
  share(fd, copy);
  return copy;
}

int dup3(int fd, int to, int flags) {
  boot();
  int copy = real.dup3(fd, to, flags);
  share(fd, copy);
  return copy;
}

static int fcntl_any(int fd, int command, long argument) {
  boot();
  int result = real.fcntl(fd, command, argument);
  if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) share(fd, result);
  return result;
}

#define LONG_ARGUMENT(last) \
  va_list list;             \
  va_start(list, last);     \
  long argument = va_arg(list, long); \
  va_end(list);

int fcntl(int fd, int command, ...) { LONG_ARGUMENT(command) return fcntl_any(fd, command, argument); }
int fcntl64(int fd, int command, ...) { LONG_ARGUMENT(command) return fcntl_any(fd, command, argument); }

/* ---- writes ------------------------------------------------------------------------------------------------- */

/** At an offset. On a descriptor opened with O_APPEND Linux appends all the same, and so the end says where. */
static ssize_t put_at(struct file *file, int fd, const struct iovec *v, int n, off_t offset, const char *call) {
  struct stat st;
  if (fails(call, file->path)) return -1;
  count(SLOT_WRITES);
  enter();
  int append = (file->flags & O_APPEND) != 0;
  if (append) pthread_mutex_lock(&shim.position_lock);
  ssize_t done = real.pwritev(fd, v, n, offset);
  if (done > 0 && append && fstat(fd, &st) == 0) offset = st.st_size - done;
  if (done > 0) record(REC_WRITE, file->inode, offset, 0, v, n, done);
  if (append) pthread_mutex_unlock(&shim.position_lock);
  leave();
  return done;
}

/** At the descriptor's own position, which tells afterwards where the bytes went. */
static ssize_t put_next(struct file *file, int fd, const struct iovec *v, int n, const char *call) {
  if (fails(call, file->path)) return -1;
  count(SLOT_WRITES);
  enter();
  pthread_mutex_lock(&shim.position_lock);
  ssize_t done = real.writev(fd, v, n);
  if (done > 0) record(REC_WRITE, file->inode, lseek(fd, 0, SEEK_CUR) - done, 0, v, n, done);
  pthread_mutex_unlock(&shim.position_lock);
  leave();
  return done;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  boot();
  struct file *file = lookup(fd);
  if (file == NULL) return real.write(fd, bytes, length);
  struct iovec v = {(void *)bytes, length};
  return put_next(file, fd, &v, 1, "write");
}

ssize_t writev(int fd, const struct iovec *v, int n) {
  boot();
  struct file *file = lookup(fd);
  return file == NULL ? real.writev(fd, v, n) : put_next(file, fd, v, n, "writev");
}

static ssize_t pwritev_any(int fd, const struct iovec *v, int n, off_t offset, const char *call) {
  boot();
  struct file *file = lookup(fd);
  return file == NULL ? real.pwritev(fd, v, n, offset) : put_at(file, fd, v, n, offset, call);
}

ssize_t pwritev(int fd, const struct iovec *v, int n, off_t offset) { return pwritev_any(fd, v, n, offset, "pwritev"); }
ssize_t pwritev64(int fd, const struct iovec *v, int n, off_t offset) { return pwritev_any(fd, v, n, offset, "pwritev"); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  struct iovec v = {(void *)bytes, length};
  return pwritev_any(fd, &v, 1, offset, "pwrite");
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) {
  struct iovec v = {(void *)bytes, length};
  return pwritev_any(fd, &v, 1, offset, "pwrite");
}

static int ftruncate_any(int fd, off_t size) {
  boot();
  struct file *file = lookup(fd);
  if (file == NULL) return real.ftruncate(fd, size);
  if (fails("ftruncate", file->path)) return -1;
  count(SLOT_WRITES);
  enter();
  int result = real.ftruncate(fd, size);
  if (result == 0) record(REC_TRUNCATE, file->inode, size, 0, NULL, 0, 0);
  leave();
  return result;
}

int ftruncate(int fd, off_t size) { return ftruncate_any(fd, size); }
int ftruncate64(int fd, off_t size) { return ftruncate_any(fd, size); }

static int truncate_any(const char *path, off_t size) {
  int fd = open_any(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
  char absolute[PATH_MAX];
  struct stat st;
  const char *name = shim.active && fd >= 0 && path_of(fd, absolute) && fstat(fd, &st) == 0 ? below(absolute) : NULL;
  if (fd >= 0) real.close(fd); /* O_PATH: drops no POSIX lock */
  if (name == NULL) return real.truncate(path, size);
  enter();
  int result = real.truncate(path, size);
  if (result == 0) count(SLOT_WRITES), record(REC_TRUNCATE, st.st_ino, size, 0, NULL, 0, 0);
  leave();
  return result;
}

int truncate(const char *path, off_t size) { return truncate_any(path, size); }
int truncate64(const char *path, off_t size) { return truncate_any(path, size); }

/** Only the growth of the file is seen by a reader: it is logged as a truncation to the new size. */
static int fallocate_any(int fd, int mode, off_t offset, off_t length) {
  struct stat st;
  boot();
  struct file *file = lookup(fd);
  if (file == NULL) return real.fallocate(fd, mode, offset, length);
  if (fails("fallocate", file->path)) return -1;
  if (mode & ~FALLOC_FL_KEEP_SIZE) record_text(REC_UNMODELLED, file->inode, 0, file->path);
  count(SLOT_WRITES);
  enter();
  int result = real.fallocate(fd, mode, offset, length);
  if (result == 0 && fstat(fd, &st) == 0) record(REC_TRUNCATE, file->inode, st.st_size, 0, NULL, 0, 0);
  leave();
  return result;
}

int fallocate(int fd, int mode, off_t offset, off_t length) { return fallocate_any(fd, mode, offset, length); }
int fallocate64(int fd, int mode, off_t offset, off_t length) { return fallocate_any(fd, mode, offset, length); }
int posix_fallocate(int fd, off_t offset, off_t length) { return fallocate_any(fd, 0, offset, length) == 0 ? 0 : errno; }
int posix_fallocate64(int fd, off_t offset, off_t length) { return fallocate_any(fd, 0, offset, length) == 0 ? 0 : errno; }

/** What the kernel copied is read again from the source: the target may be open for writing only. */
static void record_copy(struct file *file, off_t to, int source, off_t from, size_t length) {
  char bytes[65536];
  while (length > 0) {
    ssize_t n = pread(source, bytes, length < sizeof bytes ? length : sizeof bytes, from);
    if (n <= 0) return record_text(REC_UNMODELLED, file->inode, 0, file->path);
    struct iovec v = {bytes, n};
    record(REC_WRITE, file->inode, to, 0, &v, 1, n);
    to += n, from += n, length -= n;
  }
}

static ssize_t sendfile_any(int fd, int source, off_t *at, size_t length) {
  boot();
  struct file *file = lookup(fd);
  if (file == NULL) return real.sendfile(fd, source, at, length);
  if (fails("write", file->path)) return -1;
  count(SLOT_WRITES);
  enter();
  pthread_mutex_lock(&shim.position_lock);
  off_t from = at != NULL ? *at : lseek(source, 0, SEEK_CUR);
  ssize_t done = real.sendfile(fd, source, at, length);
  if (done > 0) record_copy(file, lseek(fd, 0, SEEK_CUR) - done, source, from, done);
  pthread_mutex_unlock(&shim.position_lock);
  leave();
  return done;
}

ssize_t sendfile(int fd, int source, off_t *at, size_t length) { return sendfile_any(fd, source, at, length); }
ssize_t sendfile64(int fd, int source, off_t *at, size_t length) { return sendfile_any(fd, source, at, length); }

ssize_t copy_file_range(int source, off_t *from, int fd, off_t *to, size_t length, unsigned flags) {
  boot();
  struct file *file = lookup(fd);
  if (file == NULL) return real.copy_file_range(source, from, fd, to, length, flags);
  if (fails("write", file->path)) return -1;
  count(SLOT_WRITES);
  enter();
  pthread_mutex_lock(&shim.position_lock);
  off_t start = from != NULL ? *from : lseek(source, 0, SEEK_CUR);
  off_t target = to != NULL ? *to : lseek(fd, 0, SEEK_CUR);
  ssize_t done = real.copy_file_range(source, from, fd, to, length, flags);
  if (done > 0) record_copy(file, target, source, start, done);
  pthread_mutex_unlock(&shim.position_lock);
  leave();
  return done;
}

static void *mmap_any(void *where, size_t length, int protection, int flags, int fd, off_t offset) {
  boot();
  struct file *file = protection & PROT_WRITE && flags & MAP_SHARED ? lookup(fd) : NULL;
  if (file != NULL) record(REC_MAP, file->inode, 0, 0, NULL, 0, 0);
  return real.mmap(where, length, protection, flags, fd, offset);
}

void *mmap(void *where, size_t length, int protection, int flags, int fd, off_t offset) {
  return mmap_any(where, length, protection, flags, fd, offset);
}
void *mmap64(void *where, size_t length, int protection, int flags, int fd, off_t offset) {
  return mmap_any(where, length, protection, flags, fd, offset);
}

/* ---- sync --------------------------------------------------------------------------------------------------- */

static void wait_a_little(void) {
  static _Thread_local uint64_t x;
  if (shim.delay_us == 0) return;
  if (x == 0) x = (uint64_t)getpid() * 2654435761u ^ (uint64_t)(uintptr_t)&x ^ (uint64_t)time(NULL);
  x ^= x << 13, x ^= x >> 7, x ^= x << 17;
  struct timespec rest = {0, (long)(x % shim.delay_us) * 1000};
  nanosleep(&rest, NULL);
}

static int sync_any(int fd, const char *call, int (*sync)(int)) {
  struct file *file = lookup(fd);
  if (file == NULL) return sync(fd);
  count(SLOT_SYNCS);
  if (shim.nosync && strstr(file->path, shim.nosync_match) && atomic_load(&shim.control[SLOT_ARMED])) {
    count(SLOT_SKIPPED);
    return 0;
  }
  uint64_t token = atomic_fetch_add(&shim.token, 1) + 1;
  record(REC_SYNC_BEGIN, file->inode, token, 0, NULL, 0, 0);
  int failed = fails(call, file->path);
  int result = failed ? -1 : sync(fd);
  int error = errno;
  wait_a_little();
  record(REC_SYNC_END, file->inode, token, result == 0, NULL, 0, 0);
  errno = error;
  return result;
}

int fsync(int fd) {
  boot();
  return sync_any(fd, "fsync", real.fsync);
}

int fdatasync(int fd) {
  boot();
  return sync_any(fd, "fdatasync", real.fdatasync);
}

/* ---- names -------------------------------------------------------------------------------------------------- */

static int unlink_any(int at, const char *path, int flags) {
  char buffer[PATH_MAX];
  boot();
  const char *name = shim.active ? name_below(at, path, buffer) : NULL;
  if (name == NULL) return real.unlinkat(at, path, flags);
  if (fails("unlink", name)) return -1;
  count(SLOT_NAMES);
  enter();
  pthread_mutex_lock(&shim.name_lock);
  int result = real.unlinkat(at, path, flags);
  if (result == 0) record_text(REC_UNLINK, 0, 0, name);
  pthread_mutex_unlock(&shim.name_lock);
  leave();
  return result;
}

int unlink(const char *path) { return unlink_any(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return unlink_any(at, path, flags); }
int rmdir(const char *path) { return unlink_any(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
  int result = unlink_any(AT_FDCWD, path, 0);
  return result != 0 && errno == EISDIR ? unlink_any(AT_FDCWD, path, AT_REMOVEDIR) : result;
}

static int rename_any(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
  char from_buffer[PATH_MAX], to_buffer[PATH_MAX];
  boot();
  const char *source = shim.active ? name_below(from_at, from, from_buffer) : NULL;
  const char *target = shim.active ? name_below(to_at, to, to_buffer) : NULL;
  if (source == NULL && target == NULL) return real.renameat2(from_at, from, to_at, to, flags);
  if (fails("rename", target != NULL ? target : source)) return -1;
  count(SLOT_NAMES);
  enter();
  pthread_mutex_lock(&shim.name_lock);
  int result = real.renameat2(from_at, from, to_at, to, flags);
  if (result == 0 && source != NULL && target != NULL && (flags & ~RENAME_NOREPLACE) == 0) record_pair(REC_RENAME, source, target);
  else if (result == 0) record_text(REC_UNMODELLED, 0, 0, "rename over the directory's border");
  pthread_mutex_unlock(&shim.name_lock);
  leave();
  return result;
}

int rename(const char *from, const char *to) { return rename_any(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_at, const char *from, int to_at, const char *to) { return rename_any(from_at, from, to_at, to, 0); }
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
  return rename_any(from_at, from, to_at, to, flags);
}

static int mkdir_any(int at, const char *path, mode_t mode) {
  char buffer[PATH_MAX];
  struct stat st;
  boot();
  const char *name = shim.active ? name_below(at, path, buffer) : NULL;
  if (name == NULL) return real.mkdirat(at, path, mode);
  count(SLOT_NAMES);
  enter();
  pthread_mutex_lock(&shim.name_lock);
  int result = real.mkdirat(at, path, mode);
  if (result == 0 && fstatat(at, path, &st, 0) == 0) record_text(REC_MKDIR, st.st_ino, 0, name);
  pthread_mutex_unlock(&shim.name_lock);
  leave();
  return result;
}

int mkdir(const char *path, mode_t mode) { return mkdir_any(AT_FDCWD, path, mode); }
int mkdirat(int at, const char *path, mode_t mode) { return mkdir_any(at, path, mode); }

static int link_any(int from_at, const char *from, int to_at, const char *to, int flags) {
  char from_buffer[PATH_MAX], to_buffer[PATH_MAX];
  boot();
  const char *source = shim.active ? name_below(from_at, from, from_buffer) : NULL;
  const char *target = shim.active ? name_below(to_at, to, to_buffer) : NULL;
  if (target == NULL) return real.linkat(from_at, from, to_at, to, flags);
  enter();
  pthread_mutex_lock(&shim.name_lock);
  int result = real.linkat(from_at, from, to_at, to, flags);
  if (result == 0 && source != NULL) record_pair(REC_LINK, source, target);
  else if (result == 0) record_text(REC_UNMODELLED, 0, 0, target);
  pthread_mutex_unlock(&shim.name_lock);
  leave();
  return result;
}

int link(const char *from, const char *to) { return link_any(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
  return link_any(from_at, from, to_at, to, flags);
}

/* ---- raw system calls --------------------------------------------------------------------------------------- */

/** libuv copies files and closes descriptors by number. */
long syscall(long number, ...) {
  long a[6];
  va_list list;
  va_start(list, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);
  boot();
  if (number == SYS_copy_file_range)
    return copy_file_range((int)a[0], (off_t *)a[1], (int)a[2], (off_t *)a[3], (size_t)a[4], (unsigned)a[5]);
  if (number == SYS_close) return close((int)a[0]);
  return real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
