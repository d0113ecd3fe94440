# SPDX-License-Identifier: Apache-2.0
"""What models give for a case."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional

import numpy as np


def _array(values: np.ndarray, dtype: Any, copy: Any) -> np.ndarray:
    """What NumPy asks an object for: with ``copy`` True a copy, with False none."""
    if copy is False and dtype is not None and np.dtype(dtype) != values.dtype:
        raise ValueError(f"an array of {values.dtype} cannot be one of {np.dtype(dtype)} without a copy")
    return values.astype(values.dtype if dtype is None else dtype, copy=bool(copy))


@dataclass(frozen=True)
class Classification:
    """What a case was classified as; one entry per class."""

    logits: np.ndarray
    probabilities: np.ndarray
    class_names: List[str]
    warnings: List[str]
    """How far the case lies from those of training, and whether that is too far; None where the model cannot tell."""
    distance: Optional[float] = None
    is_foreign: Optional[bool] = None
    """Per class where its logit comes from, ``[z, y, x]`` on the scan's grid, where asked for; the mean is the logit
    without its bias."""
    maps: Optional[Dict[str, np.ndarray]] = field(default=None, repr=False)
    """Voxels (x, y, z) of the maps to mm towards right, anterior and superior: 4 × 4."""
    affine: Optional[np.ndarray] = field(default=None, repr=False)

    @property
    def class_name(self) -> str:
        """The likeliest class."""
        if len(self.class_names) == 1:
            return self.class_names[0] if self.probabilities[0] >= 0.5 else f"not {self.class_names[0]}"
        return self.class_names[int(np.argmax(self.probabilities))]


@dataclass(frozen=True)
class Features:
    """What the encoder makes of a case: ``[features]``, or of a stage ``[features, z, y, x]``."""

    values: np.ndarray
    warnings: List[str]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return _array(self.values, dtype, copy)


@dataclass(frozen=True)
class Segmentation:
    """Labels ``[z, y, x]`` on the scan's grid; 0 is background."""

    labels: np.ndarray
    label_names: Dict[str, List[int]]
    """Voxels (x, y, z) to mm towards right, anterior and superior: 4 × 4."""
    affine: np.ndarray
    warnings: List[str]


@dataclass(frozen=True)
class Prepared:
    """What nnU-Net's preprocessing makes of a case: ``[channels, z, y, x]``."""

    array: np.ndarray
    spacing: List[float]
    original_shape: List[int]
    original_spacing: List[float]
    crop_box: List[List[int]]
    warnings: List[str]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return _array(self.array, dtype, copy)
