#!/usr/bin/env python3
"""Bills of materials in CycloneDX 1.6, one for each part: Rust, Solidity, and what the stock tools
of npm, Go and Python say of theirs. Licences of crates are held against deny.toml.

usage: sbom.py rust|solidity OUT.json     (sbom.sh calls it, and the stock tools for the rest)
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = "x86_64-unknown-linux-gnu"


def bom(name, version, components, dependencies):
    """A document without time and serial number, so that the same sources give the same bytes."""
    root = {"type": "application", "bom-ref": f"tbsi/{name}", "name": f"tbsi-{name}", "version": version,
            "licenses": [{"license": {"id": "Apache-2.0"}}]}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": root},
        "components": sorted(components, key=lambda it: it["bom-ref"]),
        "dependencies": sorted(dependencies, key=lambda it: it["ref"]),
    }


def version_of_workspace():
    with open(ROOT / "Cargo.toml", "rb") as file:
        return tomllib.load(file)["workspace"]["package"]["version"]


def checksums():
    """SHA-256 of each crate by name and version, as Cargo.lock has it."""
    with open(ROOT / "Cargo.lock", "rb") as file:
        packages = tomllib.load(file)["package"]
    return {(it["name"], it["version"]): it["checksum"] for it in packages if "checksum" in it}


def reached(resolve, ids, kinds):
    """What packages depend on, over dependencies of these kinds (`None` is an ordinary one)."""
    nodes = {node["id"]: node for node in resolve["nodes"]}
    found, left = set(), list(ids)
    while left:
        package = left.pop()
        if package in found:
            continue
        found.add(package)
        for dependency in nodes[package]["deps"]:
            if any(kind["kind"] in kinds for kind in dependency["dep_kinds"]):
                left.append(dependency["pkg"])
    return found


def rust(metadata):
    """Crates of the `tbsi` program are required, those of its build and of tests are excluded."""
    packages = {it["id"]: it for it in metadata["packages"]}
    program = [id for id, it in packages.items() if it["name"] == "tbsi"]
    members = metadata["workspace_members"]
    runs = reached(metadata["resolve"], program, {None})
    builds = reached(metadata["resolve"], members, {None, "build", "dev"})
    sums, components = checksums(), []
    for id in builds:
        it = packages[id]
        part = {"type": "library", "bom-ref": ref(it), "name": it["name"], "version": it["version"],
                "scope": "required" if id in runs else "excluded", "purl": ref(it)}
        if it.get("license"):
            part["licenses"] = [{"expression": expression(it["license"])}]
        elif it.get("license_file"):
            part["licenses"] = [{"license": {"name": f"see {it['license_file']} of the crate"}}]
        checksum = sums.get((it["name"], it["version"]))
        if checksum:
            part["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        if it.get("repository"):
            part["externalReferences"] = [{"type": "vcs", "url": it["repository"]}]
        components.append(part)
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    dependencies = [{"ref": ref(packages[id]),
                     "dependsOn": sorted({ref(packages[it["pkg"]]) for it in nodes[id]["deps"]
                                          if it["pkg"] in builds})} for id in builds]
    dependencies.append({"ref": "tbsi/rust", "dependsOn": sorted(ref(packages[id]) for id in program)})
    return bom("rust", version_of_workspace(), components, dependencies)


def ref(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def expression(licence):
    """SPDX; older crates write a slash for OR."""
    return re.sub(r"\s*/\s*", " OR ", licence)


def allowed(licence, allow):
    """Whether an SPDX expression can be satisfied with the licences that are allowed."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression(licence))

    def either():
        result = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            other = both()
            result = result or other
        return result

    def both():
        result = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            other = one()
            result = result and other
        return result

    def one():
        word = tokens.pop(0)
        if word == "(":
            result = either()
            tokens.pop(0)
            return result
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            exception = tokens.pop(0)
            return f"{word} WITH {exception}" in allow or word in allow
        return word in allow

    return either()


def licences(document, allow):
    """Complaints about components whose licence is none or is not allowed."""
    complaints = []
    for part in document["components"]:
        said = part.get("licenses", [{}])[0]
        licence = said.get("expression")
        if "license" in said and not licence:
            complaints.append(f"{part['bom-ref']}: {said['license']['name']}: read it, and say so in deny.toml")
        elif not licence:
            complaints.append(f"{part['bom-ref']}: has no licence")
        elif not allowed(licence, allow):
            complaints.append(f"{part['bom-ref']}: {licence} is not in deny.toml")
    return complaints


def solidity():
    """Contracts as they are in genesis or deployed elsewhere, and what they are compiled from."""
    folder = ROOT / "contracts/evm"
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    components, dependencies, all_of = [], [], []
    used = {}
    for name in ("@openzeppelin/contracts", "solc"):
        it = lock[f"node_modules/{name}"]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{it['version']}"
        part = {"type": "library", "bom-ref": purl, "name": name, "version": it["version"], "purl": purl,
                "scope": "required" if name != "solc" else "excluded",
                "licenses": [{"license": {"id": it["license"]}}]}
        components.append(part)
        used[name] = purl
    for file in sorted((folder / "artifacts").glob("*.json")):
        artifact = json.loads(file.read_text(encoding="utf-8"))
        # Of genesis the code itself, of contracts on other chains the code that creates them.
        code = artifact.get("deployedBytecode") or artifact["bytecode"]
        code = bytes.fromhex(code.removeprefix("0x"))
        reference = f"tbsi/contract/{file.stem}"
        all_of.append(reference)
        components.append({
            "type": "application", "bom-ref": reference, "name": file.stem, "version": version_of_workspace(),
            "licenses": [{"license": {"id": "Apache-2.0"}}],
            "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(code).hexdigest()}],
            "properties": [{"name": "tbsi:compiler", "value": artifact["solc"]},
                           {"name": "tbsi:bytes", "value": str(len(code))}]})
        sources = imports(folder, file.stem)
        dependencies.append({"ref": reference, "dependsOn": sorted(
            purl for name, purl in used.items() if name == "solc" or any(name in it for it in sources))})
    dependencies.append({"ref": "tbsi/solidity", "dependsOn": all_of})
    return bom("solidity", version_of_workspace(), components, dependencies)


def imports(folder, name):
    """All that a contract's source imports, and what those import."""
    start = next(folder.glob(f"src/**/{name}.sol"))
    found, left = set(), [start]
    while left:
        file = left.pop()
        for path in re.findall(r'(?:import|from)\s+"([^"]+)"', file.read_text(encoding="utf-8")):
            if path in found:
                continue
            found.add(path)
            if path.startswith("."):
                left.append((file.parent / path).resolve())
    return found


def main():
    part, out = sys.argv[1:3]
    if part == "rust":
        # The source alone decides: no build, and no network when the crates are there.
        said = subprocess.run(
            [os.environ.get("CARGO", "cargo"), "metadata", "--locked", "--format-version", "1",
             "--filter-platform", TARGET],
            cwd=ROOT, check=True, capture_output=True).stdout
        document = rust(json.loads(said))
        with open(ROOT / "deny.toml", "rb") as file:
            allow = set(tomllib.load(file)["licenses"]["allow"])
        complaints = licences(document, allow)
        for complaint in complaints:
            print(complaint, file=sys.stderr)
        if complaints:
            sys.exit(1)
    else:
        document = solidity()
    Path(out).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{out}: {len(document['components'])} components")


if __name__ == "__main__":
    main()
