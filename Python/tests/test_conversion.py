# SPDX-License-Identifier: Apache-2.0
"""Converting and looking into files: the bundled nnconvert's results and texts."""
import os
import subprocess
import sys

import nnconvert
import numpy as np
import pytest
from conftest import EXAMPLE


def test_writes_a_model(checkpoint, tmp_path):
    written = nnconvert.convert(checkpoint, tmp_path / "m.swt", head=EXAMPLE / "head.pth", class_names=["T1", "T2"])
    model = nnconvert.Model(written.output)
    assert model.model_id == written.model_id and model.class_names == ["T1", "T2"]
    assert os.path.getsize(written.output) == written.bytes
    assert any("trainer" in text for text in written.warnings)


def test_looks_into_files(checkpoint, classifier_path):
    found = nnconvert.inspect(checkpoint)
    assert found == nnconvert.inspect(str(checkpoint)) and found["kind"].startswith("nnU-Net")
    tensors = nnconvert.inspect(classifier_path, tensors=True)["tensors"]
    assert {"name": "classifier.weight", "shape": [2, 64], "dtype": "f32"} in tensors


def test_the_same_texts_as_exceptions(checkpoint, classifier_path, tmp_path):
    with pytest.raises(nnconvert.CannotOpenError, match="^cannot open 'none.pth': no such file or directory$"):
        nnconvert.convert("none.pth", tmp_path / "m.swt")
    with pytest.raises(nnconvert.CannotCreateError, match="exists — use --force"):
        nnconvert.convert(checkpoint, classifier_path)
    with pytest.raises(nnconvert.UsageError, match="--colour"):
        nnconvert.convert(checkpoint, tmp_path / "m.swt", colour="red")
    (tmp_path / "bad.pth").write_bytes(b"no checkpoint")
    with pytest.raises(nnconvert.BadInputError):
        nnconvert.convert(tmp_path / "bad.pth", tmp_path / "m.swt")


def test_a_head_is_attached(encoder_path, scan, tmp_path):
    written = nnconvert.attach(encoder_path, EXAMPLE / "head.pth", output=tmp_path / "m.swt")
    found = nnconvert.Model(written.output).classify(scan).logits
    expected = np.load(EXAMPLE / "expected/brain_t1.logits.npy").ravel()
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("command", ["nnconvert", "nnrun", "nntrain"])
def test_commands_are_there(command):
    path = os.path.join(os.path.dirname(sys.executable), command)
    if not os.path.exists(path):
        pytest.skip("not installed from the wheel")
    shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == nnconvert.__version__
