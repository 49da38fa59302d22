#!/usr/bin/env python3
"""Validates CycloneDX documents with the schemas of cyclonedx-python-lib, strictly, and looks at
what a schema does not: that references lead to components and that none is there twice.

usage: validate.py FILE...     with the Python of tools.sh
"""

import json
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

VERSIONS = {"1.4": SchemaVersion.V1_4, "1.5": SchemaVersion.V1_5, "1.6": SchemaVersion.V1_6}


def complaints(text):
    document = json.loads(text)
    version = VERSIONS.get(document.get("specVersion"))
    if version is None:
        return [f"specVersion {document.get('specVersion')} is none of {', '.join(VERSIONS)}"]
    error = JsonStrictValidator(version).validate_str(text)
    if error:
        return [str(error).split("\n")[0][:300]]
    found = []
    references = [it["bom-ref"] for it in document.get("components", []) if "bom-ref" in it]
    if not references:
        found.append("it has no components")
    of = document.get("metadata", {}).get("component", {}).get("bom-ref")
    if not of:
        found.append("it does not say whose parts these are")
    known = set(references) | {of}
    if len(set(references)) != len(references):
        found.append("a component is there twice")
    for dependency in document.get("dependencies", []):
        for reference in [dependency["ref"], *dependency.get("dependsOn", [])]:
            if reference not in known:
                found.append(f"{reference} is no component")
    return found


def refuses_bad_ones(text):
    """A validator that takes anything looks just like one that works."""
    broken = []
    for change in (
        lambda it: it["components"][0].pop("name"),
        lambda it: it["components"][0].update(type="thing"),
        lambda it: it["components"].append(dict(it["components"][0])),
        lambda it: it.setdefault("dependencies", []).append({"ref": "nobody"}),
        lambda it: it.update(specVersion="9.9"),
        lambda it: it.update(components=[]),
        lambda it: it["metadata"].pop("component"),
    ):
        document = json.loads(text)
        change(document)
        broken.append(json.dumps(document))
    return all(complaints(text) for text in broken)


def main():
    failed = False
    for file in sys.argv[1:]:
        text = Path(file).read_text(encoding="utf-8")
        found = complaints(text)
        if not found and not refuses_bad_ones(text):
            found = ["the validator takes broken copies of it"]
        for complaint in found:
            print(f"{file}: {complaint}", file=sys.stderr)
        failed |= bool(found)
        if not found:
            count = len(json.loads(text)["components"])
            print(f"valid    {file}: {count} components; 7 broken copies were refused")
    sys.exit(failed)


if __name__ == "__main__":
    main()
