// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "device/opencl_cache.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { PATH = 1024, MAX_SIZE = 1 << 28 };

/* Then the key, then the data. */
typedef struct {
    char magic[8];
    uint64_t key_size, size, sum;
} head;
static const char magic[8] = "pinnacl1";

uint64_t pn_opencl_hash(const void *data, size_t size) {
    const unsigned char *bytes = data;
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; ++i)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

static bool folder_path(char path[PATH]) {
    const char *off = getenv("PINNA_CACHE"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (off != NULL && strcmp(off, "off") == 0)
        return false;
    int length = -1;
    if (cache != NULL && cache[0] == '/')
        length = snprintf(path, PATH, "%s/pinna", cache);
    else if (home != NULL && home[0] == '/')
        length = snprintf(path, PATH, "%s/.cache/pinna", home);
    return length > 0 && length < PATH - 64;
}

static bool file_path(const char *key, char path[PATH]) {
    if (!folder_path(path))
        return false;
    size_t length = strlen(path);
    snprintf(path + length, PATH - length, "/kernels-%016" PRIx64 ".bin", pn_opencl_hash(key, strlen(key)));
    return true;
}

static void make_folders(const char *file) {
    char path[PATH];
    snprintf(path, sizeof path, "%s", file);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700); /* there already, as a rule; what fails shows when the file is opened */
        *slash = '/';
    }
}

static unsigned char *read_data(FILE *file, const char *key, size_t *size) {
    head h;
    size_t key_size = strlen(key);
    char *found = pn_alloc(key_size + 1, 1);
    bool same = found != NULL && fread(&h, sizeof h, 1, file) == 1 &&
                memcmp(h.magic, magic, sizeof magic) == 0 && h.key_size == key_size && h.size > 0 &&
                h.size <= MAX_SIZE && fread(found, 1, key_size, file) == key_size &&
                memcmp(found, key, key_size) == 0;
    pn_free(found);
    if (!same)
        return NULL;
    unsigned char *data = pn_alloc(h.size, 1);
    if (data != NULL && fread(data, 1, h.size, file) == h.size && pn_opencl_hash(data, h.size) == h.sum) {
        *size = h.size;
        return data;
    }
    pn_free(data);
    return NULL;
}

unsigned char *pn_opencl_cache_read(const char *key, size_t *size) {
    char path[PATH];
    if (!file_path(key, path))
        return NULL;
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return NULL;
    unsigned char *data = read_data(file, key, size);
    fclose(file);
    return data;
}

bool pn_opencl_cache_has(const char *key) {
    char path[PATH];
    return file_path(key, path) && access(path, F_OK) == 0;
}

void pn_opencl_cache_write(const char *key, const unsigned char *data, size_t size) {
    char path[PATH], beside[PATH + 16];
    if (!file_path(key, path))
        return;
    make_folders(path);
    snprintf(beside, sizeof beside, "%s.XXXXXX", path);
    int fd = mkstemp(beside);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (file == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    head h = {.key_size = strlen(key), .size = size, .sum = pn_opencl_hash(data, size)};
    memcpy(h.magic, magic, sizeof magic);
    bool whole = fwrite(&h, sizeof h, 1, file) == 1 && fwrite(key, 1, h.key_size, file) == h.key_size &&
                 fwrite(data, 1, size, file) == size;
    whole = fclose(file) == 0 && whole;
    if (!whole || rename(beside, path) != 0)
        unlink(beside);
}
