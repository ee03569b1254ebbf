// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "base/realtime.h"

#if defined(__SSE2__)
#include <xmmintrin.h>

unsigned long pn_flush_denormals(void) {
    unsigned mode = _mm_getcsr();
    _mm_setcsr(mode | 0x8040u); /* flush to zero, denormals are zero */
    return mode;
}

void pn_restore_denormals(unsigned long mode) {
    _mm_setcsr((unsigned)mode);
}

#elif defined(__aarch64__)

unsigned long pn_flush_denormals(void) {
    unsigned long mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    __asm__ volatile("msr fpcr, %0" : : "r"(mode | (1ul << 24)));
    return mode;
}

void pn_restore_denormals(unsigned long mode) {
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
}

#else

unsigned long pn_flush_denormals(void) {
    return 0;
}

void pn_restore_denormals(unsigned long mode) {
    (void)mode;
}

#endif
