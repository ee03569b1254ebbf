#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The pinna authors
# SPDX-License-Identifier: MIT
#
# What the built files show to others: the shared library exports what pinna.h declares and no more, the static one
# keeps to its prefixes, the OpenCL loader and SDL2 are not linked, and the HRTF set inside is that of hrtf/.
set -euo pipefail
source_folder=$1
cd "$2"

failed=0
fail() {
    printf '%s\n' "$*"
    failed=1
}

declared=$(tr '\n' ' ' <"$source_folder/src/pinna.h" | grep -oE 'PINNA_API [^(;]*\(' | grep -oE 'pinna_[a-z0-9_]+\($' |
    tr -d '(' | sort -u)
exported=$(nm -D --defined-only libpinna.so | awk '$3 !~ /^(__bss_start|_edata|_end)$/ { print $3 }' | sort -u) # less the linker's
[ -n "$exported" ] || fail "libpinna.so exports nothing"
more=$(comm -13 <(echo "$declared") <(echo "$exported"))
less=$(comm -23 <(echo "$declared") <(echo "$exported"))
[ -z "$more" ] || fail "libpinna.so exports what pinna.h does not declare: ${more//$'\n'/ }"
[ -z "$less" ] || fail "pinna.h declares what libpinna.so lacks: ${less//$'\n'/ }"

others=$(nm -g --defined-only libpinna.a | awk 'NF == 3 && $3 !~ /^(pn|pinna)_/ { print $3 }' | sort -u)
[ -z "$others" ] || fail "libpinna.a has global names without our prefixes: ${others//$'\n'/ }"

for file in pinna libpinna.so; do
    if readelf -d "$file" | grep NEEDED | grep -iE 'opencl|sdl'; then
        fail "$file is linked to the OpenCL loader or to SDL2; they are to be loaded at run time"
    fi
done
readelf -d libpinna.so | grep -qE 'SONAME.*\[libpinna\.so\.[0-9]+\.[0-9]+\]' || fail "libpinna.so has no soname with its version"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/set.c" <<'END'
#include <stdio.h>
extern const unsigned char pn_builtin_sofa[], pn_builtin_sofa_end[];
int main(void) {
    size_t size = (size_t)(pn_builtin_sofa_end - pn_builtin_sofa);
    return fwrite(pn_builtin_sofa, 1, size, stdout) != size;
}
END
cc "$folder/set.c" libpinna.a -o "$folder/set"
"$folder/set" | cmp - "$source_folder/hrtf/MIT_KEMAR_normal_pinna.sofa" || fail "the HRTF set inside is not that of hrtf/"
exit $failed
