#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The pinna authors
# SPDX-License-Identifier: MIT
#
# clang-tidy, with .clang-tidy, finds nothing in src/. Only with version 14, Debian 12's: others know other checks.
set -euo pipefail
cd "$1"
tool=$(command -v clang-tidy-14 || command -v clang-tidy) || exit 77
"$tool" --version | grep -q ' 14\.' || exit 77
[ -e "$2/compile_commands.json" ] || { echo "no compile_commands.json in $2"; exit 1; }
# The finding and its line of source; the notes that lead there are for `clang-tidy -p FOLDER FILE` by hand.
if ! found=$(find src -name '*.c' -print0 | xargs -0 -n 4 -P "$(nproc)" "$tool" -p "$2" --quiet 2>&1); then
    grep -A 2 --no-group-separator -E ' (error|warning): ' <<<"$found" || tail -n 20 <<<"$found"
    exit 1
fi
