#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The pinna authors
# SPDX-License-Identifier: MIT
#
# The kernels are OpenCL C 1.2, each by itself, by the word of a compiler that is no driver's.
set -euo pipefail
cd "$1"
# Debian's PoCL brings one under the name of its version.
compiler=$(compgen -c clang | grep -xE 'clang(-[0-9]+)?' | sort | head -n 1) || true
[ -n "$compiler" ] || exit 77
for kernel in kernels/*.cl; do
    "$compiler" -fsyntax-only -x cl -cl-std=CL1.2 -Xclang -finclude-default-header -Wall -Wextra -Wshadow -Wno-unused-function \
        -Werror "$kernel"
done
