// What a disk would still have when the power failed now: preloaded into a program (LD_PRELOAD), it keeps a copy of every file and
// of every folder's names below POWERLOSS_ROOT as they were when fsync(2) or fdatasync(2) returned. `PowerLoss` in the tests puts
// the copies in the place of the folder. A file is known by its inode and the moment it was made.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int identity(int folder, const char *name, char *text, size_t size, mode_t *mode) {
    struct statx status;
    if (statx(folder, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) return -1;
    snprintf(text, size, "%llu.%lld.%u", (unsigned long long)status.stx_ino, (long long)status.stx_btime.tv_sec,
             status.stx_btime.tv_nsec);
    *mode = status.stx_mode;
    return 0;
}

static void keep_file(int file, FILE *copy) {
    char buffer[1 << 16];
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    int source = open(path, O_RDONLY | O_CLOEXEC);
    if (source < 0) abort();
    for (ssize_t count; (count = read(source, buffer, sizeof buffer)) > 0;) fwrite(buffer, 1, (size_t)count, copy);
    close(source);
}

static void keep_names(const char *path, FILE *copy) {
    DIR *listing = opendir(path);
    if (listing == NULL) abort();
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        char text[80];
        mode_t mode;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (identity(dirfd(listing), entry->d_name, text, sizeof text, &mode) != 0) continue;
        fprintf(copy, "%c %s %s\n", S_ISDIR(mode) ? 'd' : 'f', text, entry->d_name);
    }
    closedir(listing);
}

static void keep(int descriptor) {
    const char *root = getenv("POWERLOSS_ROOT"), *shadow = getenv("POWERLOSS_SHADOW");
    char link[64], path[PATH_MAX], text[80], draft[PATH_MAX], place[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t count = readlink(link, path, sizeof path - 1);
    if (root == NULL || shadow == NULL || count <= 0) return;
    path[count] = 0;
    mode_t mode;
    if (strncmp(path, root, strlen(root)) != 0 || identity(descriptor, "", text, sizeof text, &mode) != 0) return;
    snprintf(draft, sizeof draft, "%s/%s.draft.%d", shadow, text, (int)gettid());
    snprintf(place, sizeof place, "%s/%s", shadow, text);
    FILE *copy = fopen(draft, "w");
    if (copy == NULL) abort();
    if (S_ISDIR(mode)) keep_names(path, copy);
    if (S_ISREG(mode)) keep_file(descriptor, copy);
    if (fclose(copy) != 0 || rename(draft, place) != 0) abort();
}

int fsync(int descriptor) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int code = real(descriptor);
    if (code == 0) keep(descriptor);
    return code;
}

int fdatasync(int descriptor) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    int code = real(descriptor);
    if (code == 0) keep(descriptor);
    return code;
}
