// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "device/opencl_program.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cache.h"
#include "base/memory.h"

/* Denormals are slow in the tails, on CPUs above all. No relaxed mathematics: results must agree with the CPU's. No
 * warnings: drivers print how many there are (of vectors wider than the processor's), and the tests see the kernels. */
static const char options_for[] =
    "-cl-std=CL1.2 -w -cl-denorms-are-zero -DPN_EMBEDDED -DPN_BINS=%d "
    "-DPN_WIDE=%d -DPN_JOBS=%d -DPN_LANES_LOG2=%d -DPN_MATRIX_TILE_LOG2=%d -DPN_BANK_LANES=%d";
enum { OPTIONS = sizeof options_for + 40 };

extern const char pn_kernel_types[], pn_kernel_tree[], pn_kernel_level[], pn_kernel_forward[],
    pn_kernel_inverse[], pn_kernel_level_forward[], pn_kernel_level_inverse[], pn_kernel_multiply_add[],
    pn_kernel_pack_spectra[], pn_kernel_reduce_shares[], pn_kernel_bank[], pn_kernel_bank_take[],
    pn_kernel_bank_read[], pn_kernel_bank_mix[], pn_kernel_bank_bend[];

/* What the others include comes first. */
static const struct {
    const char *file, *text;
} sources[] = {
    {"pinna_types.h", pn_kernel_types},
    {"tree.h", pn_kernel_tree},
    {"level.h", pn_kernel_level},
    {"level_forward.cl", pn_kernel_level_forward},
    {"level_inverse.cl", pn_kernel_level_inverse},
    {"forward.cl", pn_kernel_forward},
    {"inverse.cl", pn_kernel_inverse},
    {"multiply_add.cl", pn_kernel_multiply_add},
    {"pack_spectra.cl", pn_kernel_pack_spectra},
    {"reduce_shares.cl", pn_kernel_reduce_shares},
    {"bank.h", pn_kernel_bank},
    {"bank_take.cl", pn_kernel_bank_take},
    {"bank_read.cl", pn_kernel_bank_read},
    {"bank_mix.cl", pn_kernel_bank_mix},
    {"bank_bend.cl", pn_kernel_bank_bend},
};
enum { SOURCES = sizeof sources / sizeof sources[0] };

static atomic_long source_builds, fail_countdown;

long pn_opencl_source_builds(void) {
    return atomic_load(&source_builds);
}

void pn_opencl_fail_build_at(long k) {
    atomic_store(&fail_countdown, k);
}

static bool must_fail(void) {
    return atomic_load(&fail_countdown) > 0 && atomic_fetch_sub(&fail_countdown, 1) == 1;
}

/* ------------------------------------------------------------------ sources */

static char *read_text(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    size_t size = 0, capacity = 1 << 18;
    char *text = pn_alloc(capacity, 1);
    if (text != NULL)
        size = fread(text, 1, capacity - 1, file);
    fclose(file);
    if (size > 0)
        return text;
    pn_free(text);
    return NULL;
}

/* All sources as one text, each with its name for the compiler's messages. pn_free it. */
static pinna_status join_sources(char **joined, pinna_error *err) {
    const char *folder = getenv("PINNA_KERNELS");
    *joined = NULL;
    size_t used = 0;
    for (int i = 0; i < SOURCES; ++i) {
        char path[1024], line[64];
        snprintf(path, sizeof path, "%s/%s", folder == NULL ? "" : folder, sources[i].file);
        char *read = folder == NULL ? NULL : read_text(path);
        if (folder != NULL && read == NULL) {
            pn_free(*joined);
            *joined = NULL;
            return pn_fail(err, PINNA_NOT_FOUND,
                           "%s: cannot be read; PINNA_KERNELS must name a folder with all kernels", path);
        }
        const char *text = read == NULL ? sources[i].text : read;
        int head = snprintf(line, sizeof line, "#line 1 \"%s\"\n", sources[i].file);
        size_t length = strlen(text), more = (size_t)head + length + 1;
        char *grown = pn_regrow(*joined, used, used + more + 1, 1);
        if (grown != NULL) {
            memcpy(grown + used, line, (size_t)head);
            memcpy(grown + used + head, text, length);
            grown[used + more - 1] = '\n';
            *joined = grown;
            used += more;
        }
        pn_free(read);
        if (grown == NULL) {
            pn_free(*joined);
            *joined = NULL;
            return pn_fail_memory(err, "the kernels' sources", (double)(used + more));
        }
    }
    return PINNA_OK;
}

/* ------------------------------------------------------------------ building */

static pinna_status fail_build(cl_program program, cl_device_id device, const pn_opencl_info *info,
                               cl_int code, pinna_error *err) {
    char *log = pn_alloc(1 << 16, 1);
    if (log != NULL && pn_cl.GetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, (1 << 16) - 1, log,
                                                 NULL) != CL_SUCCESS)
        log[0] = '\0';
    char *end = log == NULL ? NULL : log + strlen(log);
    while (end != NULL && end > log && (end[-1] == '\n' || end[-1] == ' '))
        *--end = '\0';
    pn_fail(err, PINNA_DEVICE, "opencl:%d.%d (%s): the kernels do not build (%s): %.700s", info->platform,
            info->device, info->name, pn_opencl_error_name(code),
            log == NULL || *log == '\0' ? "no log" : log);
    pn_free(log);
    return PINNA_DEVICE;
}

static pinna_status build_sources(cl_context context, cl_device_id device, const pn_opencl_info *info,
                                  const char *options, const char *text, cl_program *program,
                                  pinna_error *err) {
    cl_int code = CL_SUCCESS;
    *program = pn_cl.CreateProgramWithSource(context, 1, &text, NULL, &code);
    if (*program == NULL)
        return pn_fail(err, PINNA_DEVICE, "opencl:%d.%d (%s): no program (%s)", info->platform, info->device,
                       info->name, pn_opencl_error_name(code));
    atomic_fetch_add(&source_builds, 1);
    code = must_fail() ? CL_BUILD_PROGRAM_FAILURE
                       : pn_cl.BuildProgram(*program, 1, &device, options, NULL, NULL);
    if (code == CL_SUCCESS)
        return PINNA_OK;
    fail_build(*program, device, info, code, err);
    pn_cl.ReleaseProgram(*program);
    *program = NULL;
    return PINNA_DEVICE;
}

static cl_program build_binary(cl_context context, cl_device_id device, const char *options,
                               const unsigned char *binary, size_t size) {
    cl_int code = CL_SUCCESS, of_binary = CL_SUCCESS;
    cl_program program =
        pn_cl.CreateProgramWithBinary(context, 1, &device, &size, &binary, &of_binary, &code);
    if (program == NULL)
        return NULL;
    if (code == CL_SUCCESS && of_binary == CL_SUCCESS &&
        pn_cl.BuildProgram(program, 1, &device, options, NULL, NULL) == CL_SUCCESS)
        return program;
    pn_cl.ReleaseProgram(program);
    return NULL;
}

static void keep_binary(cl_program program, const char *key) {
    size_t size = 0;
    if (pn_cl.GetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL) != CL_SUCCESS ||
        size == 0)
        return;
    unsigned char *binary = pn_alloc(size, 1);
    if (binary == NULL)
        return;
    if (pn_cl.GetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) == CL_SUCCESS)
        pn_cache_write("kernels", key, binary, size);
    pn_free(binary);
}

static void write_identity(const pn_opencl_info *info, const char *sources_text, char *text, size_t size) {
    snprintf(text, size, "%s\n%s\n%s\n%s\n%s\nsources %016llx\n", info->platform_name, info->platform_version,
             info->name, info->version, info->driver,
             (unsigned long long)pn_hash_bytes(sources_text, strlen(sources_text)));
}

pinna_status pn_opencl_program_identity(const pn_opencl_info *info, char *text, size_t size,
                                        pinna_error *err) {
    char *joined = NULL;
    pinna_status status = join_sources(&joined, err);
    if (status == PINNA_OK)
        write_identity(info, joined, text, size);
    pn_free(joined);
    return status;
}

pinna_status pn_opencl_program_create(cl_context context, cl_device_id device, const pn_opencl_info *info,
                                      const pn_opencl_widths *widths, bool cached, cl_program *program,
                                      pinna_error *err) {
    *program = NULL;
    char *text = NULL;
    pinna_status status = join_sources(&text, err);
    if (status != PINNA_OK)
        return status;
    char key[1024 + OPTIONS], identity[1024], options[OPTIONS];
    snprintf(options, sizeof options, options_for, widths->bins, widths->wide, widths->jobs,
             widths->lanes_log2, widths->tile_log2, info->type == PN_OPENCL_CPU ? 8 : 1);
    write_identity(info, text, identity, sizeof identity);
    snprintf(key, sizeof key, "%s\n%s", options, identity);
    size_t size = 0;
    unsigned char *binary = NULL;
    if (cached && pn_cache_read("kernels", key, &binary, &size) == PN_CACHE_FOUND)
        *program = build_binary(context, device, options, binary, size);
    pn_free(binary);
    if (*program == NULL) {
        status = build_sources(context, device, info, options, text, program, err);
        if (status == PINNA_OK && cached)
            keep_binary(*program, key);
    }
    pn_free(text);
    return status;
}
