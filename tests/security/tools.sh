# shellcheck shell=bash
# Sourced by sbom.sh and security.sh: Python tools from PyPI, in a place of their own.

venv=$HOME/.cache/tbsi/security-python
pins=$(dirname "${BASH_SOURCE[0]}")/requirements.txt

# Fails if they are not there and cannot be had.
python_tools() {
    command -v python3 >/dev/null || return 1
    cmp -s "$pins" "$venv/installed.txt" && return 0
    # The copy is made last, so that it stands for a whole installation.
    rm -rf "$venv"
    python3 -m venv "$venv" &&
        "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
            --only-binary :all: -r "$pins" &&
        cp "$pins" "$venv/installed.txt"
}
