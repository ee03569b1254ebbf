#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The pinna authors
# SPDX-License-Identifier: MIT
#
# Installs into an empty folder, moves that, and builds the program of tests/consumer against it in the four ways there
# are: pkg-config and find_package, shared and static.
set -euo pipefail
source_folder=$1
build_folder=$2

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
logged() {
    "$@" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
}
logged cmake --install "$build_folder" --prefix "$folder/first"
mv "$folder/first" "$folder/moved"
prefix=$folder/moved

for name in bin/pinna include/pinna.h share/doc/pinna/LICENSE; do
    [ -e "$prefix/$name" ] || { echo "$name is not installed"; exit 1; }
done
[ "$(find "$prefix/include" -type f | wc -l)" = 1 ] || { echo "more than one header is installed"; exit 1; }
"$prefix/bin/pinna" --version

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name pinna.pc)")
export PKG_CONFIG_PATH
library=$(pkg-config --variable=libdir pinna)
run() {
    printf '%s: ' "$1"
    LD_LIBRARY_PATH=$library "$folder/$1"
}

# shellcheck disable=SC2046 # flags are words
cc "$source_folder/tests/consumer/main.c" $(pkg-config --cflags --libs pinna) -o "$folder/pkgconfig_shared"
run pkgconfig_shared

# The example of the README as it is printed, with the line that it is compiled by.
awk '/^...$/ && substr($0, 1, 3) == fence { inside = 0 } inside { print } $0 == fence "c" { inside = 1 }' fence='```' \
    "$source_folder/README.md" >"$folder/bee.c"
compile=$(sed -n 's/^    \(cc bee\.c .*\) && .*/\1/p' "$source_folder/README.md")
if [ ! -s "$folder/bee.c" ] || [ -z "$compile" ]; then
    echo "the README has no example in C"
    exit 1
fi
(cd "$folder" && eval "$compile -Wall -Wextra -Werror -Wl,-rpath,$library" && ./a.out | tee heard)
# A sine of half the full scale; the built-in set's response at 440 Hz is largest at the side, 0.28 at the near ear.
awk '$1 == "peak" && $2 > 0.10 && $2 < 0.20 { found = 1 } END { exit !found }' "$folder/heard" ||
    { echo "the example of the README is not heard"; exit 1; }

generator=$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "$build_folder/CMakeCache.txt")
logged cmake -S "$source_folder/tests/consumer" -B "$folder" -G "$generator" -DCMAKE_PREFIX_PATH="$prefix"
logged cmake --build "$folder"
run with_shared
run with_static

# With the shared library away, -lpinna is the static one. (libsndfile's own file names lame, which Debian's package of
# it does not bring, and which a link to the shared libsndfile does not need.)
rm "$library"/libpinna.so*
flags=$(pkg-config --static --cflags --libs pinna)
# shellcheck disable=SC2086
cc "$source_folder/tests/consumer/main.c" ${flags//-lmp3lame/} -o "$folder/pkgconfig_static"
run pkgconfig_static
for name in with_static pkgconfig_static; do
    if readelf -d "$folder/$name" | grep -q libpinna; then
        echo "$name needs the shared library"
        exit 1
    fi
done
