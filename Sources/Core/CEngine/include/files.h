#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/syscall.h>
#include <unistd.h>

/* Writes all dirty data of the file system that holds `fd` to its device and waits (man 2 syncfs). */
static inline int pgm_syncfs(int fd) { return (int)syscall(SYS_syncfs, fd); }

/* Begins to write a dirty run of a file to its device, without waiting (man 2 sync_file_range). */
static inline int pgm_begin_writeback(int fd, long long offset, long long count) {
    return (int)syscall(SYS_sync_file_range, fd, offset, count, 2 /* SYNC_FILE_RANGE_WRITE */);
}

/* Blocks of 128 KiB and more leave the process when they are freed, and threads share two heaps (man 3 mallopt). */
static inline void pgm_keep_memory_small(void) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
    mallopt(M_ARENA_MAX, 2);
#endif
}

/* Gives a file another name unless there is something of that name (man 2 renameat2). */
static inline int pgm_rename_new(const char *_Nonnull from, const char *_Nonnull to) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1 /* RENAME_NOREPLACE */);
}
