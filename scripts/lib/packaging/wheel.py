# SPDX-License-Identifier: Apache-2.0
"""Makes the wheel of Python/nnconvert with libswt and the commands in it: wheel.py STAGE VERSION TAG OUTPUT

STAGE holds bin/ and lib/libswt.so. The same content gives the same bytes: entries are sorted, times come from
SOURCE_DATE_EPOCH.
"""
import base64
import hashlib
import os
import sys
import time
import tomllib
import zipfile
from pathlib import Path

stage, version, tag, output = Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4])
source = Path(__file__).resolve().parents[3]
project = tomllib.loads((source / "Python/pyproject.toml").read_text())["project"]
name = project["name"]
info = f"{name}-{version}.dist-info"


def metadata():
    lines = [
        "Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", f"Summary: {project['description']}",
        f"Keywords: {','.join(project['keywords'])}", f"License-Expression: {project['license']}",
        "License-File: LICENSE", "License-File: NOTICE", f"Requires-Python: {project['requires-python']}",
    ]
    lines += [f"Classifier: {text}" for text in project["classifiers"]]
    lines += [f"Requires-Dist: {text}" for text in project["dependencies"]]
    for extra, needed in project["optional-dependencies"].items():
        lines += [f"Provides-Extra: {extra}"] + [f"Requires-Dist: {text}; extra == '{extra}'" for text in needed]
    lines += ["Description-Content-Type: text/markdown", "", (source / "Python/README.md").read_text()]
    return "\n".join(lines)


files = {}
for path in (source / "Python/nnconvert").rglob("*"):
    if path.suffix in (".py", ".typed"):
        files[f"{name}/{path.relative_to(source / 'Python/nnconvert')}"] = (path.read_bytes(), 0o644)
for path in (stage / "bin").iterdir():
    files[f"{name}/bin/{path.name}"] = (path.read_bytes(), 0o755)
files[f"{name}/lib/libswt.so"] = ((stage / "lib/libswt.so").read_bytes(), 0o755)
scripts = "".join(f"{command} = {entry}\n" for command, entry in project["scripts"].items())
for path, text in {
    "METADATA": metadata(),
    "WHEEL": f"Wheel-Version: 1.0\nGenerator: nnconvert\nRoot-Is-Purelib: false\nTag: {tag}\n",
    "entry_points.txt": f"[console_scripts]\n{scripts}",
    "licenses/LICENSE": (source / "LICENSE").read_text(),
    "licenses/NOTICE": (source / "NOTICE").read_text(),
}.items():
    files[f"{info}/{path}"] = (text.encode(), 0o644)


def entry(path, content, mode):
    when = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]
    item = zipfile.ZipInfo(path, when)
    item.external_attr = (0o100000 | mode) << 16
    item.compress_type = zipfile.ZIP_DEFLATED
    wheel.writestr(item, content, compresslevel=9)


wheel_path = output / f"{name}-{version}-{tag}.whl"
with zipfile.ZipFile(wheel_path, "w") as wheel:
    record = ""
    for path, (content, mode) in sorted(files.items()):
        entry(path, content, mode)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(content)}\n"
    entry(f"{info}/RECORD", record + f"{info}/RECORD,,\n", 0o644)
print(wheel_path)
