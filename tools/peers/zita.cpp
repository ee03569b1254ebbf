// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "peers.h"

#include <cstring>
#include <sched.h>
#include <time.h>
#include <zita-convolver.h>

struct peer_zita {
    Convproc engine;
    int inputs, outputs, block;
};

peer_zita *peer_zita_open(int inputs, int outputs, bool diagonal, const float *taps, size_t length,
                          int block) {
    auto *zita = new peer_zita;
    zita->inputs = inputs;
    zita->outputs = outputs;
    zita->block = block;
    unsigned size = (unsigned)length, frames = (unsigned)block;
    zita->engine.set_options(Convproc::OPT_FFTW_MEASURE | Convproc::OPT_VECTOR_MODE |
                             Convproc::OPT_LATE_CONTIN);
    int failed = zita->engine.configure((unsigned)inputs, (unsigned)outputs, size, frames, frames,
                                        Convproc::MAXPART, diagonal ? 1.0f / (float)inputs : 1.0f);
    for (int i = 0; i < inputs && !failed; ++i)
        for (int o = 0; o < outputs && !failed; ++o) {
            if (diagonal && i != o)
                continue;
            size_t entry = diagonal ? (size_t)i : (size_t)i * (size_t)outputs + (size_t)o;
            failed = zita->engine.impdata_create((unsigned)i, (unsigned)o, 1,
                                                 const_cast<float *>(taps) + 16 * entry, 0, (int)size);
        }
    if (!failed)
        failed = zita->engine.start_process(0, SCHED_OTHER);
    if (failed) {
        delete zita;
        return nullptr;
    }
    peer_zita_settle(zita);
    return zita;
}

void peer_zita_run(peer_zita *zita, const float *const *in, float *const *out) {
    size_t bytes = (size_t)zita->block * sizeof(float);
    for (int i = 0; i < zita->inputs; ++i)
        memcpy(zita->engine.inpdata((unsigned)i), in[i], bytes);
    zita->engine.process(true);
    for (int o = 0; o < zita->outputs; ++o)
        memcpy(out[o], zita->engine.outdata((unsigned)o), bytes);
}

/* Its threads tell nobody when they are idle; the process's clock does, standing still. */
void peer_zita_settle(peer_zita *) {
    timespec before, after, pause = {0, 20000000};
    do {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
        nanosleep(&pause, nullptr);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    } while (after.tv_sec != before.tv_sec || after.tv_nsec - before.tv_nsec > 1000000);
}

void peer_zita_close(peer_zita *zita) {
    if (zita == nullptr)
        return;
    zita->engine.stop_process();
    for (timespec pause = {0, 10000000}; !zita->engine.check_stop();)
        nanosleep(&pause, nullptr);
    zita->engine.cleanup();
    delete zita;
}
