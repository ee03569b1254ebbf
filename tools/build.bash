# SPDX-FileCopyrightText: 2026 The pinna authors
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What tools/demo and tools/test share. To be sourced, in the root of the source.

jobs=$(nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)

# build_in FOLDER TARGET OPTION...: configures and builds a target. On a terminal the build tool shows its progress,
# elsewhere only a line; the whole output where it fails.
build_in() {
    local folder=$1 target=$2 log started=$SECONDS generator=() quiet=()
    shift 2
    printf 'building %s in %s\n' "$target" "$folder"
    if [ ! -e "$folder/CMakeCache.txt" ] && command -v ninja >/dev/null; then
        generator=(-G Ninja)
    fi
    log=$(mktemp)
    if ! cmake -S . -B "$folder" "${generator[@]}" "$@" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
    if [ ! -t 1 ]; then
        quiet=(-- --quiet)
    fi
    cmake --build "$folder" --target "$target" --parallel "$jobs" "${quiet[@]}" || return 1
    printf 'built in %d s\n' $((SECONDS - started))
}
