// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <math.h>

#include "base/peak.h"

/* Wherever it stands, whatever its sign; infinity and NaN count as the largest. */
static void the_largest_sample_is_found(void **state) {
    (void)state;
    enum { MOST = 40 };
    static const float large[] = {0.75f, -0.75f, INFINITY, -INFINITY, NAN};
    for (size_t count = 1; count <= MOST; ++count)
        for (size_t at = 0; at < count; ++at)
            for (size_t k = 0; k < sizeof large / sizeof large[0]; ++k) {
                float samples[MOST + 1];
                for (size_t n = 0; n <= MOST; ++n)
                    samples[n] = n < count ? (n % 2 == 0 ? 0.5f : -0.7f) : 1e9f;
                samples[at] = large[k];
                float largest = pn_largest(samples, count);
                assert_true(isnan(large[k]) ? isnan(largest) : largest == fabsf(large[k]));
            }
    assert_true(pn_largest(NULL, 0) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_largest_sample_is_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
