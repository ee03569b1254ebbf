// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_IO_AUDIO_FILE_H
#define PN_IO_AUDIO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/messages.h"
#include "base/status.h"

/* Audio files through libsndfile: WAV, RF64, W64, CAF, AIFF, FLAC, Ogg (Vorbis, Opus), MP3.
 * One object by one thread at a time; nothing here is block path. Every error names the file, what is wrong
 * and what is accepted. `messages` may be NULL and must outlive the object. */

/* True when both paths exist and are one file (same device and inode, whatever the names). */
bool pn_same_file(const char *a, const char *b);

/* True for the names under which a writer takes standard output: "-", /dev/stdout and its like. What a program has to
 * say must then go elsewhere. */
bool pn_is_standard_output(const char *path);

/* ------------------------------------------------------------------ encodings */

typedef enum {
    PN_ENCODING_DEFAULT, /* pcm24 */
    PN_ENCODING_PCM16,
    PN_ENCODING_PCM24,
    PN_ENCODING_PCM32,
    PN_ENCODING_F32,
    PN_ENCODING_F64
} pn_encoding;

typedef enum { PN_DITHER_NONE, PN_DITHER_TPDF } pn_dither;

/* NULL-terminated list of the words that users write: pcm16 pcm24 pcm32 f32 f64. */
extern const char *const pn_encoding_words[];

/* false when the word is none of these. */
bool pn_encoding_parse(const char *word, pn_encoding *encoding);
const char *pn_encoding_name(pn_encoding encoding);

/* ------------------------------------------------------------------ reading */

enum { PN_RATE_MIN = 100, PN_RATE_MAX = 768000, PN_AUDIO_MAX_CHANNELS = 1024 };

typedef struct {
    int channels;
    double rate;     /* Hz, PN_RATE_MIN .. PN_RATE_MAX */
    uint64_t frames; /* > 0: what is really there, as far as the container tells */
    bool is_float;   /* the samples are held as floating point */
    bool
        exact_seek; /* seeking jumps; else it decodes from the start (lossy formats), to land on the sample */
    char format[96]; /* for people: "WAV (Microsoft), Signed 24 bit PCM" */
} pn_audio_info;

typedef struct pn_audio_reader pn_audio_reader;

/* Opens a file and checks it: not found, a folder, empty, no audio, no samples, no channels, an absurd rate.
 * Data shorter than its header says is read as far as it goes, with a warning. "-" (standard input) is
 * refused: clips and responses are read more than once. */
pinna_status pn_audio_reader_open(const char *path, pn_messages *messages, pn_audio_reader **reader,
                                  pinna_error *err);
void pn_audio_reader_free(
    pn_audio_reader *reader); /* accepts NULL; reports what pn_audio_reader_report would */

const pn_audio_info *pn_audio_reader_info(const pn_audio_reader *reader);
const char *pn_audio_reader_path(const pn_audio_reader *reader);

/* Reads up to `frames` interleaved frames; *got < frames only at the end of the file. Full scale is +-1;
 * integer samples of up to 24 bits are exact. NaN and infinite samples come as silence and are counted. */
pinna_status pn_audio_reader_read(pn_audio_reader *reader, float *interleaved, size_t frames, size_t *got,
                                  pinna_error *err);

/* Goes to a frame, exactly; past the end is PINNA_BAD_ARGUMENT. */
pinna_status pn_audio_reader_seek(pn_audio_reader *reader, uint64_t frame, pinna_error *err);

/* Samples so far that were not finite (each counted once, however often it was read). */
uint64_t pn_audio_reader_nonfinite(const pn_audio_reader *reader);
/* Warns of them, unless that was done already. */
void pn_audio_reader_report(pn_audio_reader *reader);
/* Forgets them instead, where an error says it already. */
void pn_audio_reader_hush(pn_audio_reader *reader);

/* ------------------------------------------------------------------ whole files */

typedef enum {
    PN_AUDIO_SIGNAL,  /* non-finite samples become silence, counted in a warning */
    PN_AUDIO_RESPONSE /* an impulse response: non-finite samples are an error, longer than 10 minutes too;
                         silence is warned of; when resampled it is scaled by from/to, so that its gain stays
                       */
} pn_audio_use;

typedef struct {
    int channels;
    size_t frames;
    double rate;
    float **channel;  /* [channels][frames] */
    double file_rate; /* before resampling */
    bool is_float;
} pn_audio;

/* Loads a file as planar floats at `rate` (0 = the file's own), resampled where needed, and said. On failure
 * *audio is zeroed. End with pn_audio_clear. */
pinna_status pn_audio_load(const char *path, double rate, pn_audio_use use, pn_messages *messages,
                           pn_audio *audio, pinna_error *err);
void pn_audio_clear(pn_audio *audio); /* accepts NULL and a zeroed one */

/* ------------------------------------------------------------------ writing */

typedef struct {
    int channels;
    double rate; /* rounded to whole Hz in the file */
    pn_encoding encoding;
    pn_dither dither; /* acts when the file has 16 or 24 bit samples; fixed seed */
    uint64_t frames;  /* expected, 0 = unknown: chooses RF64 at once; 4 GiB is right without it too */
    const char *const *inputs; /* files that OUT must not be, may be NULL */
    size_t input_count;
} pn_audio_writer_spec;

typedef struct pn_audio_writer pn_audio_writer;

/* Prepares OUT. The container follows the extension: .wav (RF64 past 4 GiB) .w64 .caf .aiff .aif .flac .ogg
 * (Vorbis) .opus; another one is an error that lists these. An encoding that the container has not is
 * replaced by the nearest it has, and this is said (flac: 16 or 24 bit; ogg, opus: their own). Regular files
 * are written beside OUT under a temporary name, so an OUT that cannot be made is found here, and what stood
 * at OUT stays until pn_audio_writer_commit. "-" (standard output), FIFOs and devices are written directly,
 * as WAV of unknown length whatever the name. No dates, no PEAK chunk: same samples, same bytes. */
pinna_status pn_audio_writer_open(const char *path, const pn_audio_writer_spec *spec, pn_messages *messages,
                                  pn_audio_writer **writer, pinna_error *err);

/* channel[c][0 .. frames-1]. Integer encodings round to the nearest step; samples beyond full scale are
 * clipped and counted. Samples that are not finite are written as silence in every encoding, and counted. */
pinna_status pn_audio_writer_write(pn_audio_writer *writer, const float *const *channel, size_t frames,
                                   pinna_error *err);

/* Completes the file, puts it in its place, and warns of clipped and non-finite samples. After a failure (of
 * write too) nothing is left on disk. The writer can only be freed afterwards. */
pinna_status pn_audio_writer_commit(pn_audio_writer *writer, pinna_error *err);
/* Accepts NULL. Without a commit before, nothing is left on disk, and OUT is as it was. */
void pn_audio_writer_free(pn_audio_writer *writer);

typedef struct {
    uint64_t frames;
    uint64_t clipped;     /* samples */
    uint64_t nonfinite;   /* samples */
    double peak;          /* largest |sample| handed in, before clipping; 1 = full scale */
    const char *encoding; /* of the file: a word of pn_encoding_words, or "vorbis", "opus"; static */
} pn_audio_writer_stats;

void pn_audio_writer_get_stats(const pn_audio_writer *writer, pn_audio_writer_stats *stats);

/* Removes the temporary files of all open writers, for a signal handler that ends the program:
 * async-signal-safe. */
void pn_audio_writer_cancel_all(void);

/* From now on a write that waits for the reader of standard output, a FIFO or a device fails with PINNA_CANCELLED, in
 * whatever thread: for a signal handler that asks the program to end. Async-signal-safe. */
void pn_audio_writer_interrupt(void);

#endif
