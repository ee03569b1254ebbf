#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The pinna authors
# SPDX-License-Identifier: MIT
#
# Rules of the tree: the top level, the length of files, licence lines, marks of unfinished work, and that the default
# HRTF set is the one its description gives the checksum of.
set -euo pipefail
cd "$1"

failed=0
fail() {
    printf '%s\n' "$*"
    failed=1
}

for name in *; do
    case $name in
    CMakeLists.txt | README.md | LICENSE | src | kernels | hrtf | tests | tools | build* | demo.*) ;;
    *) fail "$name: not one of the names of the top level" ;;
    esac
done

for name in CMakeLists.txt README.md LICENSE src kernels hrtf tests tools; do
    [ -e "$name" ] || fail "$name: missing at the top level"
done

mapfile -t sources < <(find CMakeLists.txt src kernels hrtf tests tools .ci -type f \
    ! -name '*.sofa' ! -name '*.md' ! -name '*.txt' ! -name 'LICENSE*' ! -name SHA256SUMS ! -name '*.yaml' ! -name '*.in' \
    ! -name '*.supp')
[ ${#sources[@]} -gt 0 ] || fail "no source was seen"
for file in CMakeLists.txt "${sources[@]}"; do
    [ "$(head -n 4 "$file" | grep -cE 'SPDX-(FileCopyrightText: |License-Identifier: MIT( \*/)?$)')" = 2 ] ||
        fail "$file: the two SPDX lines are missing at its top"
    lines=$(wc -l <"$file")
    [ "$lines" -le 800 ] || fail "$file: $lines lines; 800 are the limit, split it"
    if [ "$file" != tests/lint_tree.sh ]; then
        mark=$(grep -nE '\b(TODO|FIXME|XXX)\b|[[:blank:]]$' "$file" | head -n 1) || true
        [ -z "$mark" ] || fail "$file:$mark: unfinished work, or a blank at the end of the line"
    fi
done

sum=$(sha256sum <hrtf/MIT_KEMAR_normal_pinna.sofa)
grep -rqI "${sum%% *}" hrtf || fail "hrtf: no text there gives the checksum of MIT_KEMAR_normal_pinna.sofa, ${sum%% *}"
exit $failed
