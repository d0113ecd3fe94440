# SPDX-License-Identifier: Apache-2.0
"""Holds spec/swt.py and PyTorch to the files that nnconvert writes: same verdict, same numbers.

    python3 compare_readers.py NNCONVERT REPOSITORY

Every fixture is converted and read back with the second reader; every tensor must be equal to what
torch.load gives. Damaged copies must be refused by both readers.
"""
import glob
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch

nnconvert, repository = sys.argv[1:3]
sys.path.insert(0, os.path.join(repository, "spec"))
import swt  # noqa: E402

checked = tensors = refused = 0


def canonical(key):
    for prefix in ("module.", "_orig_mod."):
        while key.startswith(prefix):
            return canonical(key[len(prefix):])
    return key


def convert(source, target, *options):
    subprocess.run([nnconvert, "convert", source, "-o", target, "--quiet", "--force", *options], check=True)


with tempfile.TemporaryDirectory() as folder:
    pattern = f"{repository}/Tests/Fixtures/checkpoints/*/nnUNet_results/*/*/fold_0/checkpoint_final.pth"
    for source in sorted(glob.glob(pattern)) + sorted(
            glob.glob(f"{repository}/Examples/brain-mri/nnUNet_results/*/*/fold_0/checkpoint_final.pth")):
        model = f"{folder}/model.swt"
        weights = torch.load(source, weights_only=False, map_location="cpu")["network_weights"]
        weights = {canonical(key): value for key, value in weights.items()}
        for dtype, rounding in (("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16)):
            convert(source, model, "--part", "network", "--dtype", dtype)
            file = swt.SWT(model)
            file.verify()
            for name, entry in file.entries.items():
                expected = weights[name].float()
                if entry["dtype"] != "f32":
                    expected = expected.to(rounding).float()
                assert np.array_equal(file.tensor(name), expected.numpy()), (source, name)
                tensors += 1
            checked += 1
    exported = f"{folder}/model.safetensors"
    subprocess.run([nnconvert, "export", model, "-o", exported, "--quiet"], check=True)
    from safetensors.torch import load_file
    loaded = load_file(exported)
    assert set(loaded) == set(file.entries), "the export has other tensors"
    for name in file.entries:
        assert np.array_equal(loaded[name].numpy(), file.tensor(name)), name
    for offset in [*range(0, 128, 3), 130, 400, 70_000, os.path.getsize(model) - 1]:
        data = bytearray(open(model, "rb").read())
        data[offset] ^= 0x20
        damaged = f"{folder}/damaged.swt"
        open(damaged, "wb").write(data)
        ours = subprocess.run([nnconvert, "verify", damaged], capture_output=True).returncode
        try:
            swt.SWT(damaged).verify()
            theirs = 0
        except swt.SWTError:
            theirs = 65
        # Version and optional-feature fields are covered by the hash, so no flip gets through.
        assert ours == theirs == 65, (offset, ours, theirs)
        refused += 1

print(f"second reader: {checked} models, {tensors} tensors equal to PyTorch's, {refused} damaged copies refused by both")
