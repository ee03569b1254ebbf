// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/audio_file.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "io/planar.h"
#include "io/sink.h"

enum { PORTION_SAMPLES = 65536 };

struct pn_audio_writer {
    pn_staged file;
    pn_sink *sink;
    pn_sink_spec spec;
    pn_quantiser quantiser;
    pn_messages *messages;
    uint64_t frames;
    const char *codec; /* of a lossy container, else NULL */
    bool failed, integers;
    float *floats;    /* PORTION_SAMPLES, interleaved */
    int32_t *samples; /* the same, quantised */
};

bool pn_same_file(const char *a, const char *b) {
    struct stat sa, sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

void pn_audio_writer_cancel_all(void) {
    pn_staged_cancel_all();
}

void pn_audio_writer_interrupt(void) {
    pn_staged_interrupt();
}

static pinna_status check_spec(const char *path, const pn_audio_writer_spec *spec, pinna_error *err) {
    if (spec->channels < 1 || spec->channels > PN_AUDIO_MAX_CHANNELS)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%s: %d channels; a file has 1 to %d", path, spec->channels,
                       (int)PN_AUDIO_MAX_CHANNELS);
    if (!(spec->rate >= PN_RATE_MIN && spec->rate <= PN_RATE_MAX))
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%s: a rate of %g Hz; a file has %d to %d", path, spec->rate,
                       (int)PN_RATE_MIN, (int)PN_RATE_MAX);
    return PINNA_OK;
}

/* The encoding asked for, or the one that the container has instead. */
static pn_encoding choose_encoding(const char *path, const pn_container *container, pn_encoding wanted,
                                   pn_messages *messages) {
    pn_encoding encoding = wanted == PN_ENCODING_DEFAULT ? PN_ENCODING_PCM24 : wanted;
    if (container->codec != NULL) {
        pn_info(messages, "%s: %s, a lossy format with its own encoding%s%s", path, container->name,
                wanted == PN_ENCODING_DEFAULT ? "" : " instead of ",
                wanted == PN_ENCODING_DEFAULT ? "" : pn_encoding_name(wanted));
        return PN_ENCODING_F32;
    }
    if (container->takes & (1u << encoding))
        return encoding;
    pn_warn(messages, "%s: %s has no %s; written as pcm24", path, container->name,
            pn_encoding_name(encoding));
    return PN_ENCODING_PCM24;
}

static pinna_status open_sink(pn_audio_writer *w, const char *path, const pn_audio_writer_spec *spec,
                              const pn_container *container, pinna_error *err) {
    w->spec = (pn_sink_spec){spec->channels, (uint32_t)lround(spec->rate),
                             choose_encoding(path, container, spec->encoding, w->messages), spec->frames};
    if (fabs(spec->rate - w->spec.rate) > 1e-6)
        pn_info(w->messages, "%s: its rate is written as %u Hz, not %g Hz", path, w->spec.rate, spec->rate);
    pn_quantiser_init(&w->quantiser, w->spec.encoding, spec->dither);
    w->integers = w->quantiser.bits > 0;
    w->codec = container->codec;
    w->floats = pn_alloc_floats(PORTION_SAMPLES);
    w->samples = pn_alloc(PORTION_SAMPLES, sizeof *w->samples);
    if (w->floats == NULL || w->samples == NULL)
        return pn_fail_memory(err, "the output file", PORTION_SAMPLES * 8.0);
    if (container->format == 0)
        return pn_sink_wav_open(&w->file, &w->spec, &w->sink, err);
    return pn_sink_sndfile_open(&w->file, container, &w->spec, &w->sink, err);
}

static pinna_status open_writer(pn_audio_writer *w, const char *path, const pn_audio_writer_spec *spec,
                                pinna_error *err) {
    pinna_status status = check_spec(path, spec, err);
    if (status == PINNA_OK)
        status = pn_staged_open(path, spec->inputs, spec->input_count, &w->file, err);
    if (status != PINNA_OK)
        return status;
    const pn_container *container = w->file.direct ? &pn_container_stream : pn_container_find(path);
    if (container == NULL)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%s: the extension names no format to write; there are %s",
                       path, pn_container_list());
    return open_sink(w, path, spec, container, err);
}

pinna_status pn_audio_writer_open(const char *path, const pn_audio_writer_spec *spec, pn_messages *messages,
                                  pn_audio_writer **writer, pinna_error *err) {
    *writer = NULL;
    pn_audio_writer *w = pn_alloc(1, sizeof *w);
    if (w == NULL)
        return pn_fail_memory(err, "the output file", sizeof *w);
    w->messages = messages;
    w->file = (pn_staged){.fd = -1, .slot = -1};
    pinna_status status = open_writer(w, path, spec, err);
    if (status != PINNA_OK) {
        pn_audio_writer_free(w);
        return status;
    }
    *writer = w;
    return PINNA_OK;
}

static pinna_status write_portion(pn_audio_writer *w, const float *const *channel, size_t from, size_t frames,
                                  pinna_error *err) {
    size_t channels = (size_t)w->spec.channels, count = frames * channels;
    pn_interleave(w->floats, channel, channels, from, frames);
    pn_quantiser_sift(&w->quantiser, w->floats, count);
    if (!w->integers)
        return w->sink->ops->write_floats(w->sink, w->floats, frames, err);
    pn_quantiser_round(&w->quantiser, w->floats, w->samples, count);
    return w->sink->ops->write_integers(w->sink, w->samples, frames, err);
}

pinna_status pn_audio_writer_write(pn_audio_writer *w, const float *const *channel, size_t frames,
                                   pinna_error *err) {
    size_t most = PORTION_SAMPLES / (size_t)w->spec.channels;
    if (w->failed)
        return pn_fail(err, PINNA_IO, "the output file failed before");
    for (size_t done = 0; done < frames;) {
        size_t n = frames - done < most ? frames - done : most;
        pinna_status status = write_portion(w, channel, done, n, err);
        if (status != PINNA_OK) {
            w->failed = true;
            return status;
        }
        done += n;
        w->frames += n;
    }
    return PINNA_OK;
}

static void report(const pn_audio_writer *w) {
    const pn_quantiser *q = &w->quantiser;
    if (q->clipped > 0)
        pn_warn(w->messages,
                "%s: %llu sample%s beyond full scale %s clipped, the peak is %+.2f dBFS; lower the level, or "
                "write "
                "f32 (.wav .w64 .caf .aiff)",
                w->file.path, (unsigned long long)q->clipped, q->clipped == 1 ? "" : "s",
                q->clipped == 1 ? "is" : "are", 20 * log10(q->peak));
    if (q->nonfinite > 0)
        pn_warn(w->messages, "%s: samples that were not finite (NaN or infinite), written as silence: %llu",
                w->file.path, (unsigned long long)q->nonfinite);
}

pinna_status pn_audio_writer_commit(pn_audio_writer *w, pinna_error *err) {
    pinna_status status = w->failed ? pn_fail(err, PINNA_IO, "the output file failed before") : PINNA_OK;
    if (status == PINNA_OK)
        status = w->sink->ops->finish(w->sink, w->frames, err);
    w->sink->ops->free(w->sink);
    w->sink = NULL;
    w->failed = true;
    if (status != PINNA_OK) {
        pn_staged_discard(&w->file);
        return status;
    }
    report(w);
    return pn_staged_commit(&w->file, err);
}

void pn_audio_writer_free(pn_audio_writer *w) {
    if (w == NULL)
        return;
    if (w->sink != NULL)
        w->sink->ops->free(w->sink);
    pn_staged_discard(&w->file);
    pn_free(w->floats);
    pn_free(w->samples);
    pn_free(w);
}

void pn_audio_writer_get_stats(const pn_audio_writer *w, pn_audio_writer_stats *stats) {
    *stats =
        (pn_audio_writer_stats){w->frames, w->quantiser.clipped, w->quantiser.nonfinite, w->quantiser.peak,
                                w->codec != NULL ? w->codec : pn_encoding_name(w->spec.encoding)};
}
