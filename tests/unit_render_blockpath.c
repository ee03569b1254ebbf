// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The block path allocates nothing, and a renderer that cannot be built for lack of memory says so. The first by an
 * allocator that counts while armed, in every thread (left out where a sanitizer has its own). */
#include <stdatomic.h>

#include "render_support.h"

enum { RATE = 48000 };
#define HEAD "pinna: 1\nrate: 48000\n"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
enum { COUNTED = 0 };
static atomic_int armed;
static atomic_long calls;
#else
enum { COUNTED = 1 };
static atomic_int armed;
static atomic_long calls;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static void count_call(void) {
    if (atomic_load_explicit(&armed, memory_order_relaxed))
        atomic_fetch_add(&calls, 1);
}

/* NOLINTBEGIN: the C library's own names */
__attribute__((visibility("default"))) void *malloc(size_t size) {
    count_call();
    return __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size) {
    count_call();
    return __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *old, size_t size) {
    count_call();
    return __libc_realloc(old, size);
}

__attribute__((visibility("default"))) void *aligned_alloc(size_t alignment, size_t size) {
    count_call();
    return __libc_memalign(alignment, size);
}

__attribute__((visibility("default"))) int posix_memalign(void **memory, size_t alignment, size_t size) {
    count_call();
    *memory = __libc_memalign(alignment, size);
    return *memory == NULL;
}

__attribute__((visibility("default"))) void free(void *memory) {
    if (memory != NULL)
        count_call();
    __libc_free(memory);
}
/* NOLINTEND */
#endif

static void the_counter_counts(void **state) {
    (void)state;
    if (!COUNTED)
        skip();
    atomic_store(&calls, 0);
    atomic_store(&armed, 1);
    void *volatile memory = pn_alloc(1, 100);
    pn_free(memory);
    atomic_store(&armed, 0);
    assert_int_equal(atomic_load(&calls), 2);
}

/* Everything at once: clips resampled and looped, generators, all kinds of rendering, moving sources and listener,
 * automation, two kinds of reverb, a bus without; air, a directed source within reach of the hand, one that turns so fast
 * that a quantum takes four filters, the equalised set, width, Doppler; steered by calls besides. */
static const char everything[] = HEAD
    "duration: 1\nair: {temperature: 10, humidity: 20}\nhrtf: {file: builtin, equalise: low}\n"
    "listener: {path: [{time: 0, orientation: [0, 0, 0]}, {time: 1, orientation: [90, 10, 0], position: "
    "[1, 0, 0]}]}\n"
    "sources:\n"
    "  - {name: a, clip: a.wav, loop: true, orbit: {period: 1, radius: 2}, sends: {hall: -10}}\n"
    "  - {name: b, clip: b.wav, loop: true, render: stereo, automate: {gain: [[0, -20], [1, 0]]}, "
    "sends: {room: 0}}\n"
    "  - {name: c, generator: {kind: pink}, path: [{time: 0, position: [1, 0, 0]}, {time: 1, position: "
    "[0, 1, 1], "
    "curve: smooth}], sends: {dry: -6}}\n"
    "  - {name: d, generator: {kind: pluck}, render: direct}\n"
    "  - {name: e, clip: b.wav, position: [1, 2, 3], width: 60, diffuse: 0.3, doppler: 0.5}\n"
    "  - {name: f, generator: {kind: sine}, doppler: on, path: [{time: 0, position: [9, 1, 0]}, "
    "{position: [1, 3, "
    "0], curve: smooth}, {time: 0.5, position: [-3, 3, 0], curve: smooth, speed: eased}, {time: 0.501, "
    "position: "
    "[90, 0, 0]}]}\n"
    "  - {name: g, generator: {kind: noise}, field: near, width: 40, orbit: {period: 0.3, radius: 0.25}}\n"
    "  - {name: h, generator: {kind: noise}, orbit: {period: 0.1, radius: 1}, directivity: {pattern: "
    "cardioid}}\n"
    "buses:\n  - {name: hall, reverb: {ir: builtin, predelay: 0.01}}\n"
    "  - {name: room, reverb: {ir: ir.wav}}\n  - {name: dry}\nmaster: {gain: -3}\n";

static void write_clips(void) {
    const float *a[1], *b[2], *ir[4];
    free(test_noise_clip("a.wav", 44100, 1, 3000, 1, a));
    free(test_noise_clip("b.wav", RATE, 2, 9000, 2, b));
    free(test_noise_clip("ir.wav", RATE, 4, 5000, 3, ir));
}

static void process_allocates_nothing(void **state) {
    (void)state;
    if (!COUNTED)
        skip();
    write_clips();
    for (int threads = 1; threads <= 2; ++threads) {
        pn_renderer_config config = {.device = "cpu", .threads = threads, .block = threads == 1 ? 256 : 1024};
        pn_renderer *r = test_open_scene(everything, &config, NULL);
        static float left[1024], right[1024];
        pinna_error err = {0};
        int block = pn_renderer_block(r);
        atomic_store(&calls, 0);
        for (int at = 0, k = 0; at < RATE; at += block, ++k) {
            assert_ok(pn_renderer_prepare(r, &err), &err);
            atomic_store(&armed, 1);
            if (k == 20) {
                pn_renderer_move_source(r, 0, (pn_vec3){0, 1, 0});
                pn_renderer_move_listener(r, (pn_vec3){0, 0, 1}, pn_quat_from_ypr(1, 0, 0));
                pn_renderer_gain_source(r, 1, 0.5);
            }
            pinna_status status = pn_renderer_process(r, left, right, &err);
            atomic_store(&armed, 0);
            assert_ok(status, &err);
        }
        assert_true(test_peak(left, (size_t)block) > 0);
        assert_int_equal(atomic_load(&calls), 0);
        pn_renderer_free(r);
    }
}

/* The k-th allocation fails, for k = 1, 2, 3 ... until there are no more: each time no memory, and nothing left over
 * (which the address sanitizer sees). Returns how many there were. */
static long fail_each(const char *yaml, long first, long step, bool can_do_without) {
    for (long k = first;; k += step) {
        pn_scene *scene = NULL;
        pn_renderer *r = NULL;
        pinna_error err = {0};
        pn_renderer_config config = {.device = "cpu", .threads = 2};
        assert_ok(pn_scene_read_text(yaml, strlen(yaml), "test.yaml", test_folder(), NULL, &scene, &err),
                  &err);
        long before = pn_memory_count();
        pn_memory_fail_at(k);
        pinna_status status = pn_renderer_create(scene, &config, NULL, &r, &err);
        pn_memory_fail_at(0);
        if (status == PINNA_OK) {
            assert_non_null(r);
            long count = pn_memory_count() - before;
            if (count >= k && !can_do_without)
                fail_msg("allocation %ld failed, and nothing was said", k);
            pn_renderer_free(r);
            if (count < k)
                return k;
            continue;
        }
        if (status != PINNA_NO_MEMORY || r != NULL || strstr(err.text, "memory") == NULL)
            fail_msg("allocation %ld: %s: %s", k, pinna_status_name(status), err.text);
    }
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    write_clips();
    long count =
        fail_each(HEAD "duration: 0.1\nsources:\n"
                       "  - {name: a, clip: a.wav, loop: true, render: direct, sends: {room: 0}}\n"
                       "  - {name: b, clip: b.wav, render: stereo, sends: {dry: 0}}\n"
                       "  - {name: c, generator: {kind: pluck}, render: direct}\n"
                       "buses:\n  - {name: room, reverb: {ir: ir.wav, predelay: 0.01}}\n  - {name: dry}\n"
                       "  - {name: hall, reverb: {ir: builtin}}\n",
                  1, 1, false);
    assert_true(count > 30);
}

/* With a set, whose own allocations are many and slow to reach: some of them (the cache can do without what it asks for),
 * and the last ones, after the set: delay lines, copies of a wide source, filters. */
static void allocations_after_the_set_may_fail(void **state) {
    (void)state;
    const char *yaml = HEAD "doppler: on\nsources: [{name: a, generator: {kind: noise}, length: 0.1, "
                            "position: [1, 1, 0], width: 90, "
                            "diffuse: 0.5}]\n";
    long before = pn_memory_count();
    pn_renderer *r = test_open_scene(yaml, NULL, NULL);
    long all = pn_memory_count() - before;
    pn_renderer_free(r);
    fail_each(yaml, 1, all / 4, true);
    fail_each(yaml, all - 40, 1, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_counter_counts),
        cmocka_unit_test(process_allocates_nothing),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(allocations_after_the_set_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
