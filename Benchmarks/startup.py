#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times whole processes from start to end: nnrun against the imports that a Python pipeline begins with.

    python3 Benchmarks/startup.py [--nnrun NNRUN] [--python PYTHON] [--rounds N]

--nnrun   the binary (default: the one in dist/nnconvert-*.tar.gz, see scripts/package)
--python  an interpreter with torch, onnxruntime and openvino (default: .venv-benchmarks, made if need be)
--rounds  how often everyone runs, in turn (default 20), after one round that is not counted

Prints Markdown: median and minimum in milliseconds. All files are in the page cache.
"""
import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "Examples/brain-mri"
PEERS = ("onnxruntime", "openvino", "torch")


def peer_python():
    """The environment that Benchmarks/compare uses, with what is needed here."""
    python = ROOT / ".venv-benchmarks/bin/python"
    imports = [str(python), "-c", "import " + ", ".join(PEERS)]
    if not python.exists() or subprocess.run(imports, capture_output=True).returncode:
        subprocess.run([sys.executable, "-m", "venv", str(ROOT / ".venv-benchmarks")], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "torch==2.13.0+cpu", "onnxruntime",
                        "openvino"], check=True)
    return python


def unpacked(folder):
    """The packaged commands' folder."""
    archive, = (ROOT / "dist").glob(f"nnconvert-*-linux-{platform.machine()}.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return next(pathlib.Path(folder).glob("nnconvert-*/bin"))


def milliseconds(command):
    start = time.perf_counter()
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1e3


def processor():
    with open("/proc/cpuinfo") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {len(os.sched_getaffinity(0))} processors"


parser = argparse.ArgumentParser()
parser.add_argument("--nnrun")
parser.add_argument("--python")
parser.add_argument("--rounds", type=int, default=20)
arguments = parser.parse_args()

with tempfile.TemporaryDirectory() as folder:
    nnrun = arguments.nnrun or unpacked(folder) / "nnrun"
    nnconvert = pathlib.Path(nnrun).parent / "nnconvert"
    python = arguments.python or peer_python()
    model = f"{folder}/model.swt"
    checkpoint = next(EXAMPLE.glob("nnUNet_results/*/*/fold_0/checkpoint_final.pth"))
    subprocess.run([nnconvert, "convert", checkpoint, "--head", EXAMPLE / "head.pth", "--quiet", "-o", model],
                   check=True)
    commands = {
        "`nnrun --version`": [nnrun, "--version"],
        "`nnrun info`": [nnrun, "info", model],
        "`nnrun classify`, preprocessed array": [nnrun, "classify", model, EXAMPLE / "input.npy"],
        "`nnrun classify`, NIfTI scan": [nnrun, "classify", model, EXAMPLE / "scans/brain_t1.nii.gz"],
        "`python -c pass`": [python, "-c", "pass"],
    } | {f"`import {name}`": [python, "-c", f"import {name}"] for name in PEERS}
    times = {name: [] for name in commands}
    for count in range(arguments.rounds + 1):
        for name, command in commands.items():
            elapsed = milliseconds(command)
            if count:
                times[name].append(elapsed)

print(f"{processor()}; {arguments.rounds} rounds; load {os.getloadavg()[0]:.1f}\n")
print("| process | median, ms | minimum, ms |\n|---|---|---|")
for name, values in times.items():
    print(f"| {name} | {statistics.median(values):.1f} | {min(values):.1f} |")
