// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_OPENCL_SEEN_H
#define PN_DEVICE_OPENCL_SEEN_H

#include <stdbool.h>

#include "device/opencl_probe.h"

/* What `auto` need not look for again: that this machine's OpenCL has no GPU and no accelerator is kept in the cache, as a
 * look loads every driver (65 ms with PoCL). The answer holds as long as nothing changes that it depends on: the loader, the
 * files that name drivers and the drivers themselves, with size and time, and the folders they lie in; the loader's
 * index of libraries; the variables of the environment that drivers read; the devices on the PCI bus, and those in /dev
 * that compute, with the right to open them; the kernel. Nothing is loaded for it. Any thread; allocates, reads files. */

/* true: there was none on that date ("2026-11-28"), and all is still as it was then. */
bool pn_opencl_recall_none(char date[PN_OPENCL_DATE]);

/* After a look, successful or not (count 0): keeps its answer when it is a plain none, where no driver failed; else makes
 * sure that none is recalled. */
void pn_opencl_keep_seen(bool looked, const pn_opencl_info *list, int count);

#endif
