#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The pinna authors
# SPDX-License-Identifier: MIT
#
# A layer includes its own headers, those of the layers below it, and pinna.h. The linker sees calls that go upwards,
# this test the headers.
set -euo pipefail
cd "$1"

declare -A rank=([base]=0 [signal]=1 [io]=2 [device]=3 [spatial]=4 [convolve]=4 [scene]=5 [mix]=5 [render]=6 [app]=7)
failed=0
fail() {
    printf '%s\n' "$*"
    failed=1
}

for folder in src/*/; do
    layer=$(basename "$folder")
    [ -n "${rank[$layer]-}" ] || fail "src/$layer is no layer this test knows: give it a place in the order"
done

seen=0
while IFS=: read -r file line included; do
    layer=${file#src/}
    layer=${layer%%/*}
    target=${included%%/*}
    seen=$((seen + 1))
    if [ "$included" = pinna.h ] || [ "$target" = "$layer" ]; then
        continue
    fi
    if [ "$target" = "$included" ]; then
        fail "$file:$line: \"$included\": name the layer, as in \"$layer/$included\""
    elif [ -z "${rank[$target]-}" ]; then
        [ -e "kernels/${included##*/}" ] || fail "$file:$line: \"$included\" is in no layer"
    elif [ "${rank[$target]}" -ge "${rank[$layer]}" ]; then
        fail "$file:$line: $layer may not include \"$included\": $target does not stand below it"
    fi
done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' --include='*.[ch]' src/*/ |
    sed -E 's/^([^:]*):([0-9]*):[^"]*"([^"]*)".*/\1:\2:\3/')

[ "$seen" -gt 0 ] || fail "no include was seen: is this test looking in the right place?"
exit $failed
