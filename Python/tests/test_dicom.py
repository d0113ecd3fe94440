# SPDX-License-Identifier: Apache-2.0
"""Folders of DICOM files: series, conventions, and features of them that are kept."""
import shutil

import nnconvert
import numpy as np
import pytest
from conftest import REPOSITORY

DICOM = REPOSITORY / "Tests/Fixtures/dicom"
ECHOES = "2.25.1198428332571589049381088986048233683"


def study(name):
    return DICOM / name / "study"


@pytest.mark.parametrize("convention, array", [("as-scanned", "sitk_0"), ("dcm2niix", "dcm2niix_0")])
@pytest.mark.parametrize("name", ["ax_ct", "oblique_mr"])
def test_a_series_gives_the_logits_of_the_converted_scan(model, name, convention, array):
    import json

    found = model.classify(study(name), convention=convention)
    spacing = json.loads((DICOM / name / "case.json").read_text())["sitk"][0]["spacing"]
    expected = model.classify(np.load(DICOM / name / f"{array}.npy"), spacing=spacing[::-1])
    np.testing.assert_allclose(found.logits, expected.logits, atol=1e-4 * np.abs(expected.logits).max())


def test_a_series_is_named(model):
    with pytest.raises(nnconvert.BadInputError, match="echo time 80.0"):
        model.classify(study("four_d_echo"), convention="as-scanned")
    first = model.classify(study("four_d_echo"), series=f"{ECHOES}-1", convention="as-scanned")
    second = model.classify(study("four_d_echo"), series=[f"{ECHOES}-2"], convention="as-scanned")
    channel = model.info["preprocessing"]["channels"][0]["name"]
    again = model.classify(
        nnconvert.Study(study("four_d_echo"), {channel: f"{ECHOES}-2"}, convention="as-scanned"))
    assert not np.array_equal(first.logits, second.logits)
    assert np.array_equal(second.logits, again.logits)
    with pytest.raises(nnconvert.UsageError, match="channels are"):
        model.features(study("four_d_echo"), series={"other": "1.2"}, convention="as-scanned")
    with pytest.raises(nnconvert.UsageError, match="several folders"):
        model.features([study("ax_ct"), study("ax_ct")])
    with pytest.raises(nnconvert.UsageError, match="folder of DICOM"):
        model.features(np.zeros((4, 4, 4)), spacing=(1, 1, 1), series="1.2")


def test_nothing_is_guessed(model):
    with pytest.raises(nnconvert.BadInputError, match="ignores direction"):
        model.classify(study("ax_ct"))


def test_a_model_may_be_told_once(classifier_path, model):
    told = nnconvert.Model(classifier_path, dicom_convention="dcm2niix")
    expected = model.features(study("sag_mr"), convention="dcm2niix").values
    assert np.array_equal(told.features(study("sag_mr")).values, expected)
    # A file of several frames is a study, too.
    single = next(study("enhanced_ct").iterdir())
    assert np.array_equal(told.features(single).values, told.features(study("enhanced_ct")).values)
    prepared = told.preprocess(study("sag_mr"))
    assert prepared.array.shape[0] == 1
    # What the call says goes first.
    other = told.features(study("sag_mr"), convention="as-scanned").values
    assert not np.array_equal(other, expected)


def test_a_file_is_kept_by_its_convention(encoder_path, tmp_path):
    file = next(study("enhanced_mr").iterdir())
    made = []
    for cache in (None, tmp_path):
        made.append([
            nnconvert.Encoder(encoder_path, dicom_convention=convention, cache=cache).transform([file])
            for convention in ("as-scanned", "dcm2niix")])
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.array_equal(made[0][0], made[0][1])


def test_the_encoder_keeps_features_of_studies(encoder_path, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(study("ax_ct"), folder)
    encoder = nnconvert.Encoder(encoder_path, cache=tmp_path / "kept", dicom_convention="as-scanned")
    studies = [str(folder), nnconvert.Study(study("sag_mr"))]
    first = encoder.fit(studies).transform(studies)
    assert len(list((tmp_path / "kept").iterdir())) == 2
    assert np.array_equal(encoder.transform(studies), first)
    mirrored = nnconvert.Encoder(encoder_path, cache=tmp_path / "kept", dicom_convention="dcm2niix")
    assert not np.array_equal(mirrored.transform(studies), first)
    # Other files are another case.
    shutil.rmtree(folder)
    shutil.copytree(study("sag_mr"), folder)
    assert np.array_equal(encoder.transform([str(folder)])[0], first[1])
