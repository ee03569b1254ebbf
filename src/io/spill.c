// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/planar.h"

enum { PORTION_SAMPLES = 65536 };

struct pn_spill {
    FILE *file;
    char folder[4096];
    size_t channels;
    int reading;
    float *portion; /* PORTION_SAMPLES, interleaved */
};

static void find_folder(pn_spill *s, const char *beside) {
    const char *temporary = getenv("TMPDIR");
    if (beside == NULL || strcmp(beside, "-") == 0 || strncmp(beside, "/dev/", 5) == 0) {
        snprintf(s->folder, sizeof s->folder, "%s", temporary == NULL ? "/tmp" : temporary);
        return;
    }
    const char *slash = strrchr(beside, '/');
    if (slash == NULL)
        snprintf(s->folder, sizeof s->folder, ".");
    else
        snprintf(s->folder, sizeof s->folder, "%.*s/", (int)(slash - beside), beside);
}

static FILE *open_nameless(const char *folder) {
    char name[4200];
    snprintf(name, sizeof name, "%s/.pinna-XXXXXX", folder);
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return NULL;
    unlink(name);
    FILE *file = fdopen(fd, "w+b");
    if (file == NULL)
        close(fd);
    return file;
}

pinna_status pn_spill_open(const char *beside, int channels, pn_spill **spill, pinna_error *err) {
    *spill = NULL;
    pn_spill *s = pn_alloc(1, sizeof *s);
    float *portion = pn_alloc_floats(PORTION_SAMPLES);
    if (s == NULL || portion == NULL) {
        pn_free(s);
        pn_free(portion);
        return pn_fail_memory(err, "a temporary file", PORTION_SAMPLES * sizeof *portion);
    }
    s->channels = (size_t)channels;
    s->portion = portion;
    find_folder(s, beside);
    s->file = open_nameless(s->folder);
    if (s->file == NULL) {
        pinna_status status = pn_fail(err, PINNA_IO, "%s: no temporary file can be made in this folder: %s",
                                      s->folder, strerror(errno));
        pn_spill_free(s);
        return status;
    }
    *spill = s;
    return PINNA_OK;
}

void pn_spill_free(pn_spill *s) {
    if (s == NULL)
        return;
    if (s->file != NULL)
        fclose(s->file);
    pn_free(s->portion);
    pn_free(s);
}

static pinna_status fail_spill(const pn_spill *s, const char *what, pinna_error *err) {
    return pn_fail(err, PINNA_IO, "%s: %s a temporary file in this folder failed: %s", s->folder, what,
                   strerror(errno));
}

pinna_status pn_spill_write(pn_spill *s, const float *const *channel, size_t frames, pinna_error *err) {
    size_t most = PORTION_SAMPLES / s->channels;
    if (s->reading)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "a temporary file is written to after it was read");
    for (size_t done = 0; done < frames;) {
        size_t count = frames - done < most ? frames - done : most;
        pn_interleave(s->portion, channel, s->channels, done, count);
        if (fwrite(s->portion, sizeof(float) * s->channels, count, s->file) != count)
            return fail_spill(s, "writing to", err);
        done += count;
    }
    return PINNA_OK;
}

pinna_status pn_spill_read(pn_spill *s, float *const *channel, size_t frames, size_t *got, pinna_error *err) {
    size_t most = PORTION_SAMPLES / s->channels;
    *got = 0;
    if (!s->reading && (fflush(s->file) != 0 || fseeko(s->file, 0, SEEK_SET) != 0))
        return fail_spill(s, "writing to", err);
    s->reading = 1;
    while (*got < frames) {
        size_t count = frames - *got < most ? frames - *got : most;
        size_t read = fread(s->portion, sizeof(float) * s->channels, count, s->file);
        pn_deinterleave(channel, s->channels, *got, s->portion, read);
        *got += read;
        if (read < count)
            break;
    }
    return ferror(s->file) ? fail_spill(s, "reading from", err) : PINNA_OK;
}
