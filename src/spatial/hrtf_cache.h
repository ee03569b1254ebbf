// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_HRTF_CACHE_H
#define PN_SPATIAL_HRTF_CACHE_H

#include "base/cache.h"
#include "spatial/hrtf_set.h"

/* Sets as they were made, kept between runs with the messages of their making. */

enum { PN_HRTF_KEY = 512 };

/* Names everything a set depends on: the content of the file (the embedded one for the built-in set), its name (a set
 * without a title is called by it), rate, options, the sources that make it. false when the file cannot be read, or is
 * no ordinary file. */
bool pn_hrtf_cache_key(const char *file, double rate, const pn_hrtf_options *options, char key[PN_HRTF_KEY]);

/* On PN_CACHE_FOUND *hrtf is the set, and its messages have been told; label takes the place of the file's name in
 * them. Anything else leaves *hrtf NULL. */
pn_cache_answer pn_hrtf_cache_read(const char *key, const char *label, pn_messages *messages, pn_hrtf **hrtf);
bool pn_hrtf_cache_write(const char *key, const char *label, const pn_messages *messages,
                         const pn_hrtf *hrtf);

#endif
