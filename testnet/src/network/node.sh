#!/bin/sh
# Stands in for `tbsi` in tests: `node run --home HOME` runs the file HOME/script.
exec sh "$4/script" "$@"
