# SPDX-License-Identifier: Apache-2.0
"""The encoder in scikit-learn's pipelines, and what was fitted back in a model file."""
import pickle

import nnconvert
import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler
from sklearn.svm import SVC, LinearSVC


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("features")


def test_cross_validates_with_groups(encoder_path, cohort, cache):
    scans, labels, patients = cohort
    pipeline = make_pipeline(nnconvert.Encoder(encoder_path, cache=cache), StandardScaler(), LogisticRegression())
    scores = cross_val_score(pipeline, scans, labels, groups=patients, cv=GroupKFold(3))
    assert scores.shape == (3,) and np.isfinite(scores).all()


@pytest.mark.parametrize("pooling", ["mean", "all", "nonzero-mean", "nonzero-all"])
@pytest.mark.parametrize("steps", [[], [StandardScaler()], [MinMaxScaler(), PCA(5)]], ids=["plain", "scaled", "pca"])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_fitted_pipeline_becomes_a_head(encoder_path, cohort, cache, tmp_path, pooling, steps, classes):
    scans, labels, _ = cohort
    kept = [index for index, label in enumerate(labels) if label in sorted(set(labels))[:classes]]
    scans, labels = [scans[index] for index in kept], [labels[index] for index in kept]
    pipeline = make_pipeline(
        nnconvert.Encoder(encoder_path, pooling=pooling, cache=cache), *map(clone, steps), LogisticRegression())
    pipeline.fit(scans, labels)
    written = nnconvert.attach(encoder_path, pipeline, output=tmp_path / "head.swt")
    model = nnconvert.Model(written.output)
    assert model.class_names == list(pipeline.classes_)
    found = [model.classify(scan).probabilities for scan in scans[:3]]
    np.testing.assert_allclose(found, pipeline.predict_proba(scans[:3]), atol=1e-4)
    # What maps leave of a logit is the bias, the same for every scan.
    results = [model.classify(scan, maps=True) for scan in scans[:3]]
    for index, name in enumerate(model.class_names):
        parts = [result.maps[name].mean(dtype=np.float64) for result in results]
        biases = [result.logits[index] - part for result, part in zip(results, parts)]
        assert np.ptp(biases) <= 1e-4 * max(map(abs, parts + biases))


def test_a_search_gives_its_best_estimator(encoder_path, cohort, cache, tmp_path):
    scans, labels, _ = cohort
    search = GridSearchCV(
        make_pipeline(nnconvert.Encoder(encoder_path, cache=cache), StandardScaler(), LogisticRegression()),
        {"logisticregression__C": [0.1, 1]}, cv=3).fit(scans, labels)
    written = nnconvert.attach(encoder_path, search, output=tmp_path / "head.swt")
    assert nnconvert.Model(written.output).class_names == list(search.classes_)


@pytest.mark.parametrize("head, text", [
    (SGDClassifier("modified_huber", random_state=0), "softmax"), (SVC(), "no coef_"), (LinearSVC(), "softmax"), (make_pipeline(Normalizer(), LogisticRegression()), "not linear"),
], ids=["huber", "kernel", "hinge", "normalizer"])
def test_what_is_no_linear_head_is_refused(encoder_path, tmp_path, head, text):
    rng = np.random.default_rng(0)
    head.fit(rng.normal(size=(30, 64)), np.arange(30) % 3)
    with pytest.raises(nnconvert.BadInputError, match=text):
        nnconvert.attach(encoder_path, head, output=tmp_path / "head.swt")


def test_a_pipeline_in_a_pipeline_becomes_a_head(encoder_path, cohort, cache, tmp_path):
    scans, labels, _ = cohort
    inner = make_pipeline(nnconvert.Encoder(encoder_path, cache=cache), StandardScaler())
    pipeline = make_pipeline(inner, LogisticRegression()).fit(scans, labels)
    written = nnconvert.attach(encoder_path, pipeline, output=tmp_path / "head.swt")
    found = nnconvert.Model(written.output).classify(scans[0]).probabilities
    np.testing.assert_allclose(found, pipeline.predict_proba(scans[:1])[0], atol=1e-4)


def test_names_like_options_are_names(encoder_path, cohort, cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    head = LogisticRegression().fit(rng.normal(size=(30, 64)), np.arange(30) % 2)
    written = nnconvert.attach(encoder_path, head, output="-m.swt", class_names=["-1", "1"])
    assert nnconvert.Model(written.output).class_names == ["-1", "1"]
    assert nnconvert.inspect("-m.swt")["model_id"] == written.model_id


def test_a_head_of_another_models_features_is_refused(encoder_path, checkpoint, cohort, cache, tmp_path):
    scans, labels, _ = cohort
    pipeline = make_pipeline(nnconvert.Encoder(encoder_path, cache=cache), LogisticRegression()).fit(scans, labels)
    other = nnconvert.convert(checkpoint, tmp_path / "other.swt", dtype="bf16").output
    with pytest.raises(nnconvert.BadInputError, match="features of model"):
        nnconvert.attach(other, pipeline, output=tmp_path / "head.swt")


def test_another_model_than_the_fitted_one_is_refused(encoder_path, checkpoint, cohort, cache, tmp_path):
    other = nnconvert.convert(checkpoint, tmp_path / "other.swt", dtype="bf16").output
    scans = cohort[0][:2]
    for changed in (dict(path=other), dict(pooling="all"), dict(policy="center-crop")):
        encoder = nnconvert.Encoder(encoder_path, cache=cache).fit()
        before = encoder.transform(scans)
        with pytest.raises(nnconvert.UsageError, match="fit it again"):
            encoder.set_params(**changed).transform(scans)
        again = encoder.fit().transform(scans)
        assert again.shape[1] == len(encoder.get_feature_names_out())
        expected = clone(encoder).set_params(cache=None).transform(scans)
        np.testing.assert_array_equal(again, expected)
        assert before.shape != again.shape or not np.array_equal(before, again)


def test_what_is_kept_may_be_damaged(encoder_path, cohort, tmp_path):
    encoder = nnconvert.Encoder(encoder_path, cache=tmp_path / "kept")
    expected = encoder.transform(cohort[0][:1])
    for content in (b"", b"no array"):
        for place in (tmp_path / "kept").iterdir():
            place.write_bytes(content)
        np.testing.assert_array_equal(encoder.transform(cohort[0][:1]), expected)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError):
        nnconvert.Encoder(encoder_path, cache=tmp_path / "file").transform(cohort[0][:1])


def test_features_have_names(encoder_path):
    names = nnconvert.Encoder(encoder_path).get_feature_names_out()
    assert list(names[:2]) == ["stage3_mean_0", "stage3_mean_1"] and len(names) == 64
    assert len(nnconvert.Encoder(encoder_path, pooling="all").get_feature_names_out()) == 240
    names = nnconvert.Encoder(encoder_path, pooling="nonzero-all").get_feature_names_out()
    assert names[0] == "stage0_nonzero_mean_0" and names[8] == "stage0_nonzero_max_0" and len(names) == 240


def test_unknown_pooling_is_refused(encoder_path):
    with pytest.raises(nnconvert.UsageError, match="none of mean, all, nonzero-mean, nonzero-all"):
        nnconvert.Encoder(encoder_path, pooling="max").fit()


def test_is_cloned_and_pickled_by_path(encoder_path, cohort):
    encoder = nnconvert.Encoder(encoder_path, pooling="all").fit()
    scans = cohort[0][:1]
    expected = encoder.transform(scans)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(encoder)).transform(scans), expected)
    np.testing.assert_array_equal(clone(encoder).transform(np.array(scans)), expected)
    assert len(pickle.dumps(encoder)) < 20_000


def test_cases_of_several_channels_are_rows(encoder_path, cohort):
    encoder = nnconvert.Encoder(encoder_path)
    expected = encoder.transform(cohort[0][:2])
    np.testing.assert_array_equal(encoder.transform([[scan] for scan in cohort[0][:2]]), expected)
    np.testing.assert_array_equal(encoder.transform(np.array([[scan] for scan in cohort[0][:2]])), expected)


def test_numbers_are_no_scans(encoder_path):
    with pytest.raises(nnconvert.UsageError, match="nnconvert.Scan"):
        nnconvert.Encoder(encoder_path).transform(np.zeros((3, 4)))
    with pytest.raises(nnconvert.UsageError, match="not one scan"):
        nnconvert.Encoder(encoder_path).transform("scan.nii.gz")


@pytest.mark.filterwarnings("ignore:Can't test estimator")
def test_scikit_learns_own_checks(encoder_path):
    """check_estimator ends after its first check for what takes no table of numbers; so do those that feed none."""
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    checks.check_estimator(nnconvert.Encoder(encoder_path))
    for name in (
        "check_no_attributes_set_in_init", "check_get_params_invariance", "check_set_params", "check_estimator_repr",
        "check_do_not_raise_errors_in_init_or_set_param", "check_mixin_order", "check_valid_tag_types",
        "check_estimator_get_tags_default_keys", "check_estimator_tags_renamed",
    ):
        # Not every version of scikit-learn has all of them.
        check = getattr(checks, name, None)
        if check is not None:
            check("Encoder", nnconvert.Encoder(encoder_path))
