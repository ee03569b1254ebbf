// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* A program outside the tree, as a user of the installed library writes it: an echo of half the level after 300
 * samples, through a convolver that is found only by its public header and library. */

#include <pinna.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 256, BLOCKS = 4, FRAMES = BLOCK * BLOCKS, TAPS = 301 };

int main(void) {
    static float taps[TAPS], in[FRAMES], out[FRAMES];
    taps[0] = 1;
    taps[TAPS - 1] = 0.5f;
    in[10] = 1;

    const pinna_ir ir = {.input = 0, .output = 0, .taps = taps, .length = TAPS};
    const pinna_convolver_config config = {
        .inputs = 1, .outputs = 1, .block = BLOCK, .irs = &ir, .ir_count = 1};
    pinna_convolver *convolver = NULL;
    pinna_error error;
    if (strcmp(pinna_version(), PINNA_VERSION) != 0) {
        fprintf(stderr, "header %s, library %s\n", PINNA_VERSION, pinna_version());
        return 1;
    }
    if (pinna_convolver_create(&config, &convolver, &error) != PINNA_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    for (int b = 0; b < BLOCKS; ++b) {
        const float *input = in + b * BLOCK;
        float *output = out + b * BLOCK;
        if (pinna_convolver_process(convolver, &input, &output, BLOCK, &error) != PINNA_OK) {
            fprintf(stderr, "%s\n", error.text);
            return 1;
        }
    }
    pinna_convolver_free(convolver);
    for (int n = 0; n < FRAMES; ++n) {
        float expected = n == 10 ? 1.0f : n == 310 ? 0.5f : 0.0f;
        float error_here = out[n] - expected;
        if (error_here > 1e-6f || error_here < -1e-6f) {
            fprintf(stderr, "sample %d is %g, expected %g\n", n, (double)out[n], (double)expected);
            return 1;
        }
    }
    printf("echo ok\n");
    return 0;
}
