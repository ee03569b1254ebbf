// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "spatial/sofa_mysofa.h"

#include <mysofa.h>

pn_sofa_mysofa *pn_sofa_mysofa_lend(pn_hdf5 *file, const char *path, const void *data, size_t size) {
    int code = 0;
    struct MYSOFA_HRTF *set = path != NULL ? mysofa_load(path, &code) : mysofa_load_data(data, size, &code);
    if (set == NULL)
        return NULL;
    const struct {
        const char *name;
        const struct MYSOFA_ARRAY *array;
    } arrays[] = {{"Data.IR", &set->DataIR},
                  {"Data.SamplingRate", &set->DataSamplingRate},
                  {"Data.Delay", &set->DataDelay},
                  {"SourcePosition", &set->SourcePosition},
                  {"ReceiverPosition", &set->ReceiverPosition},
                  {"ListenerView", &set->ListenerView},
                  {"ListenerUp", &set->ListenerUp}};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; ++i)
        if (arrays[i].array->values != NULL)
            pn_hdf5_lend(file, arrays[i].name, arrays[i].array->values, arrays[i].array->elements);
    return (pn_sofa_mysofa *)(void *)set;
}

void pn_sofa_mysofa_free(pn_sofa_mysofa *lent) {
    if (lent != NULL)
        mysofa_free((struct MYSOFA_HRTF *)(void *)lent);
}
