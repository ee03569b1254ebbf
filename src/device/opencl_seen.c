// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "device/opencl_seen.h"

#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/cache.h"
#include "base/memory.h"

/* The key is one line for each thing looked at. A key that does not fit is none: then every `auto` looks. */
enum { KEY = 65536, PATH = 1024, VARIABLES = 128 };
typedef struct {
    char *text;
    size_t used;
    bool full;
} notes;

static const char cache_kind[] = "opencl", version[] = "opencl seen 1", none[] = "none ", some[] = "look";

#define NOTE(n, ...)                                                                                         \
    do {                                                                                                     \
        int length_ = snprintf((n)->text + (n)->used, KEY - (n)->used, __VA_ARGS__);                         \
        if (length_ < 0 || (n)->used + (size_t)length_ >= KEY)                                               \
            (n)->full = true;                                                                                \
        else                                                                                                 \
            (n)->used += (size_t)length_;                                                                    \
    } while (0)

/* ------------------------------------------------------------------ files */

static bool note_file(notes *n, const char *path) {
    struct stat s;
    if (stat(path, &s) != 0)
        return false;
    NOTE(n, "%s %lld %lld.%09ld\n", path, S_ISDIR(s.st_mode) ? 0 : (long long)s.st_size,
         (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
    return true;
}

/* With its folder, where what it needs itself comes and goes, and that of PoCL's plug-ins. */
static void note_library_file(notes *n, const char *path) {
    if (!note_file(n, path))
        return;
    char folder[PATH];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    note_file(n, folder);
    snprintf(folder, sizeof folder, "%.*s/pocl", (int)(slash - path), path);
    note_file(n, folder);
}

static void note_in_folders(notes *n, const char *folders, const char *name) {
    char path[PATH];
    for (const char *at = folders; *at != '\0';) {
        size_t length = strcspn(at, ":;");
        if (length > 0 && snprintf(path, sizeof path, "%.*s/%s", (int)length, at, name) < PATH)
            note_library_file(n, path);
        at += length + (at[length] != '\0');
    }
}

/* A bare name may be in any of the folders that the system's loader searches; its own library tells one of them. What it
 * finds elsewhere, it finds by its index, which is noted as well. */
static void note_library(notes *n, const char *name) {
    NOTE(n, "library %s\n", name);
    if (strchr(name, '/') != NULL) {
        note_library_file(n, name);
        return;
    }
    const char *folders = getenv("LD_LIBRARY_PATH");
    if (folders != NULL)
        note_in_folders(n, folders, name);
    Dl_info system;
    char own[PATH];
    if (dladdr(dlsym(RTLD_DEFAULT, "getpid"), &system) != 0 && system.dli_fname != NULL &&
        strrchr(system.dli_fname, '/') != NULL &&
        snprintf(own, sizeof own, "%s", system.dli_fname) < (int)sizeof own) {
        *strrchr(own, '/') = '\0';
        note_in_folders(n, own, name);
    }
    note_in_folders(n, "/usr/local/lib:/usr/lib64:/usr/lib:/lib", name);
}

/* A file of the kind .icd: its first line names a driver. */
static void note_icd(notes *n, const char *path) {
    char line[PATH] = "";
    note_file(n, path);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    if (fgets(line, sizeof line, file) != NULL) {
        char *name = line + strspn(line, " \t");
        name[strcspn(name, "\r\n")] = '\0';
        for (size_t length = strlen(name); length > 0 && isspace((unsigned char)name[length - 1]);)
            name[--length] = '\0';
        if (name[0] != '\0')
            note_library(n, name);
    }
    fclose(file);
}

/* ------------------------------------------------------------------ folders */

/* Calls note for the entries of a folder that start with one of the prefixes, sorted. */
static void note_entries(notes *n, const char *folder, const char *const *prefixes,
                         void (*note)(notes *n, const char *path)) {
    struct dirent **entry = NULL;
    int count = scandir(folder, &entry, NULL, alphasort);
    for (int i = 0; i < count; ++i) {
        char path[PATH];
        bool wanted = entry[i]->d_name[0] != '.' && prefixes == NULL;
        for (int p = 0; prefixes != NULL && prefixes[p] != NULL; ++p)
            wanted |= strncmp(entry[i]->d_name, prefixes[p], strlen(prefixes[p])) == 0;
        if (wanted && snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name) < PATH)
            note(n, path);
        free(entry[i]);
    }
    free(entry);
}

static void note_name(notes *n, const char *path) {
    NOTE(n, "%s\n", path);
}

static void note_node(notes *n, const char *path) {
    NOTE(n, "%s %s\n", path, access(path, R_OK | W_OK) == 0 ? "open" : "closed");
}

/* What can be plugged in, or become allowed, without any driver's file changing. */
static void note_hardware(notes *n) {
    static const char *const computing[] = {"nvidia", "kfd", "dxg", "mali", "accel", NULL};
    struct utsname system;
    if (uname(&system) == 0)
        NOTE(n, "%s %s %s\n", system.sysname, system.release, system.version);
    note_entries(n, "/sys/bus/pci/devices", NULL, note_name);
    note_entries(n, "/dev", computing, note_node);
    note_entries(n, "/dev/dri", NULL, note_node);
    note_entries(n, "/dev/accel", NULL, note_node);
}

static void note_vendors(notes *n, const char *named) {
    struct stat s;
    if (named == NULL || named[0] == '\0')
        return;
    size_t length = strlen(named);
    if (stat(named, &s) == 0 && S_ISDIR(s.st_mode))
        note_entries(n, named, NULL, note_icd);
    else if (length > 4 && strcmp(named + length - 4, ".icd") == 0)
        note_icd(n, named);
    else
        note_library(n, named);
}

/* ------------------------------------------------------------------ environment */

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What loaders and drivers read, by the beginnings of its names; and where drivers keep their files. */
static void note_environment(notes *n) {
    static const char *const prefixes[] = {"OCL_",
                                           "OPENCL_",
                                           "CL_",
                                           "POCL_",
                                           "CUDA_",
                                           "NVIDIA_",
                                           "HIP_",
                                           "ROCR_",
                                           "HSA_",
                                           "GPU_",
                                           "AMD_",
                                           "RUSTICL_",
                                           "MESA_",
                                           "GALLIUM_",
                                           "LIBGL_",
                                           "LP_",
                                           "INTEL_",
                                           "NEO",
                                           "ZE_",
                                           "ONEAPI_",
                                           "IGC_",
                                           "MALI_",
                                           "CLVK_",
                                           "LD_LIBRARY_PATH=",
                                           "LD_PRELOAD=",
                                           "HOME=",
                                           "XDG_CACHE_HOME=",
                                           "PINNA_OPENCL_LIBRARY=",
                                           NULL};
    const char *found[VARIABLES];
    int count = 0;
    for (char **variable = environ; *variable != NULL; ++variable)
        for (int p = 0; prefixes[p] != NULL; ++p) {
            if (strncmp(*variable, prefixes[p], strlen(prefixes[p])) != 0)
                continue;
            if (count < VARIABLES)
                found[count++] = *variable;
            else
                n->full = true;
            break;
        }
    qsort(found, (size_t)count, sizeof *found, by_text);
    for (int i = 0; i < count; ++i)
        NOTE(n, "%s\n", found[i]);
}

/* NULL when it cannot be said. pn_free it. */
static char *make_key(void) {
    notes n = {.text = pn_alloc(KEY, 1)};
    if (n.text == NULL)
        return NULL;
    const char *loader = getenv("PINNA_OPENCL_LIBRARY");
    NOTE(&n, "%s\n", version);
    note_environment(&n);
    note_hardware(&n);
    note_file(&n, "/etc/ld.so.cache");
    note_library(&n, loader == NULL || loader[0] == '\0' ? "libOpenCL.so.1" : loader);
    note_vendors(&n, "/etc/OpenCL/vendors");
    note_vendors(&n, getenv("OCL_ICD_VENDORS"));
    note_vendors(&n, getenv("OPENCL_VENDOR_PATH"));
    if (!n.full)
        return n.text;
    pn_free(n.text);
    return NULL;
}

/* ------------------------------------------------------------------ the answer */

static bool is_date(const char *text, size_t size) {
    for (size_t i = 0; i < size; ++i)
        if (i == 4 || i == 7 ? text[i] != '-' : text[i] < '0' || text[i] > '9')
            return false;
    return size == PN_OPENCL_DATE - 1;
}

static bool recall(const char *key, char date[PN_OPENCL_DATE]) {
    unsigned char *data = NULL;
    size_t size = 0;
    if (pn_cache_read(cache_kind, key, &data, &size) != PN_CACHE_FOUND)
        return false;
    const char *text = (const char *)data;
    const size_t word = sizeof none - 1;
    bool is_none = size > word && memcmp(text, none, word) == 0 && is_date(text + word, size - word);
    if (is_none)
        snprintf(date, PN_OPENCL_DATE, "%.*s", PN_OPENCL_DATE - 1, text + word);
    pn_free(data);
    return is_none;
}

bool pn_opencl_recall_none(char date[PN_OPENCL_DATE]) {
    char *key = make_key();
    bool found = key != NULL && recall(key, date);
    pn_free(key);
    return found;
}

/* What auto would say a word about, or try, has to be seen each time. */
static bool is_plain_none(const pn_opencl_info *list, int count) {
    for (int i = 0; i < count; ++i)
        if (list[i].device < 0 ? !list[i].empty
                               : list[i].type == PN_OPENCL_GPU || list[i].type == PN_OPENCL_ACCELERATOR)
            return false;
    return true;
}

void pn_opencl_keep_seen(bool looked, const pn_opencl_info *list, int count) {
    char *key = make_key(), text[32], date[PN_OPENCL_DATE];
    if (key == NULL)
        return;
    time_t now = time(NULL);
    struct tm day;
    if (looked && is_plain_none(list, count) && localtime_r(&now, &day) != NULL) {
        size_t size = strftime(text, sizeof text, "none %Y-%m-%d", &day);
        pn_cache_write(cache_kind, key, (const unsigned char *)text, size);
    } else if (recall(key, date)) {
        pn_cache_write(cache_kind, key, (const unsigned char *)some, sizeof some - 1);
    }
    pn_free(key);
}
