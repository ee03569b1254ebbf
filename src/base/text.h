// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_TEXT_H
#define PN_BASE_TEXT_H

#include <stddef.h>

/* The word of the NULL-terminated list that is nearest to `word` by edit distance, when near enough to be a
 * slip of the keys (at most a third of its letters, at least one); else NULL. */
const char *pn_nearest_word(const char *word, const char *const *list);

/* Whole-string number: 1 when text is a finite number and nothing else. */
int pn_parse_number(const char *text, double *value);

#endif
