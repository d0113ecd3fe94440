#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times `nnconvert convert` against a Python process that loads the checkpoint and saves safetensors.

    python Benchmarks/conversion.py CHECKPOINT [--runs N]

Needs torch and safetensors, and a release build. The files are in the page cache after the first,
uncounted run. fsync, which Python leaves out, is told apart.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

BINARIES = pathlib.Path(__file__).resolve().parent.parent / ".build/release"
LOAD = """
import sys, time
import torch, safetensors.torch
start = time.perf_counter()
weights = torch.load(sys.argv[1], map_location="cpu", weights_only=False)["network_weights"]
print(time.perf_counter() - start)
unique = {}
for key, value in weights.items():
    unique.setdefault(value.data_ptr(), (key, value))
safetensors.torch.save_file(dict(unique.values()), sys.argv[2])
"""


def measured(command):
    """Seconds, peak memory in MB and stdout of a command."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.perf_counter() - start, usage.ru_maxrss / 1024, output


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(dir=".") as folder:
        model, tensors = f"{folder}/model.swt", f"{folder}/model.safetensors"
        for run in range(arguments.runs + 1):
            # Freeing an old file's blocks is no part of converting.
            for path in (model, tensors):
                pathlib.Path(path).unlink(missing_ok=True)
            theirs = measured([sys.executable, "-c", LOAD, arguments.checkpoint, tensors])
            ours = measured([BINARIES / "nnconvert", "convert", arguments.checkpoint,
                             "--json", "--part", "network", "-o", model])
            look = measured([BINARIES / "nnconvert", "inspect", arguments.checkpoint])
            sync = json.loads(ours[2])["fsync_seconds"]
            if run:
                rows.append((theirs[0], float(theirs[2]), ours[0] - sync, sync, look[0]))
    python, load, convert, sync, look = [min(column) for column in zip(*rows)]
    size = arguments.checkpoint.stat().st_size / 1e6
    print(f"{size:.0f} MB: Python {python:.2f} s ({theirs[1]:.0f} MB; torch.load alone {load:.2f} s), "
          f"nnconvert {convert:.2f} s + fsync {sync:.2f} s ({ours[1]:.0f} MB with the mapped input), "
          f"{python / convert:.1f} times faster; inspect {look * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
