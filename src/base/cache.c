// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "base/cache.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { PATH = 1024, MOST_KEY = 1 << 20, MOST_SIZE = 1 << 30 };

/* Then the key, then the data. */
typedef struct {
    char magic[8];
    uint64_t key_size, size, sum;
} head;
static const char magic[8] = "pinnaca1";

uint64_t pn_hash_bytes(const void *data, size_t size) {
    const unsigned char *bytes = data;
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; ++i)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

/* Of large data: eight bytes at a time. */
static uint64_t checksum(const unsigned char *data, size_t size) {
    uint64_t sum = size, word;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        memcpy(&word, data + i, 8);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 29;
    }
    return sum ^ pn_hash_bytes(data + i, size - i);
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

static bool file_path(const char *kind, const char *key, char path[PATH]) {
    if (!folder_path(path))
        return false;
    size_t length = strlen(path);
    snprintf(path + length, PATH - length, "/%.20s-%016" PRIx64 ".bin", kind,
             pn_hash_bytes(key, strlen(key)));
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

pinna_status pn_cache_check(pinna_error *err) {
    char folder[PATH], file[PATH];
    if (!folder_path(folder))
        return pn_fail(
            err, PINNA_UNSUPPORTED,
            "nothing can be kept: there is no cache (PINNA_CACHE is off, or neither XDG_CACHE_HOME nor "
            "HOME names a folder)");
    file_path("any", "", file);
    make_folders(file);
    if (access(folder, W_OK | X_OK) != 0)
        return pn_fail(err, PINNA_IO, "nothing can be kept: %s cannot be written: %s", folder,
                       strerror(errno));
    return PINNA_OK;
}

static pn_cache_answer read_key(FILE *file, const char *key, const head *h) {
    size_t key_size = strlen(key);
    if (h->key_size != key_size)
        return h->key_size <= MOST_KEY ? PN_CACHE_NOTHING : PN_CACHE_DAMAGED;
    char *found = pn_alloc(key_size + 1, 1);
    if (found == NULL)
        return PN_CACHE_NOTHING;
    bool read = fread(found, 1, key_size, file) == key_size;
    bool same = read && memcmp(found, key, key_size) == 0;
    pn_free(found);
    return same ? PN_CACHE_FOUND : read ? PN_CACHE_NOTHING : PN_CACHE_DAMAGED;
}

static pn_cache_answer read_data(FILE *file, const char *key, unsigned char **data, size_t *size) {
    head h;
    if (fread(&h, sizeof h, 1, file) != 1 || memcmp(h.magic, magic, sizeof magic) != 0 || h.size == 0 ||
        h.size > MOST_SIZE)
        return PN_CACHE_DAMAGED;
    pn_cache_answer answer = read_key(file, key, &h);
    if (answer != PN_CACHE_FOUND)
        return answer;
    *data = pn_alloc(h.size, 1);
    if (*data == NULL)
        return PN_CACHE_NOTHING;
    if (fread(*data, 1, h.size, file) == h.size && checksum(*data, h.size) == h.sum && fgetc(file) == EOF) {
        *size = h.size;
        return PN_CACHE_FOUND;
    }
    pn_free(*data);
    *data = NULL;
    return PN_CACHE_DAMAGED;
}

pn_cache_answer pn_cache_read(const char *kind, const char *key, unsigned char **data, size_t *size) {
    char path[PATH];
    *data = NULL;
    *size = 0;
    if (!file_path(kind, key, path))
        return PN_CACHE_NOTHING;
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return PN_CACHE_NOTHING;
    pn_cache_answer answer = read_data(file, key, data, size);
    fclose(file);
    return answer;
}

bool pn_cache_write(const char *kind, const char *key, const unsigned char *data, size_t size) {
    char path[PATH], beside[PATH + 16];
    if (size == 0 || size > MOST_SIZE || !file_path(kind, key, path))
        return false;
    make_folders(path);
    snprintf(beside, sizeof beside, "%s.XXXXXX", path);
    int fd = mkstemp(beside);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (file == NULL) {
        if (fd >= 0) {
            close(fd);
            unlink(beside);
        }
        return false;
    }
    head h = {.key_size = strlen(key), .size = size, .sum = checksum(data, size)};
    memcpy(h.magic, magic, sizeof magic);
    bool whole = fwrite(&h, sizeof h, 1, file) == 1 && fwrite(key, 1, h.key_size, file) == h.key_size &&
                 fwrite(data, 1, size, file) == size;
    whole = fclose(file) == 0 && whole;
    if (!whole || rename(beside, path) != 0) {
        unlink(beside);
        return false;
    }
    return true;
}
