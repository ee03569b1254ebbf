// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_IO_OGG_H
#define PN_IO_OGG_H

#include <stdbool.h>

/* Gives every page of an Ogg file with one stream the same, fixed serial number (libsndfile draws one at
 * random), so that the same samples make the same bytes. fd: open for reading and writing. false: not
 * readable as Ogg, or an error of the system. Pages and their check sum: RFC 3533. */
bool pn_ogg_fix_serial(int fd);

#endif
