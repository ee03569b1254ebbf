// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The convolver matrix on every device against its definition in float64, taken over at any phase, spread over shards,
 * and with every command failing in turn. */
#include <stdlib.h>
#include <string.h>

#include "opencl_each.h"

#include "device/opencl_matrix.h"
#include "device/ops.h"

static const double BOUND_DB = -115;
enum { MOST = 8 };

typedef struct {
    pn_matrix_desc desc;
    pn_matrix_level level[3];
    pn_level_entry entry[MOST * MOST];
    float *taps, *input, *output; /* [input][zeros, frames], [output][frames] */
    size_t zeros, frames;
    int calls;
} stream;

/* Levels of block, middle * block and large * block (0: absent), which cover `longest` taps. */
static void set_levels(stream *s, int block, int middle, int large, size_t longest) {
    const int blocks[3] = {block, middle * block, large * block};
    s->desc.levels = large > 0 ? 3 : middle > 0 ? 2 : 1;
    s->desc.level = s->level;
    for (int l = 0; l < s->desc.levels; ++l) {
        size_t first = l == 0 ? 0 : 2 * (size_t)blocks[l];
        size_t end = l + 1 < s->desc.levels ? 2 * (size_t)blocks[l + 1] : longest;
        s->level[l] = (pn_matrix_level){
            blocks[l], (int)((end - first + (size_t)blocks[l] - 1) / (size_t)blocks[l]), first};
    }
}

/* Entries with holes between them and of many lengths, so that some end in each level; the last output has none. */
static void make_stream(stream *to, int block, int middle, int large, int inputs, int outputs, size_t longest,
                        int calls) {
    *to = (stream){.calls = calls, .frames = (size_t)block * (size_t)calls, .zeros = 2 * longest};
    to->desc.inputs = inputs;
    to->desc.outputs = outputs + 1;
    to->desc.entry = to->entry;
    set_levels(to, block, middle, large, longest);
    to->taps = pn_alloc_floats(longest * MOST * MOST);
    test_fill_noise(to->taps, longest * MOST * MOST, 5, 1);
    for (int o = outputs - 1; o >= 0; --o)
        for (int i = 0; i < inputs; ++i) {
            if (outputs > 1 && inputs > 1 && (i + 2 * o) % 3 == 1)
                continue;
            int e = to->desc.entries++;
            size_t length = e % 4 == 0 ? longest : e % 4 == 1 ? longest / 5 : e % 4 == 2 ? 1 : longest / 2;
            to->entry[e] = (pn_level_entry){i, o, to->taps + (size_t)e * longest, length < 1 ? 1 : length};
        }
    to->input = pn_alloc_floats((to->zeros + to->frames) * (size_t)inputs);
    to->output = pn_alloc_floats(to->frames * (size_t)(outputs + 1));
    for (int i = 0; i < inputs; ++i)
        test_fill_noise(to->input + (size_t)i * (to->zeros + to->frames) + to->zeros, to->frames,
                        (uint64_t)i + 1, 1);
}

static void free_stream(stream *s) {
    pn_free(s->taps);
    pn_free(s->input);
    pn_free(s->output);
}

static const float *window(const void *user, int input, int64_t end, size_t frames) {
    const stream *s = user;
    assert_true(frames <= 2 * (size_t)s->level[s->desc.levels - 1].block);
    return s->input + (size_t)input * (s->zeros + s->frames) + s->zeros + end - frames;
}

static pinna_status run_call(pn_matrix *matrix, const stream *s, int call, pinna_error *err) {
    size_t block = (size_t)s->level[0].block;
    const float *in[MOST];
    float *out[MOST + 1];
    for (int i = 0; i < s->desc.inputs; ++i)
        in[i] = window(s, i, (int64_t)(call + 1) * (int64_t)block, block);
    for (int o = 0; o < s->desc.outputs; ++o)
        out[o] = s->output + (size_t)o * s->frames + (size_t)call * block;
    pinna_status status = backend->ops->matrix_begin(matrix, in, err);
    return status == PINNA_OK ? backend->ops->matrix_finish(matrix, out, err) : status;
}

static pn_matrix *create(pn_backend *on, const stream *s) {
    pinna_error err = {0};
    pn_matrix *matrix = NULL;
    assert_ok(on->ops->matrix_create(on, &s->desc, &matrix, &err), &err);
    return matrix;
}

static void run_calls(pn_matrix *matrix, const stream *s, int from) {
    pinna_error err = {0};
    for (int c = from; c < s->calls; ++c)
        assert_ok(run_call(matrix, s, c, &err), &err);
}

static double error_db(const stream *s) {
    const pn_level_desc desc = {
        .inputs = s->desc.inputs, .outputs = s->desc.outputs, .entry = s->entry, .entries = s->desc.entries};
    double *expected = pn_alloc(s->frames * (size_t)s->desc.outputs, sizeof *expected);
    const float *input[MOST];
    double *rows[MOST + 1], worst = -400;
    for (int i = 0; i < s->desc.inputs; ++i)
        input[i] = window(s, i, 0, 0);
    for (int o = 0; o < s->desc.outputs; ++o)
        rows[o] = expected + (size_t)o * s->frames;
    pn_ops_level(&desc, input, s->frames, rows);
    for (int o = 0; o + 1 < s->desc.outputs; ++o) {
        double db = test_error_db_f64(s->output + (size_t)o * s->frames, rows[o], s->frames);
        worst = db > worst ? db : worst;
    }
    for (size_t n = 0; n < s->frames; ++n) /* the output without an entry */
        assert_true(s->output[(size_t)(s->desc.outputs - 1) * s->frames + n] == 0);
    pn_free(expected);
    return worst;
}

static void check(int block, int middle, int large, int inputs, int outputs, size_t longest, int calls) {
    stream s;
    make_stream(&s, block, middle, large, inputs, outputs, longest, calls);
    memset(s.output, 0xff, s.frames * (size_t)s.desc.outputs * sizeof(float));
    pn_matrix *matrix = create(backend, &s);
    run_calls(matrix, &s, 0);
    backend->ops->matrix_free(matrix);
    assert_below(error_db(&s), BOUND_DB);
    free_stream(&s);
}

static void shapes(void **state) {
    (void)state;
    check(32, 0, 0, 1, 1, 1, 3);
    check(32, 0, 0, 5, 5, 1500, 70);
    check(32, 4, 0, 1, 1, 1200, 80);
    check(64, 4, 16, 1, 1, 6000, 150);
    check(64, 4, 16, 5, 3, 3000, 80);
    check(64, 2, 4, 6, 1, 2500, 60);
    check(32, 8, 32, 1, 7, 4000, 200);
    check(256, 0, 0, 2, 2, 12000, 60);  /* eight jobs at a time */
    check(256, 16, 0, 2, 2, 12000, 56); /* transforms in two launches */
    check(4096, 2, 0, 1, 1, 20000, 7);
}

/* As if it had run from the start, to the bit, at every phase of the levels. */
static void takes_over(void **state) {
    (void)state;
    stream s;
    make_stream(&s, 32, 4, 16, 3, 2, 2600, 110);
    pn_matrix *matrix = create(backend, &s);
    run_calls(matrix, &s, 0);
    size_t floats = s.frames * (size_t)s.desc.outputs;
    float *expected = pn_alloc_floats(floats);
    memcpy(expected, s.output, floats * sizeof *expected);
    for (int from = 0; from < s.calls; from += from < 20 ? 1 : 7) {
        pinna_error err = {0};
        memset(s.output, 0, floats * sizeof *expected);
        assert_ok(backend->ops->matrix_prime(matrix, 32 * from, window, &s, &err), &err);
        run_calls(matrix, &s, from);
        for (int o = 0; o < s.desc.outputs; ++o) {
            size_t at = (size_t)o * s.frames + 32 * (size_t)from;
            assert_memory_equal(s.output + at, expected + at, (s.frames - 32 * (size_t)from) * sizeof(float));
        }
    }
    backend->ops->matrix_reset(matrix);
    run_calls(matrix, &s, 0);
    assert_memory_equal(s.output, expected, floats * sizeof *expected);
    backend->ops->matrix_free(matrix);
    pn_free(expected);
    free_stream(&s);
}

/* ------------------------------------------------------------------ widths */

/* To the bit the same whatever the kernels are built with. */
static void widths_change_no_result(void **state) {
    (void)state;
    static const pn_opencl_widths some[] = {{1, 1, 4, 0, 5, 256, 256},
                                            {1, 2, 2, 0, 4, 64, 16},
                                            {4, 16, 2, 2, 5, 64, 32},
                                            {8, 8, 4, 3, 4, 128, 16},
                                            {16, 16, 2, 3, 4, 64, 16}};
    stream s;
    make_stream(&s, 64, 4, 64, 3, 4, 14000, 200); /* the largest of 4096: in two launches */
    size_t floats = s.frames * (size_t)s.desc.outputs;
    float *expected = pn_alloc_floats(floats);
    for (int bits = 16; bits <= 32; bits += 16) {
        for (size_t w = 0; w < sizeof some / sizeof some[0]; ++w) {
            pn_opencl *device = NULL;
            pinna_error err = {0};
            assert_ok(
                pn_opencl_device_open_with(&((const pn_opencl *)backend)->info, &some[w], &device, &err),
                &err);
            device->head.ops = backend->ops;
            device->head.spectra_bits = bits;
            pn_backend *before = backend;
            backend = &device->head;
            pn_matrix *matrix = create(backend, &s);
            run_calls(matrix, &s, 0);
            backend->ops->matrix_free(matrix);
            pn_backend_close(backend);
            backend = before;
            if (w == 0)
                memcpy(expected, s.output, floats * sizeof *expected);
            assert_memory_equal(s.output, expected, floats * sizeof *expected);
        }
    }
    pn_free(expected);
    free_stream(&s);
}

/* ------------------------------------------------------------------ spectra of 16 bits */

static char told[256];

static void hear(void *user, pinna_message_level level, const char *text) {
    (void)user;
    (void)level;
    snprintf(told, sizeof told, "%s", text);
}

/* 16 bits give -94 dB, which is told and true; the spectra take 17 bits for every 32. */
static void spectra_of_16_bits(void **state) {
    (void)state;
    static const int shapes[][6] = {{64, 4, 16, 5, 3, 3000}, {256, 0, 0, 2, 2, 12000}, {32, 0, 0, 1, 1, 700}};
    pn_messages *messages = pn_messages_create(hear, NULL);
    for (int c = 0; c < 3; ++c) {
        const int *p = shapes[c];
        stream s;
        pinna_error err = {0};
        make_stream(&s, p[0], p[1], p[2], p[3], p[4], (size_t)p[5], 60);
        pn_matrix *matrix = create(backend, &s);
        size_t whole = matrix->shard_count[0] - matrix->x_count[0];
        backend->ops->matrix_free(matrix);
        assert_ok(pn_backend_set_spectra(backend, 16, messages, &err), &err);
        matrix = create(backend, &s);
        assert_ok(pn_backend_set_spectra(backend, 32, messages, &err), &err);
        size_t packed = matrix->shard_count[0] - matrix->x_count[0];
        size_t most = whole * 17 / 32 + (size_t)(s.desc.entries * s.desc.levels * matrix->vector);
        assert_in_range(packed, whole * 17 / 32, most);
        run_calls(matrix, &s, 0);
        backend->ops->matrix_free(matrix);
        double db = error_db(&s), said = 0;
        const char *at = strstr(told, "error ");
        assert_non_null(at);
        said = strtod(at + 6, NULL);
        assert_true(db < -90 && db > -110);
        assert_true(said < -91 && said > -100);
        free_stream(&s);
    }
    assert_int_equal(pn_backend_set_spectra(backend, 8, messages, NULL), PINNA_BAD_ARGUMENT);
    pn_messages_free(messages);
}

/* ------------------------------------------------------------------ shards and memory */

static pn_backend *open_as(pn_opencl_type type) {
    pn_opencl_info info = ((const pn_opencl *)backend)->info;
    pn_opencl *device = NULL;
    pinna_error err = {0};
    info.type = type;
    assert_ok(pn_opencl_device_open(&info, &device, &err), &err);
    device->head.ops = backend->ops;
    return &device->head;
}

/* The kernels for graphics cards and those for processors, whatever the device is. */
static void shapes_of_either_kind(void **state) {
    (void)state;
    static const pn_opencl_type types[] = {PN_OPENCL_GPU, PN_OPENCL_CPU};
    for (int t = 0; t < 2; ++t) {
        pn_backend *before = backend;
        backend = open_as(types[t]);
        check(32, 4, 16, 5, 3, 2500, 90);
        check(32, 0, 0, 2, 2, 1500, 60);
        check(256, 16, 0, 1, 1, 9000, 50);
        pn_backend_close(backend);
        backend = before;
    }
}

static pn_backend *open_with(uint64_t max_alloc, uint64_t memory) {
    pn_opencl_info info = ((const pn_opencl *)backend)->info;
    pn_opencl *device = NULL;
    pinna_error err = {0};
    info.max_alloc = max_alloc > 0 ? max_alloc : info.max_alloc;
    info.memory = memory > 0 ? memory : info.memory;
    assert_ok(pn_opencl_device_open(&info, &device, &err), &err);
    device->head.ops = backend->ops;
    return &device->head;
}

static void refused(const stream *s, uint64_t max_alloc, uint64_t memory, const char *reason) {
    pn_backend *on = open_with(max_alloc, memory);
    pinna_error err = {0};
    pn_matrix *matrix = NULL;
    assert_int_equal(on->ops->matrix_create(on, &s->desc, &matrix, &err), PINNA_NO_MEMORY);
    assert_null(matrix);
    assert_non_null(strstr(err.text, reason));
    assert_non_null(strstr(err.text, " MB"));
    assert_true(((pn_opencl *)on)->used == 0);
    pn_backend_close(on);
}

static void spread_over_shards(void **state) {
    (void)state;
    stream s;
    make_stream(&s, 64, 4, 16, 8, 8, 12000, 60);
    pn_matrix *matrix = create(backend, &s);
    assert_int_equal(matrix->shards, 1);
    run_calls(matrix, &s, 0);
    uint64_t bytes = matrix->bytes, spectra = matrix->shard_count[0] * 4;
    backend->ops->matrix_free(matrix);
    size_t floats = s.frames * (size_t)s.desc.outputs;
    float *expected = pn_alloc_floats(floats);
    memcpy(expected, s.output, floats * sizeof *expected);

    pn_backend *on = open_with(spectra / 5, 0);
    pn_backend *before = backend;
    backend = on;
    memset(s.output, 0, floats * sizeof *expected);
    matrix = create(on, &s);
    assert_in_range(matrix->shards, 5, PN_SHARDS);
    run_calls(matrix, &s, 0);
    assert_memory_equal(s.output, expected, floats * sizeof *expected);
    assert_true(((pn_opencl *)on)->used == bytes);
    on->ops->matrix_free(matrix);
    pn_backend_close(on);
    backend = before;

    refused(&s, spectra / 12, 0, "need more than 8 buffers");
    refused(&s, 4096, 0, "the spectra of one channel");
    refused(&s, 0, bytes / 2, "the responses need");
    pn_free(expected);
    free_stream(&s);
}

/* The second of two that do not fit together is refused, and the first runs on. */
static void memory_is_counted(void **state) {
    (void)state;
    stream s;
    make_stream(&s, 64, 4, 16, 2, 2, 3000, 4); /* small, as nothing is run */
    pn_matrix *matrix = create(backend, &s), *other = NULL;
    uint64_t bytes = matrix->bytes;
    backend->ops->matrix_free(matrix);
    pn_backend *on = open_with(0, bytes + bytes / 4); /* with fewer sums ahead neither */
    pinna_error err = {0};
    matrix = create(on, &s);
    assert_int_equal(on->ops->matrix_create(on, &s.desc, &other, &err), PINNA_NO_MEMORY);
    assert_non_null(strstr(err.text, "are in use"));
    on->ops->matrix_free(matrix);
    other = create(on, &s);
    on->ops->matrix_free(other);
    pn_backend_close(on);
    free_stream(&s);
}

/* ------------------------------------------------------------------ launches and failures */

/* Runs the stream; *call becomes the call with most launches, which are returned. */
static long most_launches_in(pn_matrix *matrix, const stream *s, int *call) {
    pinna_error err = {0};
    long most = 0;
    for (int c = 0; c < s->calls; ++c) {
        long before = backend->ops->launches();
        assert_ok(run_call(matrix, s, c, &err), &err);
        long launches = backend->ops->launches() - before;
        if (launches > most) {
            most = launches;
            *call = c;
        }
    }
    return most;
}

static long most_launches(int inputs, int middle, int large) {
    stream s;
    int call;
    make_stream(&s, 64, middle, large, inputs, inputs, 3000, 40);
    pn_matrix *matrix = create(backend, &s);
    long most = most_launches_in(matrix, &s, &call);
    backend->ops->matrix_free(matrix);
    free_stream(&s);
    return most;
}

static void launches_do_not_grow(void **state) {
    (void)state;
    assert_int_equal(most_launches(1, 0, 0), 4);
    assert_int_equal(most_launches(5, 0, 0), 4);
    assert_in_range(most_launches(1, 4, 0), 5, 7); /* with the sums of level 0 for later calls */
    assert_in_range(most_launches(5, 4, 16), 5, 7);
}

static void each_command_of_a_call(void **state) {
    (void)state;
    stream s;
    make_stream(&s, 64, 4, 0, 2, 2, 1000, 9);
    pn_matrix *matrix = create(backend, &s);
    pinna_error err = {0};
    int failures = 0, call = 0;
    long launches = most_launches_in(matrix, &s, &call);
    assert_true(launches > 4);
    for (long k = 1; k < 100; ++k) {
        assert_ok(backend->ops->matrix_prime(matrix, 64 * call, window, &s, &err), &err);
        pn_opencl_fail_at(k);
        pinna_status status = run_call(matrix, &s, call, &err);
        pn_opencl_fail_at(0);
        if (status == PINNA_OK)
            break;
        ++failures;
        assert_int_equal(status, PINNA_DEVICE);
        assert_non_null(strstr(err.text, backend->name));
        assert_int_equal(run_call(matrix, &s, call, &err), PINNA_DEVICE); /* lost until reset or primed */
    }
    assert_int_equal(failures, launches + 3); /* write, read, wait */
    run_calls(matrix, &s, call + 1);
    backend->ops->matrix_free(matrix);
    free_stream(&s);
}

static void each_step_of_create(void **state) {
    (void)state;
    static const struct {
        void (*fail_at)(long k);
        pinna_status status;
        int least;
    } ways[] = {{pn_opencl_fail_buffer_at, PINNA_NO_MEMORY, 10},
                {pn_memory_fail_at, PINNA_NO_MEMORY, 14},
                {pn_opencl_fail_at, PINNA_DEVICE, 12}};
    stream s;
    make_stream(&s, 64, 4, 0, 2, 2, 1000, 1);
    for (int w = 0; w < 3; ++w) {
        int failures = 0;
        for (long k = 1; k < 200; ++k) {
            pinna_error err = {0};
            pn_matrix *matrix = NULL;
            ways[w].fail_at(k);
            pinna_status status = backend->ops->matrix_create(backend, &s.desc, &matrix, &err);
            ways[w].fail_at(0);
            backend->ops->matrix_free(matrix);
            assert_true(((pn_opencl *)backend)->used == 0);
            if (status == PINNA_OK)
                break;
            ++failures;
            assert_int_equal(status, ways[w].status);
            assert_null(matrix);
        }
        assert_in_range(failures, ways[w].least, 60);
    }
    free_stream(&s);
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes),
        cmocka_unit_test(shapes_of_either_kind),
        cmocka_unit_test(takes_over),
        cmocka_unit_test(widths_change_no_result),
        cmocka_unit_test(spectra_of_16_bits),
        cmocka_unit_test(spread_over_shards),
        cmocka_unit_test(memory_is_counted),
        cmocka_unit_test(launches_do_not_grow),
        cmocka_unit_test(each_command_of_a_call),
        cmocka_unit_test(each_step_of_create),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    return run_on_each_device(run);
}
