#!/usr/bin/env python3
"""Goes through the penetration checklist: each row names a test that exists, or is by hand.

usage: checklist.py PAGE
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TEST = re.compile(r"`([\w./-]+\.rs)::(\w+)`")


def rows(text):
    """Section and cells of each row of a table."""
    section, head = "", True
    for line in text.split("\n"):
        if line.startswith("## "):
            section, head = line[3:], True
        elif line.startswith("|"):
            if head or set(line) <= set("|- "):
                head = False
            else:
                yield section, [cell.strip() for cell in line.strip("|").split(" | ")]


def judged(text, exists):
    """Complaints, and how many rows are by tests and how many by hand."""
    complaints, tests, hands = [], 0, 0
    for section, cells in rows(text):
        if "by hand" in section:
            hands += 1
            continue
        named = TEST.findall(cells[-1])
        for path, name in named:
            if not exists(path, name):
                complaints.append(f"{section}: there is no test `{path}::{name}`")
        if not named and "make " not in cells[-1]:
            complaints.append(f"{section}: {cells[0]}: names neither a test nor a target")
        tests += 1
    return complaints, tests, hands


def exists(path, name):
    file = ROOT / path
    return file.exists() and re.search(rf"fn {name}\(", file.read_text(encoding="utf-8")) is not None


def main():
    complaints, tests, hands = judged(Path(sys.argv[1]).read_text(encoding="utf-8"), exists)
    for complaint in complaints:
        print(complaint)
    if complaints:
        sys.exit(1)
    print(f"{tests} rows are tried by tests or targets that exist; {hands} are by hand, on a deployment: "
          "not done here")


if __name__ == "__main__":
    main()
