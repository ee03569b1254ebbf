// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "signal/rafft_impl.h"

const pn_rafft_width *const pn_rafft_v16 = NULL;
