#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much memory several processes take that run one model file: they share its mapping.

    python3 Benchmarks/shared_memory.py MODEL INPUT [--nnrun NNRUN] [--processes N]

MODEL    a .swt file with a classifier
INPUT    what to classify: a scan or .npy
--nnrun  the binary (default .build/release/nnrun)

Starts one process after another, each of which classifies INPUT and then waits for more, and reads
/proc/PID/smaps. Prints Markdown, in MB: of one process the mapping of MODEL (Rss: its pages in memory; Pss:
these, each divided by how many processes share it), and of all processes together their memory (Pss).
"""
import argparse
import json
import os
import subprocess

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("input")
parser.add_argument("--nnrun", default=".build/release/nnrun")
parser.add_argument("--processes", type=int, default=4)
arguments = parser.parse_args()
model = os.path.realpath(arguments.model)


def mappings(pid):
    """(path, {field: kB}) of every mapping of a process."""
    found = []
    with open(f"/proc/{pid}/smaps") as file:
        for line in file:
            words = line.split()
            if not words[0].endswith(":"):
                found.append((words[5] if len(words) > 5 else "", {}))
            elif len(words) == 3 and words[2] == "kB":
                found[-1][1][words[0][:-1]] = int(words[1])
    return found


def total(pid, field, path=None):
    return sum(sizes.get(field, 0) for name, sizes in mappings(pid) if path in (None, name)) / 1e3


def start():
    """A process that has classified the input and waits."""
    process = subprocess.Popen([arguments.nnrun, "classify", model, "--stdin", "--threads", "1"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               text=True)
    print(json.dumps({"images": [os.path.realpath(arguments.input)]}), file=process.stdin, flush=True)
    row = json.loads(process.stdout.readline())
    assert "error" not in row, row
    return process


print(f"{os.path.getsize(model) / 1e6:.1f} MB model file\n")
print("| processes | mapping of one, Rss | mapping of one, Pss | all of one, Pss | all processes, Pss |")
print("|---|---|---|---|---|")
processes = []
try:
    for count in range(1, arguments.processes + 1):
        processes.append(start())
        pid = processes[0].pid
        print(f"| {count} | {total(pid, 'Rss', model):.1f} | {total(pid, 'Pss', model):.1f} "
              f"| {total(pid, 'Pss'):.1f} | {sum(total(p.pid, 'Pss') for p in processes):.1f} |")
finally:
    for process in processes:
        process.stdin.close()
        process.wait()
