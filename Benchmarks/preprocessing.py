#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times nnU-Net's own preprocessing against `nnrun preprocess`, from file to array, in turn.

    python Benchmarks/preprocessing.py [--runs N] [--folder FOLDER]

Needs the environment of scripts/lib/fixtures/README.md and a release build. Scans are synthetic, plans
are those of the example model with another spacing and normalisation. nnU-Net's time leaves out its
imports; ours is that of the whole command, which also writes the array.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
EXAMPLE = REPOSITORY / "Examples/brain-mri/nnUNet_results/Dataset501_BrainTissue"
MODEL = EXAMPLE / "nnUNetTrainerQuick__nnUNetSmallPlans__3d_fullres"
TORCH = dict(is_seg=False, force_separate_z=False, memefficient_seg_resampling=False)
CASES = {
    # name: size [x, y, z], spacing, channels, target spacing [z, y, x], scheme, resampling
    "CT": ((512, 512, 300), (0.78, 0.78, 1.0), 1, (1.5, 1.0, 1.0), "CTNormalization", None),
    "CT, torch resampling": ((512, 512, 300), (0.78, 0.78, 1.0), 1, (1.5, 1.0, 1.0),
                             "CTNormalization", TORCH),
    "CT, thick slices": ((512, 512, 40), (0.5, 0.5, 5.0), 1, (4.0, 0.7, 0.7),
                         "CTNormalization", None),
    "MR, 4 channels, masked": ((240, 240, 155), (1.1, 1.1, 1.1), 4, (1.0, 1.0, 1.0),
                               "ZScoreNormalization", None),
}


def make(name, folder):
    """Writes the case's scans, plans, dataset.json and a checkpoint of as many channels."""
    import nibabel
    import numpy
    import torch
    from scipy.ndimage import zoom

    size, spacing, channels, target, scheme, keywords = CASES[name]
    random = numpy.random.default_rng(1)
    folder.mkdir()
    for channel in range(channels):
        smooth = zoom(random.normal(0, 300, [n // 8 + 2 for n in size]), 8, order=1)
        values = smooth[: size[0], : size[1], : size[2]] + random.normal(0, 20, size)
        if scheme == "ZScoreNormalization":
            grid = numpy.meshgrid(*[numpy.linspace(-1, 1, n) for n in size], indexing="ij", sparse=True)
            values = (values + 2000).clip(1, None) * (sum(g**2 for g in grid) < 0.6)
        image = nibabel.Nifti1Image(values.clip(-1000, 4000).astype(numpy.int16),
                                    numpy.diag([*spacing, 1]))
        nibabel.save(image, folder / f"scan_{channel:04d}.nii.gz")
    plans = json.loads((MODEL / "plans.json").read_text())
    dataset = json.loads((MODEL / "dataset.json").read_text())
    configuration = plans["configurations"]["3d_fullres"]
    configuration.update(spacing=list(target), normalization_schemes=[scheme] * channels,
                         use_mask_for_norm=[scheme == "ZScoreNormalization"] * channels)
    if keywords:
        configuration.update(resampling_fn_data="resample_torch_fornnunet",
                             resampling_fn_data_kwargs=keywords)
    plans["foreground_intensity_properties_per_channel"] = {
        str(c): dict(max=2000.0, mean=50.0, median=40.0, min=-1000.0, percentile_00_5=-900.0,
                     percentile_99_5=900.0, std=250.0) for c in range(channels)}
    dataset["channel_names"] = {str(c): str(c) for c in range(channels)}
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_text(json.dumps(dataset))
    checkpoint = torch.load(MODEL / "fold_0/checkpoint_final.pth", weights_only=False)
    weights = checkpoint["network_weights"]
    for key, value in weights.items():
        if value.ndim == 5 and value.shape[1] == 1:
            weights[key] = value.repeat(1, channels, 1, 1, 1)
    torch.save(checkpoint, folder / "checkpoint.pth")
    subprocess.run(
        [REPOSITORY / ".build/release/nnconvert", "convert", folder / "checkpoint.pth", "--quiet",
         "--plans", folder / "plans.json", "--dataset-json", folder / "dataset.json",
         "--configuration", "3d_fullres", "--force", "-o", folder / "model.swt"], check=True)


def reference(_, folder):
    """What nnU-Net does."""
    import numpy
    from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    manager = PlansManager(json.loads((folder / "plans.json").read_text()))
    files = sorted(str(path) for path in folder.glob("scan_*.nii.gz"))
    start = time.perf_counter()
    data = DefaultPreprocessor(verbose=False).run_case(
        files, None, manager, manager.get_configuration("3d_fullres"),
        json.loads((folder / "dataset.json").read_text()))[0]
    seconds = time.perf_counter() - start
    numpy.save(folder / "reference.npy", data)
    print(json.dumps(dict(seconds=seconds, shape=data.shape)))


def compare(_, folder):
    import numpy

    expected, found = numpy.load(folder / "reference.npy"), numpy.load(folder / "ours.npy")
    assert expected.shape == found.shape, (expected.shape, found.shape)
    print(json.dumps(dict(shape=found.shape, difference=float(abs(expected - found).max()))))


STEPS = dict(make=make, reference=reference, compare=compare)


def measured(command):
    """Seconds, peak memory in MB and stdout of a command."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.perf_counter() - start, usage.ru_maxrss / 1024, output


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--name", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        return STEPS[arguments.step](arguments.name, arguments.folder)
    work = arguments.folder or pathlib.Path(tempfile.mkdtemp())
    work.mkdir(parents=True, exist_ok=True)
    print("| case | result | nnU-Net | nnrun | faster | memory | max difference |")
    print("|---|---|---|---|---|---|---|")
    for number, name in enumerate(CASES):
        folder = work / str(number)
        # Every step has a process of its own: a child's peak memory counts from its parent's.
        own = [sys.executable, __file__, "--folder", folder, "--name", name, "--step"]
        if not folder.exists():
            subprocess.run([*own, "make"], check=True)
        files = ",".join(sorted(str(path) for path in folder.glob("scan_*.nii.gz")))
        theirs, ours = [], []
        for _ in range(arguments.runs):
            _, memory, output = measured([*own, "reference"])
            theirs.append((json.loads(output.splitlines()[-1])["seconds"], memory))
            ours.append(measured([REPOSITORY / ".build/release/nnrun", "preprocess",
                                  folder / "model.swt", files, "-o", folder / "ours.npy"])[:2])
        result = json.loads(measured([*own, "compare"])[2])
        (their_time, their_memory), (our_time, our_memory) = min(theirs), min(ours)
        print(f"| {name} | {'×'.join(map(str, result['shape']))} | {their_time:.1f} s, {their_memory:.0f} MB "
              f"| {our_time:.2f} s, {our_memory:.0f} MB | {their_time / our_time:.1f}× "
              f"| {their_memory / our_memory:.1f}× less | {result['difference']:.1e} |", flush=True)


if __name__ == "__main__":
    main()
