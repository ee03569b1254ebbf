// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_OPENCL_CACHE_H
#define PN_DEVICE_OPENCL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Files of program binaries and of tuned widths, one for each key (a text of a few lines), as opencl_program.h says. Nothing here is
 * an error: what cannot be read is not there, what cannot be written is not kept. Any thread, any process. */

/* 64-bit FNV-1a. */
uint64_t pn_opencl_hash(const void *data, size_t size);

/* The bytes kept for the key (pn_free them), or NULL. */
unsigned char *pn_opencl_cache_read(const char *key, size_t *size);
/* There is a file for the key, whatever is in it. */
bool pn_opencl_cache_has(const char *key);
void pn_opencl_cache_write(const char *key, const unsigned char *data, size_t size);

#endif
