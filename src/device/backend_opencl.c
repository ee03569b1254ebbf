// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "device/backend.h"

pinna_status pn_backend_opencl_open(const char *spec, pn_messages *messages, pn_backend **backend,
                                    pinna_error *err)
{
    (void)messages;
    *backend = NULL;
    return pn_fail(err, PINNA_UNSUPPORTED, "%s: OpenCL is not built in yet", spec);
}
