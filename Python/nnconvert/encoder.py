# SPDX-License-Identifier: Apache-2.0
"""The encoder as a transformer of scikit-learn."""
from __future__ import annotations

import hashlib
import os
import threading
import warnings
from typing import Any, Iterable, List, Optional

import numpy as np

from ._errors import UsageError
from .model import Model
from .scan import PathLike, Scan, Study, is_dicom, is_path

try:
    from sklearn.base import BaseEstimator, TransformerMixin
except ImportError:  # Features can be made without it.

    class BaseEstimator:  # type: ignore[no-redef]
        """Stands for scikit-learn's where that is not installed."""

    class TransformerMixin:  # type: ignore[no-redef]
        """Stands for scikit-learn's where that is not installed."""

_STATISTICS = {
    "mean": ["mean"], "all": ["mean", "max"],
    "nonzero-mean": ["nonzero_mean"], "nonzero-all": ["nonzero_mean", "nonzero_max"],
}


class Encoder(TransformerMixin, BaseEstimator):
    """Scans to pooled features ``[cases, features]``; nothing is learned.

    ``path`` is a .swt file. ``pooling`` is ``"mean"`` of the last stage, or ``"all"``: mean and max of every stage;
    ``"nonzero-mean"`` and ``"nonzero-all"`` are the same over the scan's nonzero region.
    ``policy``, ``threads``, ``memory_limit`` and ``dicom_convention`` are those of `Model`. ``cache`` names a
    folder that keeps features, so that cross-validation encodes every scan once: by model, pooling, policy and the
    files' content.

    A case is whatever `Model` takes as a scan; paths go into an array of any shape ``[cases]`` or
    ``[cases, channels]``.
    """

    def __init__(
        self, path: PathLike, pooling: str = "mean", policy: Optional[str] = None, threads: int = 0,
        memory_limit: int = 0, cache: Optional[PathLike] = None, dicom_convention: Optional[str] = None,
    ) -> None:
        self.path = path
        self.pooling = pooling
        self.policy = policy
        self.threads = threads
        self.memory_limit = memory_limit
        self.cache = cache
        self.dicom_convention = dicom_convention

    def fit(self, X: Any = None, y: Any = None) -> "Encoder":
        """Opens the model."""
        if self.pooling not in tuple(_STATISTICS):
            raise UsageError(f"pooling is {self.pooling!r}, none of {', '.join(_STATISTICS)}")
        model = self._open()
        widths = model.info["architecture"]["stages"]
        statistics = _STATISTICS[self.pooling]
        # One statistic is that of the last stage, two are those of every stage.
        stages = range(len(widths)) if len(statistics) > 1 else [len(widths) - 1]
        parts = [(stage, statistic) for stage in stages for statistic in statistics]
        self.model_id_ = model.model_id
        self.policy_ = model.policy
        self._fitted = self._identity(model)
        #: What a head on these features is told to read; None for the mean of the last stage.
        self.pooling_ = None if self.pooling == "mean" else [f"{stage}:{statistic}" for stage, statistic in parts]
        self._names = [
            f"stage{stage}_{statistic}_{channel}"
            for stage, statistic in parts for channel in range(widths[stage]["features"])]
        self.n_features_out_ = len(self._names)
        return self

    def transform(self, X: Iterable[Any]) -> np.ndarray:
        """Features of cases; warnings of scans are Python's."""
        model = self._fitted_model()
        scans = _cases(X)
        if self.cache is not None:
            os.makedirs(os.fspath(self.cache), exist_ok=True)
        rows: List[Optional[np.ndarray]] = [self._cached(scan) for scan in scans]
        missing = [index for index, row in enumerate(rows) if row is None]
        made = model.features_each([scans[index] for index in missing], pooling=self.pooling)
        for index, features in zip(missing, made):
            for text in features.warnings:
                warnings.warn(text, stacklevel=2)
            rows[index] = features.values
            self._keep(scans[index], features.values)
        return np.stack(rows) if rows else np.empty((0, self.n_features_out_), np.float32)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """``stage5_mean_0`` and so on."""
        self._fitted_model()
        return np.array(self._names, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags

    def __getstate__(self) -> Any:
        # A model is opened again where it is needed.
        state = dict(super().__getstate__() if hasattr(super(), "__getstate__") else self.__dict__)
        state.pop("_model", None)
        return state

    def _open(self) -> Model:
        settings = (os.fspath(self.path), self.policy, self.threads, self.memory_limit, self.dicom_convention)
        opened = self.__dict__.get("_model")
        if opened is None or opened[0] != settings:
            model = Model(
                self.path, policy=self.policy, threads=self.threads, memory_limit=self.memory_limit,
                dicom_convention=self.dicom_convention)
            self._model = opened = (settings, model)
        return opened[1]

    def _fitted_model(self) -> Model:
        """The model, which is the one that was fitted: what learned from its features knows no others."""
        model = self._open()
        if not hasattr(self, "_fitted"):
            self.fit()
        if self._fitted != self._identity(model):
            raise UsageError(
                "the encoder was fitted with another model, policy or pooling than it has now: fit it again, and what"
                " learned from its features")
        return model

    def _identity(self, model: Model) -> Any:
        return model.model_id, model.policy, self.pooling

    # --- Features that are kept

    def _place(self, scan: Any) -> Optional[str]:
        if self.cache is None:
            return None
        digest = hashlib.sha256(f"{self.model_id_} {self.policy_} {self.pooling}".encode())
        if isinstance(scan, Scan):
            digest.update(repr((np.shape(scan.array), scan.spacing, scan.affine)).encode())
            digest.update(np.ascontiguousarray(scan.array, np.float32))
        else:
            study = scan if isinstance(scan, Study) else Study(scan) if is_path(scan) and is_dicom(scan) else None
            if study is not None:
                digest.update(repr((study.series, study.convention or self.dicom_convention)).encode())
            files = _files(study.folder) if study is not None else [scan] if is_path(scan) else scan
            if not isinstance(files, (list, tuple)):
                return None
            if not all(is_path(file) and os.path.isfile(file) for file in files):
                return None
            for file in files:
                with open(file, "rb") as content:
                    inner = hashlib.sha256()
                    for block in iter(lambda: content.read(1 << 20), b""):
                        inner.update(block)
                    digest.update(inner.digest())
        return os.path.join(os.fspath(self.cache), digest.hexdigest() + ".npy")

    def _cached(self, scan: Any) -> Optional[np.ndarray]:
        place = self._place(scan)
        if place is None or not os.path.exists(place):
            return None
        try:
            row = np.load(place)
        except (EOFError, OSError, ValueError):
            return None  # Damaged: it is made again.
        return row if row.shape == (self.n_features_out_,) and row.dtype == np.float32 else None

    def _keep(self, scan: Any, values: np.ndarray) -> None:
        place = self._place(scan)
        if place is None:
            return
        # As everybody's files, unlike those of tempfile: a cache may be a group's.
        unfinished = f"{place}.{os.getpid()}.{threading.get_ident()}"
        with open(unfinished, "wb") as file:
            np.save(file, values)
        os.replace(unfinished, place)


def _files(folder: PathLike) -> List[str]:
    """All files in a folder and those in it, in an order that does not change."""
    if not os.path.isdir(folder):
        return [os.fspath(folder)]
    return [os.path.join(place, name) for place, _, names in sorted(os.walk(folder)) for name in sorted(names)]


def _cases(X: Iterable[Any]) -> List[Any]:
    """The cases of a list, an array or a column of a table."""
    if is_path(X) or isinstance(X, (Scan, Study)):
        raise UsageError("transform takes a list of scans, not one scan")
    if hasattr(X, "to_numpy"):
        X = X.to_numpy()
    if isinstance(X, np.ndarray):
        if X.dtype.kind not in "OUS":
            raise UsageError(f"X is an array of {X.dtype}, not of paths or scans: give nnconvert.Scan(array, spacing)")
        return [list(row) if isinstance(row, np.ndarray) and row.dtype.kind in "OU" else row for row in X]
    return list(X)
