#!/usr/bin/env python3
"""Checks publiccode.yml by the rules of its standard, version 0.4, as far as this file uses them:
keys that must be there and those that may, closed vocabularies, lengths.

usage: publiccode.py FILE     with the Python of tools.sh, which has a parser of YAML
"""

import re
import sys
from pathlib import Path

CATEGORIES = {"compliance-management", "document-management", "e-signature", "identity-management", "it-security"}
SCOPES = {"government", "justice", "local-authorities", "science-and-technology", "security", "society"}
STATES = {"concept", "development", "beta", "stable", "obsolete"}
TYPES = {"standalone/mobile", "standalone/iot", "standalone/desktop", "standalone/web", "standalone/backend",
         "standalone/other", "addon", "library", "configurationFiles"}
MUST = {"publiccodeYmlVersion", "name", "url", "releaseDate", "platforms", "categories", "developmentStatus",
        "softwareType", "description", "legal", "maintenance", "localisation"}
MAY = MUST | {"softwareVersion", "intendedAudience", "landingURL", "roadmap", "usedBy", "dependsOn", "isBasedOn"}
LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")


def complaints(document, version):
    """What is wrong with a file for software of this version."""
    found = [f"{key}: is missing" for key in sorted(MUST - set(document))]
    found += [f"{key}: is no key of the standard that is used here" for key in sorted(set(document) - MAY)]
    if found:
        return found
    if document["publiccodeYmlVersion"] != "0.4":
        found.append("publiccodeYmlVersion: is not 0.4")
    if not re.fullmatch(r"https?://\S+", document["url"]):
        found.append("url: is no address")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(document["releaseDate"])):
        found.append("releaseDate: is no date")
    if document.get("softwareVersion") != version:
        found.append(f"softwareVersion: is not {version}, that of Cargo.toml")
    if document["developmentStatus"] not in STATES:
        found.append("developmentStatus: is none of " + ", ".join(sorted(STATES)))
    if document["softwareType"] not in TYPES:
        found.append("softwareType: is none of " + ", ".join(sorted(TYPES)))
    for key, of, known in (("categories", document["categories"], CATEGORIES),
                           ("scope", document.get("intendedAudience", {}).get("scope", []), SCOPES)):
        found += [f"{key}: {it} is not in the vocabulary" for it in of if it not in known]
    for language, text in document["description"].items():
        found += of_description(language, text)
    if document["legal"].get("license") != "Apache-2.0":
        found.append("legal.license: is not Apache-2.0, that of LICENSE")
    maintenance = document["maintenance"]
    if maintenance.get("type") not in {"internal", "contract", "community", "none"}:
        found.append("maintenance.type: is none that there is")
    if not all(it.get("name") for it in maintenance.get("contacts", [{}])):
        found.append("maintenance.contacts: one with a name is missing")
    localisation = document["localisation"]
    if not isinstance(localisation.get("localisationReady"), bool) or not localisation.get("availableLanguages"):
        found.append("localisation: needs localisationReady and availableLanguages")
    return found


def of_description(language, text):
    found = []
    if not LANGUAGE.fullmatch(language):
        found.append(f"description: {language} is no language")
    for key, least, most in (("genericName", 0, 35), ("shortDescription", 1, 150), ("longDescription", 150, 10_000)):
        length = len(text.get(key, ""))
        if not least <= length <= most:
            found.append(f"description.{language}.{key}: has {length} characters, not {least} to {most}")
    if not text.get("features"):
        found.append(f"description.{language}.features: is missing")
    return found


def main():
    import yaml

    root = Path(__file__).resolve().parent.parent.parent
    version = re.search(r'^version = "([^"]+)"', (root / "Cargo.toml").read_text(encoding="utf-8"), re.M).group(1)
    document = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = complaints(document, version)
    for complaint in found:
        print(f"{sys.argv[1]}: {complaint}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
