#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times reading a DICOM series against dcm2niix, from files to voxels, in turn.

    python Benchmarks/dicom.py [--runs N] [--folder FOLDER] [--binaries FOLDER]

Needs pydicom, numpy and dcm2niix, and a release build. The series is synthetic: 200 slices of 512 × 512 pixels, 16 bits,
explicit little endian, as a CT scanner writes them. dcm2niix writes an uncompressed NIfTI file. `nnrun`'s time is that
of a whole command that reads all headers and refuses a series that is not there, and of reading the voxels as float32,
which `nnrun plan` tells; its peak is that of `plan`. Warm: every file is in the page cache.
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
SLICES, SIZE = 200, 512


def make(folder):
    import numpy
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    folder.mkdir()
    random = numpy.random.default_rng(1)
    for index in range(SLICES):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = f"1.2.3.1.{index + 1}"
        data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.3", "1.2.3.1"
        data.Modality, data.InstanceNumber, data.ImageType = "CT", index + 1, ["ORIGINAL", "PRIMARY", "AXIAL"]
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.Rows = data.Columns = SIZE
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
        data.PixelSpacing, data.SliceThickness = [0.7, 0.7], 1.5
        data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        data.ImagePositionPatient = [-179.2, -179.2, 1.5 * index]
        data.RescaleSlope, data.RescaleIntercept = 1, -1024
        data.PixelData = random.integers(0, 4096, (SIZE, SIZE), numpy.uint16).tobytes()
        data.save_as(folder / f"{index:04d}.dcm", enforce_file_format=True)


def timed(command, expected=0):
    """Seconds, peak in MB and output of a command that ends with a status."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    output, errors = child.stdout.read(), child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) != expected:
        sys.exit(f"{command}: {errors}")
    return seconds, usage.ru_maxrss / 1024, output


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--binaries", type=pathlib.Path, default=REPOSITORY / ".build/release")
    options = parser.parse_args()
    folder = options.folder or pathlib.Path(tempfile.mkdtemp())
    series = folder / "series"
    if not series.exists():
        make(series)
    binaries = options.binaries
    model = folder / "model.swt"
    subprocess.run(
        [binaries / "nnconvert", "convert", next(EXAMPLE.glob("*/fold_0/checkpoint_final.pth")), "--quiet", "--force",
         "--dicom-convention", "dcm2niix", "-o", model], check=True)
    rows = {"nnrun": [], "dcm2niix": [], "cat": []}
    peaks = {}
    for run in range(options.runs + 1):
        plan = [binaries / "nnrun", "plan", model, series, "--json", "--input-policy", "center-crop"]
        headers = timed(plan + ["--series", "1.2"], expected=65)[0]
        _, peak, text = timed(plan)
        reading = headers + json.loads(text)["cases"][0]["reading_seconds"]
        seconds, other, _ = timed(["dcm2niix", "-z", "n", "-b", "n", "-o", folder, "-f", "out", "-w", "1", series])
        copied = timed(["sh", "-c", f"cat {series}/* >/dev/null"])[0]
        if run == 0:
            continue
        for name, value in zip(rows, (reading, seconds, copied)):
            rows[name].append(value)
        peaks = {"nnrun": peak, "dcm2niix": other}
    for name, values in rows.items():
        values.sort()
        peak = f", peak {peaks[name]:.0f} MB" if name in peaks else ""
        print(f"{name}: median {values[len(values) // 2]:.3f} s, least {values[0]:.3f} s{peak}")
    print(f"voxels as float32: {SLICES * SIZE * SIZE * 4 / 2**20:.0f} MB, one file {SIZE * SIZE * 2 / 2**20:.1f} MB")


if __name__ == "__main__":
    main()
