// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_REALTIME_H
#define PN_BASE_REALTIME_H

/* The block path: whatever runs once per audio block. A function marked PN_BLOCK_PATH never allocates, locks,
 * logs or opens files, and never waits for a device inside the audio callback. Compilers that know the
 * `nonblocking` effect check it; everywhere a test runs the marked calls with an allocator that traps. */
#if defined(__has_attribute)
#if __has_attribute(nonblocking)
#define PN_BLOCK_PATH __attribute__((nonblocking))
#endif
#endif
#ifndef PN_BLOCK_PATH
#define PN_BLOCK_PATH
#endif

/* Decaying tails end in subnormal numbers, which slow the arithmetic by up to two orders of magnitude. Every
 * thread that runs the block path flushes them to zero between these two calls.
 * pn_flush_denormals returns the mode it replaced, for pn_restore_denormals. */
unsigned long pn_flush_denormals(void);
void pn_restore_denormals(unsigned long mode);

#endif
