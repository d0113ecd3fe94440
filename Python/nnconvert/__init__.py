# SPDX-License-Identifier: Apache-2.0
"""nnU-Net encoders and classifiers from .swt files: converted once, then run on scans and arrays.

    nnconvert.convert("fold_0/checkpoint_final.pth", "model.swt", head="head.pth")
    result = nnconvert.Model("model.swt").classify("case_0000.nii.gz")
    result.probabilities

Arrays are ``[z, y, x]`` and spacing is in mm in the same order, as SimpleITK's ``GetArrayFromImage`` and
nnU-Net have them.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._conversion import Conversion, attach, convert, inspect
from ._errors import (
    BadInputError,
    BusyError,
    CannotCreateError,
    CannotOpenError,
    Error,
    InputOutputError,
    InternalError,
    OutOfMemoryError,
    UsageError,
)
from ._library import version as _version
from .model import Model
from .results import Classification, Features, Prepared, Segmentation
from .scan import Scan, Study

if TYPE_CHECKING:
    from .encoder import Encoder

__version__ = _version()


def __getattr__(name: str) -> Any:
    # scikit-learn takes longer to import than all the rest: it comes where it is used.
    if name == "Encoder":
        from .encoder import Encoder

        return Encoder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "BadInputError", "BusyError", "CannotCreateError", "CannotOpenError", "Classification", "Conversion",
    "Encoder", "Error", "Features", "InputOutputError", "InternalError", "Model", "OutOfMemoryError",
    "Prepared", "Scan", "Segmentation", "Study", "UsageError", "attach", "convert", "inspect",
]
