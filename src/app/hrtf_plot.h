// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_APP_HRTF_PLOT_H
#define PN_APP_HRTF_PLOT_H

#include "app/hrtf_figures.h"

/* One page of a set: where it was measured, how well directions between are met, ITD and ILD over the sphere, level over
 * the horizontal plane. path: .png or .svg; input: the file the set is of, which must not be it (NULL: built in). */
pinna_status pn_hrtf_plot(const pn_hrtf_figures *figures, const pn_hrtf_info *info, const char *path,
                          const char *input, pinna_error *err);

#endif
