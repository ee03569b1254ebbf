// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "scene/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "scene/read.h"

/* ------------------------------------------------------------------ text */

static pinna_status read_tree(const pn_node *root, const char *name, const char *base, pn_messages *messages,
                              pn_scene **scene, pinna_error *err) {
    pn_scene *made = pn_scene_create();
    if (made != NULL)
        made->file = pn_strdup(name);
    if (made == NULL || made->file == NULL) {
        pn_scene_free(made);
        return pn_fail_memory(err, "the scene", sizeof *made);
    }
    pn_reader reader = {.scene = made, .root = root, .base = base, .tempo = made->tempo, .err = err};
    pinna_status status = pn_read_root(&reader);
    if (status == PINNA_OK)
        status = pn_scene_check(made, messages, err);
    if (status != PINNA_OK) {
        pn_scene_free(made);
        return status;
    }
    *scene = made;
    return PINNA_OK;
}

pinna_status pn_scene_read_text(const char *text, size_t size, const char *name, const char *base,
                                pn_messages *messages, pn_scene **scene, pinna_error *err) {
    *scene = NULL;
    /* Numbers have decimal points whatever the language of the program around us. */
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = plain != (locale_t)0 ? uselocale(plain) : (locale_t)0;
    pn_tree *tree = NULL;
    const pn_node *root = NULL;
    pinna_status status = pn_tree_parse(text, size, name, &tree, &root, err);
    if (status == PINNA_OK)
        status = read_tree(root, name, base != NULL ? base : "", messages, scene, err);
    pn_tree_free(tree);
    if (plain != (locale_t)0) {
        uselocale(before);
        freelocale(plain);
    }
    return status;
}

/* ------------------------------------------------------------------ files */

/* The folder a file stands in, with the slash at its end; "" for the current one. */
static char *folder_of(const char *file) {
    const char *slash = strrchr(file, '/');
    char *folder = pn_strdup(file);
    if (folder != NULL)
        folder[slash != NULL ? slash - file + 1 : 0] = '\0';
    return folder;
}

static pinna_status check_kind(int descriptor, const char *file, size_t *size, pinna_error *err) {
    struct stat info;
    if (fstat(descriptor, &info) != 0)
        return pn_fail(err, PINNA_IO, "%s: cannot be looked at: %s", file, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return pn_fail(err, PINNA_BAD_FILE, "%s: is a folder, not a scene file", file);
    if (!S_ISREG(info.st_mode))
        return pn_fail(err, PINNA_BAD_FILE, "%s: is no regular file; write the scene to a file first", file);
    if (info.st_size > PN_TREE_BYTES)
        return pn_fail(err, PINNA_BAD_SCENE, "%s: too large for a scene (%.1f MB; 8 MB at most)", file,
                       (double)info.st_size * 1e-6);
    *size = (size_t)info.st_size;
    return PINNA_OK;
}

static pinna_status read_all(int descriptor, const char *file, char *text, size_t size, size_t *got,
                             pinna_error *err) {
    for (*got = 0; *got < size;) {
        ssize_t count = read(descriptor, text + *got, size - *got);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return pn_fail(err, PINNA_IO, "%s: cannot be read: %s", file, strerror(errno));
        if (count == 0)
            break;
        *got += (size_t)count;
    }
    return PINNA_OK;
}

static pinna_status load(const char *file, char **text, size_t *size, pinna_error *err) {
    /* Without waiting, or a pipe that nobody writes to would hold us here. */
    int descriptor = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return pn_fail(err, errno == ENOENT || errno == ENOTDIR ? PINNA_NOT_FOUND : PINNA_IO,
                       "%s: cannot be opened: %s", file, strerror(errno));
    size_t room = 0;
    pinna_status status = check_kind(descriptor, file, &room, err);
    if (status == PINNA_OK) {
        *text = pn_alloc(room + 1, 1);
        status = *text != NULL ? read_all(descriptor, file, *text, room, size, err)
                               : pn_fail_memory(err, "the scene's text", (double)room);
    }
    close(descriptor);
    return status;
}

pinna_status pn_scene_read(const char *file, pn_messages *messages, pn_scene **scene, pinna_error *err) {
    *scene = NULL;
    char *text = NULL;
    size_t size = 0;
    pinna_status status = load(file, &text, &size, err);
    char *folder = status == PINNA_OK ? folder_of(file) : NULL;
    if (status == PINNA_OK && folder == NULL)
        status = pn_fail_memory(err, "the scene's folder", (double)strlen(file));
    if (status == PINNA_OK)
        status = pn_scene_read_text(text, size, file, folder, messages, scene, err);
    pn_free(folder);
    pn_free(text);
    return status;
}
