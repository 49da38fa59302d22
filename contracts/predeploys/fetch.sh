#!/usr/bin/env bash
# Fetches the npm packages that hold the code of contracts of others (SPEC §2.5) into node_modules
# beside this file: the files that packages.txt names, none of what packages depend on, and nothing
# of them is run.
# `tbsi genesis new --predeploy NAME --packages contracts/predeploys/node_modules` reads them.
set -euo pipefail
cd "$(dirname "$0")"

# Made last, so that it stands for all of them.
mark=node_modules/fetched.txt
if cmp -s packages.txt "$mark"; then
    exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
while read -r sum package files; do
    echo "fetching $package"
    file=$(cd "$scratch" && npm pack --silent --ignore-scripts "$package")
    echo "$sum  $scratch/$file" | sha512sum --quiet -c
    into=node_modules/${package%@*}
    rm -rf "$into"
    mkdir -p "$into"
    # The names of files have no spaces.
    # shellcheck disable=SC2086,SC2046
    tar xzf "$scratch/$file" -C "$into" --strip-components 1 $(printf 'package/%s ' $files)
done < packages.txt
cp packages.txt "$mark"
