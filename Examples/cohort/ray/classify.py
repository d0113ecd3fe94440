# SPDX-License-Identifier: Apache-2.0
"""Classifies a folder of scans on a Ray cluster: classify.py model.swt SCANS results.csv

Every actor keeps the model mapped and its buffers for the next case; cases go to whichever actor is free. The wheel
has to be on every node: ray.init(runtime_env={"pip": ["nnconvert"]}).
"""
import csv
import sys
from pathlib import Path

import nnconvert
import ray

THREADS = 1  # of each actor


@ray.remote(num_cpus=THREADS)
class Classifier:
    def __init__(self, path):
        self.model = nnconvert.Model(path, threads=THREADS)

    def classify(self, scan):
        result = self.model.classify(scan)
        return result.logits.tolist(), result.class_name, result.warnings


def main(model, scans, output):
    ray.init(include_dashboard=False, log_to_driver=False)
    files = sorted(Path(scans).resolve().glob("*.nii.gz"))
    count = max(1, int(ray.cluster_resources()["CPU"]) // THREADS)
    actors = [Classifier.remote(str(Path(model).resolve())) for _ in range(min(count, len(files)))]
    free, running, failed = list(actors), {}, 0
    names = nnconvert.Model(model).class_names
    with open(output, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["case", "class", *[f"logit_{name}" for name in names], "warnings"])
        for scan in [*files, *[None] * len(actors)]:
            if scan is not None and free:
                actor = free.pop()
                running[actor.classify.remote(str(scan))] = (actor, scan)
                continue
            if not running:
                break
            done, _ = ray.wait(list(running), num_returns=1)
            actor, finished = running.pop(done[0])
            case = finished.name.removesuffix(".nii.gz").removesuffix("_0000")
            try:
                logits, name, warnings = ray.get(done[0])
                rows.writerow([case, name, *logits, "; ".join(warnings)])
            except ray.exceptions.RayTaskError as problem:
                failed += 1
                print(f"{case}: {problem.cause}", file=sys.stderr)
            if scan is not None:
                running[actor.classify.remote(str(scan))] = (actor, scan)
    return 8 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
