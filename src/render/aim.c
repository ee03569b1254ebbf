// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "render/aim.h"

void pn_aim_hint_init(pn_aim_hint *hint) {
    hint->hint = (pn_hrtf_hint){{-1, -1}};
}

void pn_aim_filter(const pn_aimer *aimer, const pn_aim *aim, pn_aim_hint *hint, pn_filter *filter) {
    pn_hrtf_point point;
    pn_hrtf_look_up(aimer->hrtf, aim->relative, &hint->hint, &point);
    *filter = (pn_filter){.delay = {point.delay[0], point.delay[1]}};
    for (int ear = 0; ear < 2; ++ear)
        for (int k = 0; k < PN_HRTF_NODES; ++k) {
            filter->node[ear][k] = point.node[k];
            filter->weight[ear][k] = point.weight[k] * (float)aim->gain;
        }
}
