// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "device/cpu.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static void close_cpu(pn_backend *backend) {
    pn_cpu *cpu = (pn_cpu *)backend;
    for (int k = 0; k < PN_CPU_SIZES; ++k)
        pn_rafft_free(cpu->fft[k]);
    pn_free(cpu);
}

pinna_status pn_cpu_transform(pn_cpu *cpu, int size, const pn_rafft **fft, pinna_error *err) {
    int k = __builtin_ctz((unsigned)size);
    pinna_status status = PINNA_OK;
    if (cpu->fft[k] == NULL)
        status = pn_rafft_create(size, cpu->simd, &cpu->fft[k], err);
    *fft = cpu->fft[k];
    return status;
}

pinna_status pn_backend_cpu_prepare(pn_backend *backend, int block, pinna_error *err) {
    const pn_rafft *fft;
    return backend->kind == PN_BACKEND_CPU ? pn_cpu_transform((pn_cpu *)backend, 2 * block, &fft, err)
                                           : PINNA_OK;
}

static const pn_backend_ops cpu_ops = {
    .level_create = pn_cpu_level_create,
    .level_free = pn_cpu_level_free,
    .level_begin = pn_cpu_level_begin,
    .level_aim = pn_cpu_level_aim,
    .level_advance = pn_cpu_level_advance,
    .level_finish = pn_cpu_level_finish,
    .level_lend = pn_cpu_level_lend,
    .level_feed = pn_cpu_level_feed,
    .level_reset = pn_cpu_level_reset,
    .level_move = pn_cpu_level_move,
    .level_mute = pn_cpu_level_mute,
    .bank_create = pn_cpu_bank_create,
    .bank_free = pn_cpu_bank_free,
    .bank_begin = pn_cpu_bank_begin,
    .bank_finish = pn_cpu_bank_finish,
    .bank_feed = pn_cpu_bank_feed,
    .close = close_cpu,
};

/* "model name : X" of Linux; elsewhere, or where it is missing, the plain word. */
static void processor_name(char *name, size_t size) {
    snprintf(name, size, "CPU");
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (file == NULL)
        return;
    char line[256];
    while (fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || colon == NULL)
            continue;
        snprintf(name, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
        name[strcspn(name, "\n")] = '\0';
        break;
    }
    fclose(file);
}

pinna_status pn_backend_cpu_open(pn_pool *pool, pn_backend **backend, pinna_error *err) {
    *backend = NULL;
    pn_cpu *cpu = pn_alloc(1, sizeof *cpu);
    if (cpu == NULL)
        return pn_fail_memory(err, "the CPU back end", sizeof *cpu);
    cpu->head.ops = &cpu_ops;
    cpu->head.kind = PN_BACKEND_CPU;
    cpu->pool = pool;
    cpu->shared = pn_pool_threads(pool) > 1;
    cpu->simd = pn_simd_best();
    snprintf(cpu->head.name, sizeof cpu->head.name, "cpu");
    char name[128];
    processor_name(name, sizeof name);
    int threads = pn_pool_threads(pool);
    snprintf(cpu->head.description, sizeof cpu->head.description, "%s, %s, %d thread%s", name,
             pn_simd_name(cpu->simd), threads, threads == 1 ? "" : "s");
    *backend = &cpu->head;
    return PINNA_OK;
}

void pn_backend_cpu_expect(pn_backend *backend, const pn_pool *pool) {
    ((pn_cpu *)backend)->shared = pn_pool_threads(pool) > 1;
}

pn_pool *pn_backend_cpu_pool(const pn_backend *backend) {
    return ((const pn_cpu *)backend)->pool;
}

void pn_backend_cpu_set_pool(pn_backend *backend, pn_pool *pool) {
    ((pn_cpu *)backend)->pool = pool;
}
