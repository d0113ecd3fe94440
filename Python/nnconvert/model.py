# SPDX-License-Identifier: Apache-2.0
"""Models on scans."""
from __future__ import annotations

import json
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from ctypes import POINTER, byref, c_double, c_float, c_int32, c_int64, c_void_p
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from . import _errors, _library
from .results import Classification, Features, Prepared, Segmentation
from .scan import PathLike, Scan, Study, is_dicom, is_path, volumes

ProgressFunction = Callable[[int, int], None]


class Model:
    """A .swt file, mapped and ready to run; may be used by several threads at once.

    ``policy`` is how the network sees a scan, ``"whole"``, ``"sliding-window"`` or ``"center-crop"``: by default as the
    model was converted. ``threads`` 0 is as many as the process may use, ``memory_limit`` in bytes, 0 what the machine
    has left. ``dicom_convention`` says for models that do not what made the training scans from DICOM.

    A ``scan`` is a path (a NIfTI file, or a folder of one DICOM study), one path per channel, a `Study`, a `Scan`, an
    array with ``spacing`` or ``affine``, or an image of nibabel or SimpleITK. ``series`` and ``convention`` are those
    of a `Study`, for a folder that is given as a path.
    """

    def __init__(
        self, path: PathLike, *, policy: Optional[str] = None, threads: int = 0, memory_limit: int = 0,
        dicom_convention: Optional[str] = None,
    ) -> None:
        self.path = os.fspath(path)
        self._settings = dict(
            policy=policy, threads=threads, memory_limit=memory_limit, dicom_convention=dicom_convention)
        self._handle = _library.Handle("model")
        _library.call("swt_model_open", _library.text(path), self._handle.place)
        #: What the file says of the model: architecture, preprocessing, labels, provenance.
        self.info: Dict[str, Any] = json.loads(_library.library.swt_model_description(self._handle.value))
        self._lock = threading.Lock()
        self._idle: Dict[Tuple[Any, ...], List[_library.Handle]] = {}

    def __reduce__(self) -> Any:
        return _reopen, (self.path, self._settings)

    def __repr__(self) -> str:
        return f"Model({self.path!r})"

    @property
    def model_id(self) -> str:
        """SHA-256 that names the model."""
        return self.info["model_id"]

    @property
    def class_names(self) -> List[str]:
        """The classes; empty without a classifier."""
        return list((self.info.get("classifier") or {}).get("class_names", []))

    @property
    def policy(self) -> str:
        """How the network sees a scan."""
        return self._settings["policy"] or self.info["input_policy"]

    # --- One case

    def classify(
        self, scan: Any, *, spacing: Optional[Sequence[float]] = None, affine: Any = None, series: Any = None,
        convention: Optional[str] = None, maps: bool = False, progress: Optional[ProgressFunction] = None,
    ) -> Classification:
        """Classifies a case; with ``maps`` also tells where in the scan the logits come from.

        ``progress(done, count)`` is told of windows; what it raises, Ctrl-C among it, ends the call.
        """
        with self._pipeline(maps=maps) as pipeline:
            case = self._read(pipeline, _placed(scan, spacing, affine, series, convention))
            return self._classify(pipeline, case, maps, progress)

    def features(
        self, scan: Any, *, stage: Optional[int] = None, pooling: Optional[str] = None,
        spacing: Optional[Sequence[float]] = None, affine: Any = None, series: Any = None,
        convention: Optional[str] = None, progress: Optional[ProgressFunction] = None,
    ) -> Features:
        """Pooled features, or those of a stage (0 has the highest resolution, -1 is the last).

        ``pooling`` is ``"mean"`` of the last stage, or ``"all"``: mean and max of every stage; ``"nonzero-mean"`` and
        ``"nonzero-all"`` are the same over the scan's nonzero region. By default what the model's classifier reads.
        """
        if stage is not None and stage < 0:
            stage += len(self.info["architecture"]["stages"])
        with self._pipeline(pooling=pooling, stage=stage) as pipeline:
            case = self._read(pipeline, _placed(scan, spacing, affine, series, convention))
            return self._features(pipeline, case, stage, progress)

    def segment(
        self, scan: Any, *, mirroring: bool = True, step_size: float = 0.5,
        spacing: Optional[Sequence[float]] = None, affine: Any = None, series: Any = None,
        convention: Optional[str] = None, progress: Optional[ProgressFunction] = None,
    ) -> Segmentation:
        """Segments a case as nnUNetv2_predict does; for models converted with ``part="network"``."""
        with self._pipeline() as pipeline:
            case = self._read(pipeline, _placed(scan, spacing, affine, series, convention))
        told = _library.Progress(progress)
        options = _library.SegmentOptions(
            no_mirroring=not mirroring, threads=self._settings["threads"], step_size=step_size,
            memory_limit=self._settings["memory_limit"], progress=told.callback)
        shape = case.info["scan_shape"]
        labels = _library.array(
            int(np.prod(shape)), lambda values, count: told.run(
                "swt_case_segment", self._handle.value, case.handle.value, byref(options), values, count), np.uint16)
        names = {label["name"]: label["values"] for label in _labels(self.info)}
        return Segmentation(labels.reshape(shape), names, case.affine, case.info["warnings"])

    def preprocess(
        self, scan: Any, *, spacing: Optional[Sequence[float]] = None, affine: Any = None, series: Any = None,
        convention: Optional[str] = None,
    ) -> Prepared:
        """What the network is shown, before the policy cuts or pads it."""
        with self._pipeline() as pipeline:
            case = self._read(pipeline, _placed(scan, spacing, affine, series, convention))
        info = case.info
        array = _library.array(
            int(np.prod(info["shape"])),
            lambda values, count: _library.call("swt_case_preprocess", case.handle.value, values, count))
        return Prepared(
            array.reshape(info["shape"]), info["spacing"], info["original_shape"], info["original_spacing"],
            info["crop_box"], info["warnings"])

    # --- Many cases

    def classify_each(
        self, scans: Iterable[Any], *, maps: bool = False, errors: str = "raise",
    ) -> "Iterator[Classification]":
        """Classifies cases one after the other; the next is read while the network runs.

        With ``errors="return"`` a bad case gives its exception in place of a result, and the others go on.
        """
        return self._each(
            scans, errors, dict(maps=maps), lambda pipeline, case: self._classify(pipeline, case, maps, None))

    def features_each(
        self, scans: Iterable[Any], *, pooling: Optional[str] = None, errors: str = "raise",
    ) -> "Iterator[Features]":
        """Pooled features of cases, likewise."""
        return self._each(
            scans, errors, dict(pooling=pooling), lambda pipeline, case: self._features(pipeline, case, None, None))

    def _each(
        self, scans: Iterable[Any], errors: str, wanted: Dict[str, Any],
        run: "Callable[[_library.Handle, _Case], Any]",
    ) -> Iterator[Any]:
        if errors not in ("raise", "return"):
            raise _errors.UsageError(f"errors is {errors!r}, neither 'raise' nor 'return'")
        if is_path(scans) or isinstance(scans, (Scan, Study)):
            raise _errors.UsageError("give a list of scans, not one scan")
        return self._each_of(iter(scans), errors == "return", wanted, run)

    def _each_of(
        self, scans: Iterator[Any], returns_errors: bool, wanted: Dict[str, Any],
        run: "Callable[[_library.Handle, _Case], Any]",
    ) -> Iterator[Any]:
        with self._pipeline(**wanted) as pipeline, ThreadPoolExecutor(1) as ahead:
            reading, end = _next(ahead, self._read, pipeline, scans)
            while reading is not None:
                problem: Optional[Exception] = None
                try:
                    case = reading.result()
                except Exception as found:
                    problem = found
                reading, end = _next(ahead, self._read, pipeline, scans)
                if problem is None:
                    try:
                        result = run(pipeline, case)
                    except Exception as found:
                        problem = found
                if problem is not None and not returns_errors:
                    raise problem
                yield result if problem is None else problem
            if end is not None:
                raise end

    # --- Steps

    @contextmanager
    def _pipeline(
        self, *, pooling: Optional[str] = None, stage: Optional[int] = None, maps: bool = False,
    ) -> "Iterator[_library.Handle]":
        """Lends a pipeline, which serves one thread at a time, and keeps its buffers for the next."""
        key = (pooling, stage, maps)
        with self._lock:
            idle = self._idle.setdefault(key, [])
            pipeline = idle.pop() if idle else None
        pipeline = pipeline or self._make(*key)
        yield pipeline
        with self._lock:
            self._idle[key].append(pipeline)

    def _make(self, pooling: Optional[str], stage: Optional[int], maps: bool) -> _library.Handle:
        policy = self._settings["policy"]
        stages = (c_int32 * 1)(stage or 0)
        options = _library.PipelineOptions(
            policy=policy and policy.encode(), pooling=pooling and pooling.encode(), stages=stages,
            stage_count=0 if stage is None else 1, memory_limit=self._settings["memory_limit"],
            threads=self._settings["threads"], maps=maps)
        pipeline = _library.Handle("pipeline")
        _library.call("swt_pipeline_create_with", self._handle.value, byref(options), pipeline.place)
        return pipeline

    def _read(self, pipeline: _library.Handle, scan: Any) -> "_Case":
        case = _library.Handle("case")
        files = [scan] if is_path(scan) else scan if _are_paths(scan) else None
        if files is not None and any(is_dicom(file) for file in files):
            if len(files) > 1:
                raise _errors.UsageError("several folders or DICOM files: give the study that holds them, and series")
            scan = Study(files[0])
        if isinstance(scan, Study):
            names = scan.names([channel["name"] for channel in self.info["preprocessing"]["channels"]])
            convention = scan.convention or self._settings["dicom_convention"]
            _library.call(
                "swt_case_read_dicom", pipeline.value, _library.text(scan.folder),
                _library.texts(names) if names else None, len(names), convention and convention.encode(), case.place)
        elif files is not None:
            _library.call(
                "swt_case_read_files", pipeline.value, _library.texts(list(files)), len(files), case.place)
        else:
            channels, spacing, affine = volumes(scan)
            pointer = POINTER(c_float)
            pointers = (pointer * len(channels))(*[channel.ctypes.data_as(pointer) for channel in channels])
            if any(channel.shape != channels[0].shape for channel in channels):
                raise _errors.UsageError(f"channels differ in shape: {[channel.shape for channel in channels]}")
            rows = None if affine is None else (c_double * 12)(*affine[:3].ravel())
            _library.call(
                "swt_case_read_volumes", pipeline.value, pointers, len(channels),
                (c_int64 * 3)(*channels[0].shape), (c_double * 3)(*spacing), rows, case.place)
        return _Case(case)

    def _run(self, pipeline: _library.Handle, case: "_Case", progress: Optional[ProgressFunction]) -> None:
        told = _library.Progress(progress)
        told.run("swt_case_run", pipeline.value, case.handle.value, told.callback, None)

    def _classify(
        self, pipeline: _library.Handle, case: "_Case", maps: bool, progress: Optional[ProgressFunction],
    ) -> Classification:
        names = self.class_names
        if not names:
            raise _errors.UsageError("the model has no classifier — convert with head, or use attach")
        self._run(pipeline, case, progress)
        logits = case.array("swt_case_logits", len(names))
        probabilities = case.array("swt_case_probabilities", len(names), np.float64)
        distance, is_foreign = None, None
        if "out_of_distribution" in self.info["classifier"]:
            found, flag = c_double(), c_int32()
            _library.call("swt_case_distance", case.handle.value, byref(found), byref(flag))
            distance, is_foreign = found.value, bool(flag.value)
        made: Optional[Dict[str, np.ndarray]] = None
        if maps:
            shape = case.info["scan_shape"]
            made = {
                name: case.array("swt_case_map", int(np.prod(shape)), np.float32, index).reshape(shape)
                for index, name in enumerate(names)
            }
        return Classification(
            logits, probabilities, names, case.info["warnings"], distance, is_foreign, made, case.affine)

    def _features(
        self, pipeline: _library.Handle, case: "_Case", stage: Optional[int], progress: Optional[ProgressFunction],
    ) -> Features:
        self._run(pipeline, case, progress)
        if stage is None:
            count = _library.library.swt_pipeline_pooled_count(pipeline.value)
            return Features(case.array("swt_case_pooled", count), case.info["warnings"])
        rank = self.info["architecture"]["dimension"] + 1
        shape = (c_int64 * rank)()
        _library.call("swt_pipeline_stage_shape", pipeline.value, stage, shape, rank)
        values = _library.array(
            int(np.prod(shape)),
            lambda values, count: _library.call("swt_pipeline_stage", pipeline.value, stage, values, count))
        return Features(values.reshape(tuple(shape)), case.info["warnings"])


class _Case:
    """A case that has been read."""

    def __init__(self, handle: _library.Handle) -> None:
        self.handle = handle
        self.info: Dict[str, Any] = json.loads(_library.library.swt_case_description(handle.value))

    @property
    def affine(self) -> np.ndarray:
        return np.vstack([np.asarray(self.info["affine"], np.float64), [0, 0, 0, 1]])

    def array(self, name: str, count: int, kind: Any = np.float32, *arguments: Any) -> np.ndarray:
        return _library.array(
            count, lambda values, count: _library.call(name, self.handle.value, *arguments, values, count), kind)


def _reopen(path: str, settings: Dict[str, Any]) -> Model:
    return Model(path, **settings)


def _placed(
    scan: Any, spacing: Optional[Sequence[float]], affine: Any, series: Any = None, convention: Optional[str] = None,
) -> Any:
    """A scan with what was told beside it."""
    if series is not None or convention is not None:
        if not is_path(scan) or spacing is not None or affine is not None:
            raise _errors.UsageError("series and convention go with a folder of DICOM files")
        return Study(scan, series, convention)
    if spacing is None and affine is None:
        return scan
    if not isinstance(scan, np.ndarray):
        raise _errors.UsageError("spacing and affine go with an array; files and images have their own")
    return Scan(scan, spacing, affine)


def _are_paths(scan: Any) -> bool:
    return isinstance(scan, (list, tuple)) and len(scan) > 0 and all(is_path(part) for part in scan)


def _labels(info: Dict[str, Any]) -> List[Dict[str, Any]]:
    labels = info.get("labels") or []
    return labels if isinstance(labels, list) else labels.get("labels", [])


def _next(
    ahead: ThreadPoolExecutor, read: Callable[..., Any], pipeline: Any, following: Iterator[Any],
) -> "Tuple[Optional[Future[Any]], Optional[Exception]]":
    """Begins to read the next case; None after the last, with what the iterator itself raised."""
    try:
        return ahead.submit(read, pipeline, next(following)), None
    except StopIteration:
        return None, None
    except Exception as problem:
        return None, problem
