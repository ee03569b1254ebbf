#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The pinna authors
# SPDX-License-Identifier: MIT
#
# The sources are as clang-format leaves them. Only with version 14, Debian 12's: others differ in details.
set -euo pipefail
cd "$1"
tool=$(command -v clang-format-14 || command -v clang-format) || exit 77
"$tool" --version | grep -q ' 14\.' || exit 77
find src tests -name '*.[ch]' -exec "$tool" --dry-run --Werror --ferror-limit=3 {} +
