// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The loss of a device: the state is the input history and nothing else, so that CPU engines with the same responses
 * go on from it. */
#include "convolve/convolver_state.h"

bool pn_engine_on_device(const pn_engine *engine) {
    return engine != NULL && pn_engine_backend(engine)->kind != PN_BACKEND_CPU;
}

/* A CPU engine at time `time` for the outputs that the lost one still computes. It has the others' responses too: the
 * history is made for the windows of the plan of all of them (pn_convolver_measure), and a plan for some may have
 * larger blocks. */
static pinna_status make_successor(pn_convolver *c, pn_part *part, int64_t time, pinna_error *err) {
    if (!pn_engine_on_device(part->engine))
        return PINNA_OK;
    size_t count;
    const pinna_ir *irs = pn_engine_kept_irs(part->engine, &count);
    pn_engine_desc desc = pn_convolver_engine_desc(c, c->own_cpu, irs, count);
    pinna_status status = pn_engine_create(&desc, &part->successor, err);
    if (status != PINNA_OK)
        return status;
    for (int o = 0; o < c->outputs; ++o)
        c->not_its[o] = !pn_engine_has(part->engine, o);
    pn_engine_mute(part->successor, c->not_its);
    return pn_engine_prime(part->successor, c->history, time, err);
}

/* The successor becomes the engine, or, where all failed, goes. */
static void end_succession(pn_part *part, bool failed) {
    if (part->successor == NULL)
        return;
    pn_engine_free(failed ? part->successor : part->engine);
    part->engine = failed ? part->engine : part->successor;
    part->successor = NULL;
}

pinna_status pn_convolver_take_over(pn_convolver *c, int64_t time, const pinna_error *reason,
                                    pinna_error *err) {
    pn_part *next = c->exchange == NULL ? NULL : c->exchange->part;
    pinna_status status = PINNA_OK;
    if (c->own_cpu == NULL)
        status = pn_backend_cpu_open(c->pool, &c->own_cpu, err);
    for (pn_part *part = c->parts; part != NULL && status == PINNA_OK; part = part->next)
        status = make_successor(c, part, time, err);
    if (status == PINNA_OK && next != NULL)
        status = make_successor(c, next, time - (int64_t)c->lag, err);
    bool failed = status != PINNA_OK;
    for (pn_part *part = c->parts; part != NULL; part = part->next)
        end_succession(part, failed);
    if (next != NULL)
        end_succession(next, failed);
    if (failed)
        return pn_fail_within(err, status, "device %s failed (%s), and the CPU could not take over",
                              c->device->name, reason->text);
    pn_warn(c->messages,
            "device %s failed: %s; the CPU takes over the convolution at frame %lld, nothing is lost",
            c->device->name, reason->text, (long long)time);
    c->backend = c->own_cpu;
    atomic_store(&c->lost, true);
    return PINNA_OK;
}
