#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes seeds for the fuzzers, taken from the committed fixtures: seeds.py FOLDER."""
import gzip
import json
import pathlib
import struct
import sys
import zipfile
import zlib

repository = pathlib.Path(__file__).resolve().parent.parent
fixtures = repository / "Tests" / "Fixtures"
target = pathlib.Path(sys.argv[1])


def put(fuzzer, name, content):
    folder = target / fuzzer
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


for path in sorted(fixtures.glob("hostile/*")) + sorted(fixtures.glob("dialects/*")):
    content = path.read_bytes()
    if content[:2] == b"PK":
        put("FuzzZip", path.name, content)
        try:
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    if member.endswith("data.pkl"):
                        put("FuzzPickle", path.name, archive.read(member))
        except Exception:  # Most of these files are broken on purpose.
            pass
    elif content[:1] == b"\x80":
        put("FuzzPickle", path.name, content)
    elif path.suffix == ".safetensors":
        put("FuzzSafetensors", path.name, content)

for path in sorted(fixtures.glob("checkpoints/*/*.pth")):
    content = path.read_bytes()
    name = f"{path.parent.name}-{path.name}"
    if content[:2] == b"PK":
        if len(content) < 16_384:
            put("FuzzZip", name, content)
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                if member.endswith("data.pkl"):
                    put("FuzzPickle", name, archive.read(member))
    elif len(content) < 16_384:
        object_start = content.index(b"little_endian")
        put("FuzzLegacy", name, content[content.index(b".", object_start) + 1:])
for path in sorted(fixtures.glob("checkpoints/*/**/*.pkl")):
    put("FuzzPickle", path.name, path.read_bytes())

for plans in sorted(fixtures.glob("checkpoints/*/nnUNet_results/*/*/plans.json")):
    dataset = plans.parent / "dataset.json"
    name = plans.parents[3].name
    put("FuzzPlans", name, plans.read_bytes() + b"\0" + dataset.read_bytes())
    put("FuzzJSON", name, plans.read_bytes())

for path in sorted((fixtures / "families").glob("*.json")):
    put("FuzzFamilies", path.name, path.read_bytes())
bundle = json.loads((fixtures / "families/dynunet.json").read_text())
bundle["strides"] = [1, [2, 2, 2], 2]
bundle["network_def"] = {"_target_": "DynUNet", "spatial_dims": 3, "in_channels": 1, "out_channels": "@classes",
                         "strides": "@strides", "norm_name": ["INSTANCE", {"affine": True}]}
put("FuzzFamilies", "monai_bundle.json", json.dumps(bundle).encode())

for path in sorted(fixtures.glob("preprocessing/scans/*/*.nii*")):
    content = path.read_bytes()
    name = f"{path.parent.name}-{path.stem}"
    put("FuzzNIfTI", name, b"\1" + content)
    if content[:2] == b"\x1f\x8b":
        put("FuzzNIfTI", f"{name}-inflated", b"\3" + gzip.decompress(content))

for case in sorted(fixtures.glob("cases/scans/*/case.json")):
    test = json.loads(case.read_text())
    model = json.loads((fixtures / "cases/models" / f"{test['model']}.json").read_text())
    settings = json.dumps(model["preprocessing"]).encode()
    content = (case.parent / test["files"][0]).read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = zlib.decompressobj(31).decompress(content)
    put("FuzzNIfTI", case.parent.name, b"\0" + content)
    put("FuzzScan", case.parent.name, struct.pack("<H", len(settings)) + settings + content)

for case in sorted(fixtures.glob("dicom/*")):
    files = sorted(path for path in case.glob("study/**/*") if path.is_file())
    put("FuzzDICOM", case.name, files[0].read_bytes())
    put("FuzzSeries", case.name, b"".join(
        struct.pack("<H", len(content)) + content for content in (path.read_bytes() for path in files[:8])
        if len(content) < 65_536))
for path in sorted(fixtures.glob("jpeg/*.jpg")):
    put("FuzzJPEGLossless", path.name, bytes([13 - 1, 21 - 1]) + path.read_bytes())
for planes in (1, 2, 4):
    starts = [64 + 4 * plane for plane in range(planes)]
    frame = struct.pack("<16I", planes, *starts, *[0] * (15 - planes)) + bytes([1, 7, 8, 255] + [255, 9, 1, 2][:4]) * planes
    put("FuzzRunLength", f"{planes}", bytes([{1: 0, 2: 1, 4: 2}[planes], 0, 4]) + frame)

for count, descr, order in [(6, "<f4", False), (2, "<f8", True), (3, "<f2", False)]:
    shape = (count, 2)
    header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    content = b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header
    put("FuzzNPY", f"{descr[1:]}.npy", content + bytes(int(descr[2]) * count * 2))

header = json.dumps({
    "a.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    "a.bias": {"dtype": "BF16", "shape": [2], "data_offsets": [24, 28]},
    "__metadata__": {"format": "pt"}}).encode()
put("FuzzSafetensors", "two", struct.pack("<Q", len(header)) + header + bytes(28))

for model in sorted(target.glob("*.swt")):
    content = model.read_bytes()
    length, offset = struct.unpack_from("<QQ", content, 32)
    blocks = (len(content) - offset + 255) // 256
    put("FuzzSWT", model.stem, struct.pack("<H", min(blocks, 65535)) + content[128:128 + length])
    put("FuzzJSON", model.stem, content[128:128 + length])
