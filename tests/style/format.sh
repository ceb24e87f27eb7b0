#!/bin/sh
# All C files are laid out as .clang-format says. Skipped (77) where clang-format is not installed.
set -u
cd "$1" || exit 2
command -v clang-format >/dev/null || { echo 'skipped: clang-format is not installed'; exit 77; }
find common daemon cli tests -name '*.[ch]' -print | xargs clang-format --dry-run -Werror 2>&1 |
        sed -n 's/: error: code should be clang-formatted.*//p' | sort -u >"${TMPDIR:-/tmp}/slowd-format.$$"
if [ -s "${TMPDIR:-/tmp}/slowd-format.$$" ]; then
        echo 'not laid out as clang-format would:'
        cat "${TMPDIR:-/tmp}/slowd-format.$$"
        rm -f "${TMPDIR:-/tmp}/slowd-format.$$"
        exit 1
fi
rm -f "${TMPDIR:-/tmp}/slowd-format.$$"
