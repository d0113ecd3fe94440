# SPDX-License-Identifier: Apache-2.0
"""Models on scans: PyTorch's and nnU-Net's numbers, whatever a scan is given as."""
import json
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import nnconvert
import numpy as np
import pytest
from nnconvert import _commands
from conftest import EXAMPLE


def assert_close(found, expected):
    expected = np.asarray(expected, np.float64).ravel()
    found = np.asarray(found, np.float64).ravel()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


@pytest.fixture(scope="session")
def logits():
    return np.load(EXAMPLE / "expected/brain_t1.logits.npy")


@pytest.fixture(scope="session")
def voxels(scan):
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.load(scan)
    return np.asarray(image.dataobj).transpose(2, 1, 0), image.header.get_zooms()[::-1], image.affine


def test_a_file_gives_pytorchs_logits(model, scan, logits):
    result = model.classify(scan)
    assert_close(result.logits, logits)
    assert result.class_names == ["class0", "class1"] and result.class_name == "class0"
    weights = np.exp(np.float64(result.logits) - result.logits.max())
    np.testing.assert_allclose(result.probabilities, weights / weights.sum(), rtol=1e-9)
    assert result.warnings == []


@pytest.mark.parametrize("kind", ["str", "list", "nibabel", "SimpleITK", "array", "affine", "Scan", "channels"])
def test_a_scan_may_be_many_things(model, scan, logits, voxels, kind):
    array, spacing, affine = voxels
    given, more = scan, {}
    if kind == "str":
        given = str(scan)
    elif kind == "list":
        given = [scan]
    elif kind == "nibabel":
        given = pytest.importorskip("nibabel").load(scan)
    elif kind == "SimpleITK":
        given = pytest.importorskip("SimpleITK").ReadImage(str(scan))
    elif kind == "array":
        # Neither float32 nor contiguous.
        given, more = array.astype(np.float64)[::1, ::1, ::1].copy(order="F"), dict(spacing=spacing)
    elif kind == "affine":
        given, more = array, dict(affine=affine)
    elif kind == "Scan":
        given = nnconvert.Scan(array, spacing)
    elif kind == "channels":
        given = nnconvert.Scan(array[np.newaxis], affine=affine)
    assert_close(model.classify(given, **more).logits, logits)


def test_features_are_nnunets(model, scan):
    pooled = model.features(scan)
    stage = model.features(scan, stage=-1)
    assert stage.values.shape == (64, 10, 12, 10)
    assert_close(pooled.values, stage.values.mean(axis=(1, 2, 3), dtype=np.float64))
    everything = model.features(scan, pooling="all").values
    assert everything.shape == (2 * (8 + 16 + 32 + 64),)
    assert_close(everything[-128:-64], pooled)
    assert_close(everything[-64:], stage.values.max(axis=(1, 2, 3)))


def test_preprocessing_is_nnunets(model, scan):
    prepared = model.preprocess(scan)
    assert prepared.array.shape == (1, 75, 94, 80) and prepared.spacing == [2, 2, 2]
    assert prepared.original_shape == [63, 116, 78]
    assert prepared.crop_box == [[1, 51], [13, 107], [9, 73]] and prepared.array.dtype == np.float32
    # Normalised before it was resampled.
    assert abs(prepared.array.mean()) < 1e-3 and 0.5 < prepared.array.std() < 1.1


def tensors(path):
    """What a safetensors file holds."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    return {
        name: np.frombuffer(content[slice(*[start + offset for offset in entry["data_offsets"]])], "<f4").reshape(
            entry["shape"])
        for name, entry in json.loads(content[8:start]).items() if name != "__metadata__"
    }


@pytest.fixture(scope="session")
def head(classifier_path, models):
    path = models / "classifier.safetensors"
    subprocess.run([_commands.path("nnconvert"), "export", classifier_path, "-o", str(path), "--quiet"], check=True)
    found = tensors(path)
    return found["classifier.weight"].astype(np.float64), found["classifier.bias"].astype(np.float64)


@pytest.mark.parametrize("policy", ["whole", "sliding-window", "center-crop"])
def test_maps_add_up_to_the_logits(classifier_path, scan, head, policy):
    weight, bias = head
    model = nnconvert.Model(classifier_path, policy=policy)
    result = model.classify(scan, maps=True)
    pooled = weight @ model.features(scan).values
    for index, name in enumerate(result.class_names):
        found = result.maps[name]
        assert found.shape == (63, 116, 78) and result.affine.shape == (4, 4) and np.isfinite(found).all()
        part = found.mean(dtype=np.float64)
        scale = np.abs(pooled).max()
        assert abs(part - pooled[index]) <= 1e-4 * scale
        assert abs(part + bias[index] - result.logits[index]) <= 1e-4 * scale


def linear(values, axis, count):
    """Interpolates along an axis between the centres of cells."""
    places = (np.arange(count) + 0.5) * values.shape[axis] / count - 0.5
    return np.apply_along_axis(lambda line: np.interp(places, np.arange(len(line)), line), axis, values)


def test_a_map_is_the_heads_row_times_the_last_stage(model, scan, head):
    stage = model.features(scan, stage=-1).values
    info = model.preprocess(scan)
    result = model.classify(scan, maps=True)
    found = result.maps["class1"]
    expected = np.tensordot(head[0][1], stage, 1).astype(np.float64)
    # Linear from the stage's cells to the window's voxels; cut to the image, which padding surrounds; linear to the box.
    for axis, (size, (first, last), window) in enumerate(zip(info.array.shape[1:], info.crop_box, (80, 96, 80))):
        expected = linear(expected, axis, window)
        before = (window - size) // 2
        expected = linear(np.take(expected, range(before, before + size), axis), axis, last - first)
    box = tuple(slice(first, last) for first, last in info.crop_box)
    inside = found[box] * (found[box].size / found.size)
    # Every voxel has its part of the window's; what lies in the padding is spread evenly.
    expected *= info.array[0].size / (80 * 96 * 80)
    expected += inside.mean() - expected.mean()
    assert np.abs(inside - expected).max() <= 1e-4 * np.abs(expected).max()
    outside = found.copy()
    outside[box] = 0
    assert not outside.any()


def test_a_segmentation_lies_on_the_scans_grid(checkpoint, models, scan, voxels):
    network = nnconvert.Model(nnconvert.convert(checkpoint, models / "network.swt", part="network").output)
    told = []
    result = network.segment(scan, mirroring=False, step_size=1, progress=lambda done, count: told.append((done, count)))
    assert result.labels.shape == (63, 116, 78) and result.labels.dtype == np.uint16
    assert set(np.unique(result.labels)) <= {0, 1, 2, 3} and result.labels.any()
    assert result.label_names["WM"] == [3]
    np.testing.assert_allclose(result.affine, voxels[2])
    assert told[-1][0] == told[-1][1]
    array, spacing, _ = voxels
    again = network.segment(array, spacing=spacing, mirroring=False, step_size=1)
    assert (again.labels == result.labels).all()


def test_many_cases_go_on_after_a_bad_one(model, scan, logits):
    results = list(model.classify_each([scan, "none.nii.gz", scan], errors="return"))
    assert_close(results[0].logits, logits)
    assert isinstance(results[1], nnconvert.CannotOpenError)
    assert_close(results[2].logits, logits)
    with pytest.raises(nnconvert.CannotOpenError, match="none.nii.gz"):
        list(model.classify_each([scan, "none.nii.gz"]))
    assert list(model.classify_each([])) == []


@pytest.mark.parametrize("bad", [
    nnconvert.Scan(np.zeros((0, 3, 3, 3)), (1, 1, 1)), nnconvert.Scan(np.zeros((3, 3, 3)), ("a", 1, 1)), "a\0b.nii",
    "\udcff.nii", object()])
def test_whatever_is_wrong_with_a_scan_the_others_go_on(model, scan, logits, bad):
    results = list(model.classify_each([bad, scan], errors="return"))
    assert isinstance(results[0], Exception)
    assert_close(results[1].logits, logits)


def test_what_an_iterable_raises_comes_after_the_scans_before_it(model, scan, logits):
    def scans(problem):
        yield scan
        raise problem

    for problem in (RuntimeError("theirs"), nnconvert.UsageError("theirs")):
        results = model.classify_each(scans(problem), errors="return")
        assert_close(next(results).logits, logits)
        with pytest.raises(type(problem), match="theirs"):
            next(results)


def test_one_scan_is_no_list(model, scan):
    with pytest.raises(nnconvert.UsageError, match="not one scan"):
        model.classify_each(scan)
    with pytest.raises(nnconvert.UsageError, match="neither"):
        model.features_each([scan], errors="ignore")


def test_an_array_of_features_is_a_copy(model, scan):
    features = model.features(scan)
    assert not np.shares_memory(np.array(features), features.values)
    assert np.shares_memory(np.asarray(features), features.values)
    assert np.asarray(features, np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="without a copy"):
        features.__array__(np.float64, copy=False)


def test_threads_share_a_model(model, scan, logits):
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: model.classify(scan), range(8)):
            assert_close(result.logits, logits)


def test_other_threads_run_during_a_call(classifier_path, voxels):
    counted = 0
    done = threading.Event()

    def count():
        nonlocal counted
        while not done.is_set():
            counted += 1

    thread = threading.Thread(target=count)
    thread.start()
    nnconvert.Model(classifier_path, threads=1).classify(voxels[0], spacing=(1.0, 1.0, 1.0))
    done.set()
    thread.join()
    assert counted > 1000


def test_what_progress_raises_ends_the_call(model, scan, logits):
    class Stop(Exception):
        pass

    def stop(done, count):
        raise Stop

    with pytest.raises(Stop):
        model.classify(scan, progress=stop)
    assert_close(model.classify(scan).logits, logits)


def test_ctrl_c_ends_a_long_call(classifier_path):
    code = textwrap.dedent("""
        import sys, time, nnconvert, numpy
        model = nnconvert.Model(sys.argv[1], threads=1)
        start = time.time()
        print("go", flush=True)
        try:
            model.classify(numpy.random.rand(320, 320, 320).astype("f4"), spacing=(2., 2., 2.))
        except KeyboardInterrupt:
            print("stopped", flush=True)
        """)
    process = subprocess.Popen(
        [sys.executable, "-c", code, classifier_path], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "go\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=120)[0] == "stopped\n"


def test_a_model_is_pickled_by_its_path(model, scan, logits):
    assert_close(pickle.loads(pickle.dumps(model)).classify(scan).logits, logits)


@pytest.mark.parametrize("kind, scan, options, text", [
    (nnconvert.CannotOpenError, "none.nii.gz", {}, "cannot open 'none.nii.gz'"),
    (nnconvert.UsageError, np.zeros((3, 3, 3)), {}, "no spacing"),
    (nnconvert.UsageError, np.zeros((3, 3)), {"spacing": (1, 1, 1)}, "neither"),
    (nnconvert.UsageError, np.zeros((3, 3, 3)), {"spacing": (1, 1)}, "three numbers"),
    (nnconvert.BadInputError, np.zeros((3, 3, 3)), {"spacing": (1, 0, 1)}, "positive"),
    (nnconvert.BadInputError, np.full((3, 3, 3), np.nan), {"spacing": (1, 1, 1)}, "not finite"),
    (nnconvert.BadInputError, np.zeros((2, 3, 3, 3)), {"spacing": (1, 1, 1)}, "2 channels"),
    (nnconvert.UsageError, 7, {}, "int is no scan"),
    (nnconvert.UsageError, "scan.nii.gz", {"spacing": (1, 1, 1)}, "go with an array"),
])
def test_errors_are_exceptions_of_their_kind(model, kind, scan, options, text):
    with pytest.raises(kind, match=text):
        model.classify(scan, **options)


def test_kinds_are_pythons_own(classifier_path, encoder_path, checkpoint, scan):
    with pytest.raises(OSError):
        nnconvert.Model("none.swt")
    with pytest.raises(ValueError, match="convert it with nnconvert"):
        nnconvert.Model(checkpoint)
    with pytest.raises(MemoryError, match="memory"):
        nnconvert.Model(classifier_path, memory_limit=50_000_000).classify(scan)
    with pytest.raises(nnconvert.UsageError, match="no classifier"):
        nnconvert.Model(encoder_path).classify(scan)
    with pytest.raises(nnconvert.UsageError, match="no decoder"):
        nnconvert.Model(classifier_path).segment(scan)
    with pytest.raises(nnconvert.UsageError, match="no stage 9"):
        nnconvert.Model(classifier_path).features(scan, stage=9)
    with pytest.raises(nnconvert.UsageError, match="policy"):
        nnconvert.Model(classifier_path, policy="half").classify(scan)


def test_a_constant_scan_is_warned_of(model):
    result = model.classify(np.ones((20, 20, 20)), spacing=(2, 2, 2))
    assert any("constant" in text for text in result.warnings)
