#!/usr/bin/env python3
"""What wapiti found, less what is not for these pages. Ends with 1 if something is left.

usage: findings.py REPORT.json...
"""

import json
import sys
from pathlib import Path

# Headers that tell a browser how to treat a page. What a node serves is for programs: no page of
# it has scripts, forms or cookies, and origins are refused until they are listed.
FOR_BROWSERS = {
    "Content Security Policy Configuration",
    "HTTP Secure Headers",
    "HttpOnly Flag cookie",
    "Secure Flag cookie",
}


def left(report):
    """Findings that count, as text."""
    found = []
    for section in ("vulnerabilities", "anomalies"):
        for kind, entries in report.get(section, {}).items():
            if kind in FOR_BROWSERS:
                continue
            found += [f"{kind}: {it['method']} {it['path']}: {it['info']}" for it in entries]
    return found


def main():
    status = 0
    for file in sys.argv[1:]:
        for finding in left(json.loads(Path(file).read_text(encoding="utf-8"))):
            print(f"{file}: {finding}")
            status = 1
    sys.exit(status)


if __name__ == "__main__":
    main()
