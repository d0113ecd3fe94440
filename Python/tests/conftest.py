# SPDX-License-Identifier: Apache-2.0
"""What the tests share: the example model of the repository, converted by the wheel's own nnconvert."""
import csv
from pathlib import Path

import nnconvert
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / "Examples/brain-mri"


@pytest.fixture(scope="session")
def checkpoint():
    return next(EXAMPLE.glob("nnUNet_results/*/*/fold_0/checkpoint_final.pth"))


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def encoder_path(checkpoint, models):
    return nnconvert.convert(checkpoint, models / "encoder.swt").output


@pytest.fixture(scope="session")
def classifier_path(checkpoint, models):
    return nnconvert.convert(checkpoint, models / "classifier.swt", head=EXAMPLE / "head.pth").output


@pytest.fixture(scope="session")
def model(classifier_path):
    return nnconvert.Model(classifier_path)


@pytest.fixture(scope="session")
def scan():
    return EXAMPLE / "scans/brain_t1.nii.gz"


@pytest.fixture(scope="session")
def cohort():
    """Scans, labels and patients of the example cohort, a few of every class."""
    with open(REPOSITORY / "Examples/train/cases.csv") as table:
        rows = list(csv.DictReader(table))
    kept = [row for label in sorted({row["label"] for row in rows})
            for row in [r for r in rows if r["label"] == label][:6]]
    return (
        [str(REPOSITORY / "Examples/train" / row["file"]) for row in kept],
        [row["label"] for row in kept],
        [row["patient"] for row in kept],
    )
