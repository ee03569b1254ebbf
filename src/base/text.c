// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 48 };

/* Edit distance with insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
 */
static size_t edit_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST)
        return n > m ? n : m;
    size_t d[LONGEST + 1][LONGEST + 1];
    for (size_t i = 0; i <= n; ++i)
        d[i][0] = i;
    for (size_t j = 0; j <= m; ++j)
        d[0][j] = j;
    for (size_t i = 1; i <= n; ++i) {
        for (size_t j = 1; j <= m; ++j) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
            size_t best = d[i - 1][j - 1] + (ca != cb);
            if (d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
                cb == tolower((unsigned char)a[i - 2]) && d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    }
    return d[n][m];
}

const char *pn_nearest_word(const char *word, const char *const *list) {
    const char *nearest = NULL;
    size_t limit = strlen(word) / 3;
    size_t best = (limit < 1 ? 1 : limit) + 1;
    for (; *list != NULL; ++list) {
        size_t distance = edit_distance(word, *list);
        if (distance < best) {
            best = distance;
            nearest = *list;
        }
    }
    return nearest;
}

int pn_parse_number(const char *text, double *value) {
    char *end;
    if (text == NULL || *text == '\0' || isspace((unsigned char)*text))
        return 0;
    *value = strtod(text, &end);
    return *end == '\0' && end != text && isfinite(*value);
}
