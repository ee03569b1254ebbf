#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The pinna authors
# SPDX-License-Identifier: MIT
#
# Every kernel in a simulator that checks what devices do not: accesses out of bounds, data races, barriers that not
# all work-items reach, groups and local memory beyond the smallest devices'. Its exit status says nothing; its log does.
set -euo pipefail
source=$1 program=$2/opencl_device_small
command -v oclgrind >/dev/null || exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export PINNA_CACHE=off
unset PINNA_OPENCL_LIBRARY

failed=0
for mode in "" "--data-races --uniform-writes"; do
    # shellcheck disable=SC2086
    oclgrind $mode --max-wgsize 256 --local-mem-size 32768 --inst-counts --log "$folder/log" "$program" \
        >"$folder/out" 2>&1 || { tail -n 40 "$folder/out"; echo "oclgrind $mode: the program failed"; failed=1; }
    grep -q 'Oclgrind' "$folder/out" || { cat "$folder/out"; echo "oclgrind $mode: the simulator was not used"; failed=1; }
    if [ -s "$folder/log" ]; then
        head -n 60 "$folder/log"
        echo "oclgrind $mode: $(grep -cE '^[A-Z]' "$folder/log") messages"
        failed=1
    fi
    while read -r kernel; do
        grep -q "Instructions executed for kernel '$kernel'" "$folder/out" ||
            { echo "oclgrind $mode: kernel $kernel was not run"; failed=1; }
    done < <(grep -hoE '^__kernel void \w+' "$source"/kernels/*.cl | awk '{print $3}')
done
exit $failed
