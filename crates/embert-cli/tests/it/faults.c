// Injects faults into file operations. LD_PRELOAD loads it before the C library.
// It counts the operations that change files whose path contains FAULTS_BELOW. Operation FAULTS_AT (from 0) fails with the
// error number FAULTS_ERROR, or kills the process if that is 0. With FAULTS_FOREVER all later operations fail too, as on a
// full disk.
// It appends a line for each operation to the file FAULTS_LOG.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long number(const char *name, long fallback) {
    const char *text = getenv(name);
    return text ? atol(text) : fallback;
}

static void append_to_log(const char *what, const char *path) {
    const char *log = getenv("FAULTS_LOG");
    FILE *file = log ? fopen(log, "a") : NULL;
    if (file) {
        fprintf(file, "%s %s\n", what, path);
        fclose(file);
    }
}

static int fails(const char *what, const char *path) {
    static long count;
    const char *below = getenv("FAULTS_BELOW");
    if (!below || !strstr(path, below)) return 0;
    long now = __atomic_fetch_add(&count, 1, __ATOMIC_SEQ_CST), at = number("FAULTS_AT", -1);
    append_to_log(what, path);
    if (at < 0 || (now != at && !(now > at && getenv("FAULTS_FOREVER")))) return 0;
    errno = number("FAULTS_ERROR", ENOSPC);
    if (errno == 0) kill(getpid(), SIGKILL);
    return 1;
}

static int fails_fd(const char *what, int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(what, path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count) {
    return fails_fd("write", fd) ? -1 : NEXT(write)(fd, bytes, count);
}
int fsync(int fd) { return fails_fd("fsync", fd) ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return fails_fd("fdatasync", fd) ? -1 : NEXT(fdatasync)(fd); }
int rename(const char *from, const char *to) { return fails("rename", to) ? -1 : NEXT(rename)(from, to); }
int unlink(const char *path) { return fails("unlink", path) ? -1 : NEXT(unlink)(path); }
int rmdir(const char *path) { return fails("rmdir", path) ? -1 : NEXT(rmdir)(path); }
int mkdir(const char *path, mode_t mode) { return fails("mkdir", path) ? -1 : NEXT(mkdir)(path, mode); }
int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return (flags & O_CREAT) && fails("create", path) ? -1 : NEXT(open64)(path, flags, mode);
}
