#!/usr/bin/env bash
# Builds the book in both languages, en/ and zh-TW/ in one folder.
#
# usage: build.sh DIR
set -euo pipefail
version=0.5.4
out=$(realpath -m "${1:?usage: build.sh DIR}")
cd "$(dirname "$0")"
if ! command -v mdbook >/dev/null; then
    echo "mdbook is missing; install it with: cargo install --locked mdbook --version $version" >&2
    exit 1
fi
command -v python3 >/dev/null || { echo "python3 is missing; install it with: sudo apt-get install python3" >&2; exit 1; }
mkdir -p "$out"
mdbook build --dest-dir "$out/en" .
MDBOOK_BOOK__SRC=src/zh-TW MDBOOK_BOOK__LANGUAGE=zh-TW mdbook build --dest-dir "$out/zh-TW" .
echo "the book is in $out/en/index.html and $out/zh-TW/index.html"
