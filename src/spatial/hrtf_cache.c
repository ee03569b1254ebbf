// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* One block of memory, in this order: the info as it lies in memory, the lengths of what follows, directions as the
 * spheres were made from, delays, responses, texts, messages (a letter i or w, a letter l where the label was, the rest).
 * The spheres are made again: the same directions give the same triangles. Written and read by the same build on the
 * same machine only, which the key sees to. */
#include "spatial/hrtf_cache.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <hrtf_sources.h> /* made by the build */

#include "base/memory.h"
#include "base/sha256.h"
#include "spatial/sofa.h"

typedef struct {
    pn_hrtf_info info;
    int given[PN_HRTF_SHELLS];
    uint64_t text_size; /* three texts and the messages, each ended by 0 */
} head;

static bool hash_file(const char *file, char text[PN_SHA256_TEXT]) {
    struct stat s;
    FILE *f = stat(file, &s) == 0 && S_ISREG(s.st_mode) ? fopen(file, "rbe") : NULL;
    if (f == NULL)
        return false;
    enum { PIECE = 1 << 16 };
    unsigned char *piece = pn_alloc(PIECE, 1);
    pn_sha256 sha;
    pn_sha256_start(&sha);
    for (size_t count = 1; piece != NULL && count > 0;) {
        count = fread(piece, 1, PIECE, f);
        pn_sha256_add(&sha, piece, count);
    }
    bool read = piece != NULL && !ferror(f);
    pn_free(piece);
    fclose(f);
    pn_sha256_finish(&sha, text);
    return read;
}

bool pn_hrtf_cache_key(const char *file, double rate, const pn_hrtf_options *options, char key[PN_HRTF_KEY]) {
    char content[PN_SHA256_TEXT];
    const char *name = "builtin";
    if (pn_sofa_is_builtin(file)) {
        size_t size;
        const void *data = pn_sofa_builtin(&size);
        pn_sha256 sha;
        pn_sha256_start(&sha);
        pn_sha256_add(&sha, data, size);
        pn_sha256_finish(&sha, content);
    } else {
        if (!hash_file(file, content))
            return false;
        const char *slash = strrchr(file, '/');
        name = slash == NULL ? file : slash + 1;
    }
    snprintf(key, PN_HRTF_KEY,
             "sources " PN_HRTF_SOURCES ", layout %zu\n%s\n%.17g Hz, grid %d, equalise %d %d\n%.255s\n",
             sizeof(head), content, rate, options->grid, options->equalise_low, options->equalise_diffuse,
             name);
    return true;
}

/* ---- writing */

static void put(unsigned char **to, const void *from, size_t size) {
    memcpy(*to, from, size);
    *to += size;
}

static const char *without_label(const char *text, const char *label) {
    size_t length = strlen(label);
    return strncmp(text, label, length) == 0 ? text + length : NULL;
}

static size_t text_size(const pn_hrtf *h, const pn_messages *messages) {
    size_t size = strlen(h->name) + strlen(h->licence) + strlen(h->convention) + 3;
    for (size_t i = 0; i < pn_messages_count(messages); ++i)
        size += 3 + strlen(pn_messages_get(messages, i, NULL));
    return size;
}

static size_t total_size(const head *h) {
    size_t given = 0, nodes = (size_t)h->info.directions;
    for (int s = 0; s < h->info.shells; ++s)
        given += (size_t)h->given[s];
    return sizeof *h + given * sizeof(pn_vec3) + 2 * nodes * (1 + (size_t)h->info.taps) * sizeof(float) +
           h->text_size;
}

static void put_messages(unsigned char **to, const char *label, const pn_messages *messages) {
    for (size_t i = 0; i < pn_messages_count(messages); ++i) {
        pinna_message_level level;
        const char *text = pn_messages_get(messages, i, &level), *rest = without_label(text, label);
        char mark[2] = {level == PINNA_WARNING ? 'w' : 'i', rest == NULL ? '-' : 'l'};
        put(to, mark, 2);
        put(to, rest == NULL ? text : rest, strlen(rest == NULL ? text : rest) + 1);
    }
}

bool pn_hrtf_cache_write(const char *key, const char *label, const pn_messages *messages,
                         const pn_hrtf *hrtf) {
    head h = {.info = hrtf->info, .text_size = text_size(hrtf, messages)};
    h.info.name = h.info.licence = h.info.convention = NULL;
    memcpy(h.given, hrtf->given_count, sizeof h.given);
    size_t size = total_size(&h), given = 0, nodes = (size_t)h.info.directions;
    unsigned char *data = pn_alloc(size, 1), *to = data;
    if (data == NULL)
        return false;
    for (int s = 0; s < h.info.shells; ++s)
        given += (size_t)h.given[s];
    put(&to, &h, sizeof h);
    put(&to, hrtf->given, given * sizeof(pn_vec3));
    put(&to, hrtf->delay, 2 * nodes * sizeof(float));
    put(&to, hrtf->response, 2 * nodes * (size_t)h.info.taps * sizeof(float));
    put(&to, hrtf->name, strlen(hrtf->name) + 1);
    put(&to, hrtf->licence, strlen(hrtf->licence) + 1);
    put(&to, hrtf->convention, strlen(hrtf->convention) + 1);
    put_messages(&to, label, messages);
    size_t used = (size_t)(to - data);
    h.text_size -= size - used; /* labels left out */
    memcpy(data, &h, sizeof h);
    bool kept = pn_cache_write("hrtf", key, data, used);
    pn_free(data);
    return kept;
}

/* ---- reading */

static bool is_sound(const head *h) {
    const pn_hrtf_info *info = &h->info;
    if (info->shells < 1 || info->shells > PN_HRTF_SHELLS || info->directions < 1 ||
        info->directions > 1 << 24 || info->taps < 1 || info->taps > 1 << 20 || h->text_size < 3)
        return false;
    int given = 0;
    for (int s = 0; s < info->shells; ++s) {
        if (h->given[s] < 1 || h->given[s] > info->directions - given)
            return false;
        given += h->given[s];
    }
    return true;
}

static bool make_spheres(pn_hrtf *hrtf) {
    const pn_vec3 *from = hrtf->given;
    int nodes = 0;
    for (int s = 0; s < hrtf->info.shells; from += hrtf->given_count[s], ++s) {
        if (pn_sphere_create(from, hrtf->given_count[s], &hrtf->sphere[s], NULL) != PINNA_OK)
            return false;
        nodes += pn_sphere_nodes(hrtf->sphere[s]);
    }
    if (nodes != hrtf->info.directions)
        return false;
    pn_hrtf_place_nodes(hrtf);
    return true;
}

static bool take_texts(pn_hrtf *hrtf, const char *text, const char *end, const char **messages) {
    char **to[3] = {&hrtf->name, &hrtf->licence, &hrtf->convention};
    for (int i = 0; i < 3; ++i) {
        const char *zero = memchr(text, 0, (size_t)(end - text));
        *to[i] = zero == NULL ? NULL : pn_strdup(text);
        if (*to[i] == NULL)
            return false;
        text = zero + 1;
    }
    hrtf->info.name = hrtf->name;
    hrtf->info.licence = hrtf->licence;
    hrtf->info.convention = hrtf->convention;
    *messages = text;
    return true;
}

static void tell(const char *text, const char *end, const char *label, pn_messages *messages) {
    while (end - text > 2) {
        const char *zero = memchr(text + 2, 0, (size_t)(end - text - 2));
        if (zero == NULL)
            return;
        const char *begin = text[1] == 'l' ? label : "";
        if (text[0] == 'w')
            pn_warn(messages, "%s%s", begin, text + 2);
        else
            pn_info(messages, "%s%s", begin, text + 2);
        text = zero + 1;
    }
}

static void take(const unsigned char **from, void *to, size_t size) {
    memcpy(to, *from, size);
    *from += size;
}

static bool unpack(pn_hrtf *hrtf, const unsigned char *data, size_t size, const char **messages) {
    head h;
    if (size < sizeof h)
        return false;
    take(&data, &h, sizeof h);
    if (!is_sound(&h) || total_size(&h) != size)
        return false;
    hrtf->info = h.info;
    memcpy(hrtf->given_count, h.given, sizeof h.given);
    size_t given = 0, nodes = (size_t)h.info.directions, floats = 2 * nodes * (size_t)h.info.taps;
    for (int s = 0; s < h.info.shells; ++s)
        given += (size_t)h.given[s];
    hrtf->given = pn_alloc(given, sizeof *hrtf->given);
    hrtf->position = pn_alloc(nodes, sizeof *hrtf->position);
    hrtf->delay = pn_alloc_floats(2 * nodes);
    hrtf->response = pn_alloc_floats(floats);
    if (!hrtf->given || !hrtf->position || !hrtf->delay || !hrtf->response)
        return false;
    take(&data, hrtf->given, given * sizeof *hrtf->given);
    take(&data, hrtf->delay, 2 * nodes * sizeof *hrtf->delay);
    take(&data, hrtf->response, floats * sizeof *hrtf->response);
    return take_texts(hrtf, (const char *)data, (const char *)data + h.text_size, messages) &&
           make_spheres(hrtf);
}

pn_cache_answer pn_hrtf_cache_read(const char *key, const char *label, pn_messages *messages, pn_hrtf **out) {
    unsigned char *data;
    size_t size;
    const char *told = NULL;
    *out = NULL;
    pn_cache_answer answer = pn_cache_read("hrtf", key, &data, &size);
    if (answer != PN_CACHE_FOUND)
        return answer;
    pn_hrtf *hrtf = pn_alloc(1, sizeof *hrtf);
    if (hrtf != NULL && unpack(hrtf, data, size, &told)) {
        tell(told, (const char *)data + size, label, messages);
        *out = hrtf;
    } else {
        pn_hrtf_free(hrtf);
        answer = PN_CACHE_DAMAGED;
    }
    pn_free(data);
    return answer;
}
