#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The pinna authors
# SPDX-License-Identifier: MIT
#
# The shell scripts parse, can be called, and satisfy shellcheck where that is installed.
set -euo pipefail
cd "$1"
for script in tools/setup tools/demo tools/test tools/build.bash .ci/run tests/*.sh; do
    bash -n "$script"
done
for script in tools/setup tools/demo tools/test .ci/run; do
    [ -x "$script" ] || { echo "$script: not executable"; exit 1; }
done
if command -v shellcheck >/dev/null; then
    shellcheck -x tools/setup tools/demo tools/test .ci/run tests/*.sh
fi
