// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_IO_SINK_H
#define PN_IO_SINK_H

#include "io/encoding.h"
#include "io/staged.h"

/* What stands between quantised samples and the bytes of a container: WAV by our own hand, the others through
 * libsndfile. Inside io only. */
typedef struct pn_sink pn_sink;

typedef struct {
    int channels;
    uint32_t rate;
    pn_encoding encoding; /* one that the container has */
    uint64_t frames;      /* expected, 0 = unknown */
} pn_sink_spec;

/* A container: what follows from the extension of OUT. */
typedef struct {
    const char *extension;
    const char *name;
    const char *codec;  /* "vorbis", "opus": lossy, with samples of its own; else NULL */
    const char *limits; /* for people, where channels or rates are limited; else NULL */
    uint64_t max_bytes; /* of samples; 0 = no limit */
    int format;         /* libsndfile's type and, when lossy, subtype; 0 = our WAV */
    unsigned takes;     /* bit set of pn_encoding */
    int max_channels;   /* 0 = no limit; libsndfile finds such limits only while writing, or not at all */
    uint32_t min_rate, max_rate;
} pn_container;

/* By extension, in any case of letters; NULL when unknown. */
const pn_container *pn_container_find(const char *path);
/* ".wav .w64 ..." */
const char *pn_container_list(void);
extern const pn_container pn_container_stream; /* WAV of unknown length */

typedef struct {
    /* Interleaved, at most 65536 samples a call: integers as pn_quantiser_round for integer encodings, else floats. */
    pinna_status (*write_integers)(pn_sink *sink, const int32_t *samples, size_t frames, pinna_error *err);
    pinna_status (*write_floats)(pn_sink *sink, const float *samples, size_t frames, pinna_error *err);
    /* Completes the bytes; the file stays open. */
    pinna_status (*finish)(pn_sink *sink, uint64_t frames, pinna_error *err);
    void (*free)(pn_sink *sink);
} pn_sink_ops;

struct pn_sink {
    const pn_sink_ops *ops;
};

/* file outlives the sink. */
pinna_status pn_sink_wav_open(const pn_staged *file, const pn_sink_spec *spec, pn_sink **sink,
                              pinna_error *err);
pinna_status pn_sink_sndfile_open(const pn_staged *file, const pn_container *container,
                                  const pn_sink_spec *spec, pn_sink **sink, pinna_error *err);

#endif
