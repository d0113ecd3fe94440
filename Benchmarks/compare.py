#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times nnrun and its peers in turn on the same networks and weights; `compare` calls this.

    compare.py NETWORKS NNCONVERT NNRUN [--threads N] [--rounds N] [--networks a,b] [--engines a,b]

NETWORKS is what networks.py made. Every engine runs in a process of its own, one at a time, round
after round; of each engine the minimum and the median of all rounds count. Prints Markdown tables
and writes results/<name>.json with the machine's description.
"""
import argparse
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = ["torch", "ort", "openvino_f32", "openvino_default", "mnn"]
# Of their layers' products a share of what the machine could multiply is told.
TRANSFORMERS = "primus"
# To the logits of the segmentation, not the classifier's.
WHOLE = {"unet3d"}
# What it takes as it comes is bf16 where the processor has it.
IMPRECISE = {"openvino_default"}


def processor():
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def run_peer(network, engine, threads):
    output = subprocess.run(
        [sys.executable, f"{HERE}/peer.py", network, engine, str(threads), "3"],
        capture_output=True, text=True, check=True, cwd=HERE).stdout
    found = re.search(r"min=([\d.]+) ms median=([\d.]+) ms first=(\d+) ms rss=(\d+) MB error=(\S+)", output)
    minimum, median, first, rss, error = (float(value) for value in found.groups())
    return {"minimum_ms": minimum, "median_ms": median, "first_ms": first, "rss_mb": rss, "error": error}


def fma_peak(threads):
    """GFLOP/s of multiply-adds in registers, or None without a compiler."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(["cc", "-O2", "-march=native", "-ffp-contract=fast", "-pthread", f"{HERE}/fma_peak.c",
                            "-o", f"{folder}/peak"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return max(float(subprocess.run([f"{folder}/peak", str(threads)], check=True, capture_output=True,
                                        text=True).stdout) for _ in range(3))


def product_rates(nnrun, model, shape, threads):
    """GFLOP/s of the layers that are matrix products, each in its fastest of three runs, and the most that
    multiply-adds reached between these."""
    fastest, flop, peaks = {}, 0, [fma_peak(threads)]
    for _ in range(3):
        report = json.loads(subprocess.run(
            [nnrun, "bench", model, "--shape", shape, "--threads", str(threads), "--runs", "1", "--layers", "--json"],
            capture_output=True, text=True, check=True).stdout)
        peaks.append(fma_peak(threads))
        layers = [layer for layer in report["layers"] if "matrix product" in layer["algorithm"]]
        flop = sum(layer["gflop"] for layer in layers)
        for index, layer in enumerate(layers):
            fastest[index] = min(layer["ms"], fastest.get(index, math.inf))
    return {"product_gflops": 1e3 * flop / sum(fastest.values()),
            "fma_peak_gflops": max((peak for peak in peaks if peak), default=None)}


def run_ours(nnrun, model, network, threads):
    shape = ",".join(map(str, np.load(f"{network}/x.npy").shape[1:]))
    is_whole = os.path.basename(network) in WHOLE
    report = json.loads(subprocess.run(
        [nnrun, "bench", model, "--shape", shape, "--threads", str(threads), "--runs", "3", "--json",
         *(["--segmentation"] if is_whole else [])],
        capture_output=True, text=True, check=True).stdout)
    with tempfile.TemporaryDirectory() as folder:
        # A process from start to first logits, and what it needed.
        verb = ["features", "--logits-map"] if is_whole else ["classify"]
        start = time.perf_counter()
        process = subprocess.Popen(
            [nnrun, *verb, model, f"{network}/x.npy", "--threads", str(threads), "-o", f"{folder}/y.npy"],
            stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        assert status == 0, status
        found, expected = np.load(f"{folder}/y.npy"), np.load(f"{network}/y.npy")
        expected = expected.reshape(found.shape)
    return {"minimum_ms": report["minimum_ms"], "median_ms": report["median_ms"],
            "first_ms": seconds * 1e3, "rss_mb": usage.ru_maxrss / 1024,
            "error": float(abs(found - expected).max() / abs(expected).max()),
            "isa": report["instruction_set"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("nnconvert")
    parser.add_argument("nnrun")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--networks", default="plain3d,plain3d_64,plain2d,resencM")
    parser.add_argument("--engines", default=",".join(PEERS))
    parser.add_argument("--name", default="run")
    options = parser.parse_args()
    engines = options.engines.split(",") + ["nnconvert"]
    results = {}
    for name in options.networks.split(","):
        network = os.path.join(options.folder, name)
        with tempfile.TemporaryDirectory() as folder:
            model = f"{folder}/model.swt"
            part = ["--part", "network"] if name in WHOLE else ["--head", f"{network}/head.pth"]
            subprocess.run([options.nnconvert, "convert", f"{network}/fold_0/checkpoint_final.pth", *part, "-o", model,
                            "--quiet"], check=True)
            rounds = {engine: [] for engine in engines}
            for _ in range(options.rounds):
                for engine in engines:
                    rounds[engine].append(
                        run_ours(options.nnrun, model, network, options.threads)
                        if engine == "nnconvert" else run_peer(network, engine, options.threads))
            details = {}
            if name.startswith(TRANSFORMERS):
                shape = ",".join(map(str, np.load(f"{network}/x.npy").shape[1:]))
                details = product_rates(options.nnrun, model, shape, options.threads)
            weights = os.path.getsize(model) / 2**20
        results[name] = {
            engine: {
                "minimum_ms": min(run["minimum_ms"] for run in runs),
                "median_ms": statistics.median(run["median_ms"] for run in runs),
                "first_ms": min(run["first_ms"] for run in runs),
                "rss_mb": min(run["rss_mb"] for run in runs),
                # A NaN is the largest.
                "error": max((run["error"] for run in runs), key=lambda e: (math.isnan(e), e)),
                "rss_beside_weights_mb": min(run["rss_mb"] for run in runs) - weights,
                **({"isa": runs[0]["isa"], **details} if "isa" in runs[0] else {}),
            } for engine, runs in rounds.items()}
        for engine, value in results[name].items():
            # The peers' f32 differs from PyTorch's by their order of summation; ours has to be closer.
            bound = 1 if engine in IMPRECISE else 1e-4 if engine == "nnconvert" else 2e-3
            assert value["error"] < bound, (name, engine, value["error"])
    print_tables(results, engines, options.threads)
    os.makedirs(f"{HERE}/results", exist_ok=True)
    with open(f"{HERE}/results/{options.name}.json", "w", encoding="utf-8") as file:
        json.dump({"processor": processor(), "threads": options.threads, "rounds": options.rounds,
                   "isa_forced": os.environ.get("SWT_ISA"),
                   "onednn_isa_forced": os.environ.get("ONEDNN_MAX_CPU_ISA"), "results": results},
                  file, indent=1)
        file.write("\n")


def print_tables(results, engines, threads):
    isa = next(iter(results.values()))["nnconvert"]["isa"]
    print(f"\n{processor()}, {threads} threads, ours with {isa}: minimum of all runs, median, times ours, "
          "peak memory of the process\n")
    print("| | " + " | ".join(engines) + " |\n|" + "---|" * (1 + len(engines)))
    ratios = {engine: [] for engine in engines}
    for name, values in results.items():
        ours = values["nnconvert"]["minimum_ms"]
        cells = []
        for engine in engines:
            value = values[engine]
            ratio = value["minimum_ms"] / ours
            ratios[engine].append(ratio)
            times = "" if engine == "nnconvert" else f" ({ratio:.2f}×)"
            cells.append(f"{value['minimum_ms']:.0f} / {value['median_ms']:.0f} ms{times}, "
                         f"{value['rss_mb']:.0f} MB")
        print(f"| `{name}` | " + " | ".join(cells) + " |")
    means = [math.exp(sum(map(math.log, ratios[engine])) / len(ratios[engine])) for engine in engines]
    print("| geometric mean | " + " | ".join(f"{mean:.2f}×" for mean in means) + " |")
    print("\nStart of process to first logits (ours: file, array and output included):\n")
    print("| | " + " | ".join(engines) + " | ours beside its inference |\n|" + "---|" * (2 + len(engines)))
    for name, values in results.items():
        ours = values["nnconvert"]
        cells = [f"{values[engine]['first_ms']:.0f} ms" for engine in engines]
        print(f"| `{name}` | " + " | ".join(cells)
              + f" | {100 * (ours['first_ms'] / ours['minimum_ms'] - 1):+.0f} % |", flush=True)
    for name, values in results.items():
        if not name.startswith(TRANSFORMERS):
            continue
        ours = values["nnconvert"]
        peak, rate = ours["fma_peak_gflops"], ours["product_gflops"]
        share = f", {100 * rate / peak:.0f} % of the {peak:.0f} that multiply-adds in registers reach" if peak else ""
        print(f"\n`{name}`: matrix products {rate:.0f} GFLOP/s{share}; peak memory beside the weights: "
              + ", ".join(f"{engine} {values[engine]['rss_beside_weights_mb']:.0f} MB" for engine in engines))


if __name__ == "__main__":
    main()
