// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_IO_SPILL_H
#define PN_IO_SPILL_H

#include <stddef.h>

#include "base/status.h"

/* A signal kept on disk between two passes (normalising to a peak or a loudness that is known only at the
 * end): a nameless temporary file, gone with the object or the program. Write all, then read all, any frames
 * per call. */
typedef struct pn_spill pn_spill;

/* beside: the file stands in that file's folder, where there is room for a result of its size; NULL or "-" =
 * TMPDIR, else /tmp. */
pinna_status pn_spill_open(const char *beside, int channels, pn_spill **spill, pinna_error *err);
void pn_spill_free(pn_spill *spill); /* accepts NULL */

pinna_status pn_spill_write(pn_spill *spill, const float *const *channel, size_t frames, pinna_error *err);
/* From the start on; *got < frames only at the end. Writing after the first read is PINNA_BAD_ARGUMENT. */
pinna_status pn_spill_read(pn_spill *spill, float *const *channel, size_t frames, size_t *got,
                           pinna_error *err);

#endif
