// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_TESTS_JSON_SUPPORT_H
#define PN_TESTS_JSON_SUPPORT_H

#include <cjson/cJSON.h>

#include "support.h"

/* What a program's JSON must have; fails the test, with the key, where it does not. */

static inline const cJSON *item(const cJSON *object, const char *key) {
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(object, key);
    if (found == NULL)
        fail_msg("the JSON lacks '%s'", key);
    return found;
}

static inline double number(const cJSON *object, const char *key) {
    const cJSON *found = item(object, key);
    if (!cJSON_IsNumber(found))
        fail_msg("'%s' is no number", key);
    return found->valuedouble;
}

static inline const char *text(const cJSON *object, const char *key) {
    const cJSON *found = item(object, key);
    if (!cJSON_IsString(found))
        fail_msg("'%s' is no text", key);
    return found->valuestring;
}

#endif
