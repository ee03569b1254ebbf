// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_IO_CLIP_H
#define PN_IO_CLIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/messages.h"
#include "base/realtime.h"
#include "base/status.h"

/* A clip as the renderer hears it: one part of an audio file, perhaps looped, at the rate of the engine,
 * streamed from disk through a ring; memory does not depend on its length. The first frame given is the first
 * of the part, sample-accurate; resampling has no delay, and runs across the seam of a loop.
 *
 * Threads: pump in one thread, read in one (the same or another). Fill with pump ahead of read. */
typedef struct pn_clip pn_clip;

enum { PN_CLIP_AHEAD = 16384 };

typedef struct {
    const char *path;
    int channel;     /* 1-based; 0 = keep all */
    double rate;     /* of the engine */
    double from_s;   /* offset into the file */
    double length_s; /* what is played in all, repeats counted; 0 = to the end of the file */
    bool loop;       /* repeats from `from_s` to the end of the file */
    size_t ahead;    /* frames of the ring, at least; 0 = PN_CLIP_AHEAD */
} pn_clip_desc;

/* Refuses a file that cannot be read, a channel it has not, and an offset at or past its end; says when it is
 * resampled, and when `length_s` is more than the file has (without loop it then ends with the file). */
pinna_status pn_clip_open(const pn_clip_desc *desc, pn_messages *messages, pn_clip **clip, pinna_error *err);
void pn_clip_free(pn_clip *clip); /* accepts NULL; warns of non-finite samples, with their count */

int pn_clip_channels(const pn_clip *clip); /* as given by read */
double pn_clip_file_rate(const pn_clip *clip);
/* Frames at the engine's rate; UINT64_MAX for a loop without a length. */
uint64_t pn_clip_frames(const pn_clip *clip);
/* Warns of them now, unless that was done already: for summaries that are made before the clip is freed. */
void pn_clip_report(pn_clip *clip);

/* Makes at least `frames` (at most the ring's size) readable, or all that is left. Reads the disk, decodes,
 * resamples: not block path. A file that ends early is filled up with silence, and warned of. */
pinna_status pn_clip_pump(pn_clip *clip, size_t frames, pinna_error *err);

/* The next frames, planar: out[channel][0 .. frames-1]. What the ring has not got, or what lies past the end,
 * is silence. Returns the frames of the clip given; fewer than asked before the end means that pump came
 * late: the missing frames are then skipped when they arrive, so that the clip stays in time. */
PN_BLOCK_PATH size_t pn_clip_read(pn_clip *clip, float *const *out, size_t frames);

#endif
