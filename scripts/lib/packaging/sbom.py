# SPDX-License-Identifier: Apache-2.0
"""Writes what is in a release as SPDX 2.3: sbom.py VERSION FOLDER

Lists the archives in FOLDER with their SHA-256, and what is linked into them, with the versions of this machine.
"""
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

version, folder = sys.argv[1], Path(sys.argv[2])
source = Path(__file__).resolve().parents[3]


def debian(package):
    shown = subprocess.run(["dpkg-query", "-Wf", "${Version}", package], capture_output=True, text=True)
    return shown.stdout or "NOASSERTION"


def swift():
    shown = subprocess.run(["swift", "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"Swift version ([0-9.]+)", shown).group(1)


def argument_parser():
    resolved = json.loads((source / "Package.resolved").read_text())
    pin = next(pin for pin in resolved["pins"] if pin["identity"] == "swift-argument-parser")
    return pin["state"]["version"]


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def package(name, version, licence, supplier, place):
    return {
        "name": name, "SPDXID": f"SPDXRef-{name}", "versionInfo": version, "licenseDeclared": licence,
        "licenseConcluded": licence, "copyrightText": "NOASSERTION", "supplier": supplier,
        "downloadLocation": place, "filesAnalyzed": False,
    }


archives = sorted(path for path in folder.iterdir() if re.match(rf"nnconvert[-_]{re.escape(version)}.*\.(gz|deb|whl|tar)$", path.name))
linked = [
    package("swift", swift(), "Apache-2.0 WITH Swift-exception", "Organization: Apple Inc. and the Swift project authors",
            "https://www.swift.org"),
    package("swift-argument-parser", argument_parser(), "Apache-2.0 WITH Swift-exception",
            "Organization: Apple Inc. and the Swift project authors", "https://github.com/apple/swift-argument-parser"),
    package("glibc", debian("libc6-dev"), "LGPL-2.1-or-later", "Organization: Debian", "https://packages.debian.org/libc6-dev"),
    package("zlib", debian("zlib1g-dev"), "Zlib", "Organization: Debian", "https://packages.debian.org/zlib1g-dev"),
    package("libstdc++", debian("libstdc++-12-dev"), "GPL-3.0-or-later WITH GCC-exception-3.1", "Organization: Debian",
            "https://packages.debian.org/libstdc++-12-dev"),
]
own = package("nnconvert", version, "Apache-2.0", "Organization: the nnconvert authors", "NOASSERTION")
files = [
    {
        "fileName": f"./{path.name}", "SPDXID": f"SPDXRef-File-{index}", "licenseConcluded": "NOASSERTION",
        "copyrightText": "NOASSERTION", "checksums": [{"algorithm": "SHA256", "checksumValue": digest(path)}],
    }
    for index, path in enumerate(archives)
]
relations = [("SPDXRef-DOCUMENT", "DESCRIBES", own["SPDXID"])]
relations += [(own["SPDXID"], "STATIC_LINK", part["SPDXID"]) for part in linked]
relations += [(file["SPDXID"], "GENERATED_FROM", own["SPDXID"]) for file in files]
name = f"nnconvert-{version}-linux-{platform.machine()}"
content = hashlib.sha256("".join(file["checksums"][0]["checksumValue"] for file in files).encode()).hexdigest()
document = {
    "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": name,
    "documentNamespace": f"https://spdx.org/spdxdocs/{name}-{content[:32]}",
    "creationInfo": {
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))),
        "creators": [f"Tool: nnconvert-{version}"],
    },
    "packages": [own, *linked], "files": files,
    "relationships": [
        {"spdxElementId": first, "relationshipType": kind, "relatedSpdxElement": second}
        for first, kind, second in relations
    ],
}
path = folder / f"{name}.spdx.json"
path.write_text(json.dumps(document, indent=2) + "\n")
print(path)
