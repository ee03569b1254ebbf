// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_MESSAGES_H
#define PN_BASE_MESSAGES_H

#include <stddef.h>

#include "pinna.h"

/* What was done, told to the user: every resampling, repair, trim, fall-back or added latency is one message.
 * They are passed on as they come and kept, so that warnings can be repeated at the end.
 * All functions accept a NULL collection (and then drop the text). Thread-safe; never from the block path. */

typedef struct pn_messages pn_messages;

/* sink may be NULL; it is called in the thread that reports. Returns NULL when out of memory. */
pn_messages *pn_messages_create(pinna_message_fn sink, void *user);
void pn_messages_free(pn_messages *messages);

/* Something was done that a user should know of (resampled, chosen, delayed); a plain statement. */
void pn_info(pn_messages *messages, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Something is probably not what was wanted (clipped, repaired, replaced, fallen back). */
void pn_warn(pn_messages *messages, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The kept messages in order; text valid until the collection is freed. */
size_t pn_messages_count(const pn_messages *messages);
const char *pn_messages_get(const pn_messages *messages, size_t index, pinna_message_level *level);

#endif
