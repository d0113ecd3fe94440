# SPDX-License-Identifier: Apache-2.0
"""What a scan may be: files, arrays, images of nibabel or SimpleITK."""
from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from ._errors import UsageError

PathLike = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Scan:
    """A scan in memory.

    ``array`` is ``[z, y, x]``, or ``[channels, z, y, x]``; ``spacing`` is in mm along z, y and x. ``affine`` maps
    voxels (x, y, z) to mm towards right, anterior and superior, as in a NIfTI file: 4 × 4. With an affine the
    model's reader turns axes where it does so with files, and spacing may be left out.
    """

    array: np.ndarray
    spacing: Optional[Sequence[float]] = None
    affine: Optional[np.ndarray] = None


@dataclass(frozen=True)
class Study:
    """Series of a folder of DICOM files.

    ``series`` names one per channel by its SeriesInstanceUID: one UID, a list in the order of the channels, or a
    dictionary by channel; none where the folder holds one volume and the model takes one channel. ``convention`` says
    what made the training scans from DICOM, ``"as-scanned"``, ``"dcm2niix"`` or ``"dicom2nifti"``: by default what the
    model says.
    """

    folder: PathLike
    series: Union[None, str, Sequence[str], Mapping[str, str]] = None
    convention: Optional[str] = None

    def names(self, channels: Sequence[str]) -> List[str]:
        """The series in the order of the channels."""
        if self.series is None:
            return []
        if isinstance(self.series, str):
            return [self.series]
        if not isinstance(self.series, Mapping):
            return list(self.series)
        if set(self.series) != set(channels):
            raise UsageError(f"series are named for {sorted(self.series)}, but the channels are {list(channels)}")
        return [self.series[channel] for channel in channels]


def is_dicom(path: PathLike) -> bool:
    """Whether a path names a folder, or a DICOM file."""
    if os.path.isdir(path):
        return True
    try:
        with open(path, "rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def is_path(value: Any) -> bool:
    """Whether a value names a file or a folder."""
    return isinstance(value, (str, os.PathLike))


def volumes(scan: Any) -> Tuple[List[np.ndarray], np.ndarray, Optional[np.ndarray]]:
    """Channels ``[z, y, x]`` of float32, spacing and affine of a scan in memory."""
    if isinstance(scan, Scan):
        return _of_array(scan)
    if isinstance(scan, np.ndarray):
        raise UsageError("an array alone has no spacing: give spacing=(z, y, x) in mm, or an affine")
    if isinstance(scan, (list, tuple)) and scan:
        parts = [volumes(part) for part in scan]
        for channels, spacing, affine in parts[1:]:
            if not np.allclose(spacing, parts[0][1]):
                raise UsageError(f"the channels' spacings differ: {parts[0][1]} and {spacing}")
        return [channel for part in parts for channel in part[0]], parts[0][1], parts[0][2]
    if hasattr(scan, "GetSpacing") and hasattr(scan, "GetDirection"):
        return _of_simpleitk(scan)
    if hasattr(scan, "dataobj") and hasattr(scan, "affine"):
        return _of_nibabel(scan)
    raise UsageError(
        f"a {type(scan).__name__} is no scan: give a path, one path per channel, an array with spacing, or an image"
        " of nibabel or SimpleITK")


def _of_array(scan: Scan) -> Tuple[List[np.ndarray], np.ndarray, Optional[np.ndarray]]:
    array = np.asarray(scan.array)
    if array.ndim not in (3, 4):
        raise UsageError(f"an array of shape {array.shape} is neither [z, y, x] nor [channels, z, y, x]")
    affine = None if scan.affine is None else np.asarray(scan.affine, np.float64)
    if affine is not None and affine.shape not in ((4, 4), (3, 4)):
        raise UsageError(f"an affine of shape {affine.shape} is not 4 × 4")
    if scan.spacing is not None:
        spacing = np.asarray(scan.spacing, np.float64)
    elif affine is not None:
        spacing = np.linalg.norm(affine[:3, :3], axis=0)[::-1]
    else:
        raise UsageError("an array alone has no spacing: give spacing=(z, y, x) in mm, or an affine")
    if spacing.shape != (3,):
        raise UsageError(f"spacing {scan.spacing} is not three numbers (z, y, x) in mm")
    channels = array[np.newaxis] if array.ndim == 3 else array
    if not array.size:
        raise UsageError(f"an array of shape {array.shape} holds no voxel")
    # No copy is made of contiguous float32.
    return [np.ascontiguousarray(channel, np.float32) for channel in channels], spacing, affine


def _of_nibabel(image: Any) -> Tuple[List[np.ndarray], np.ndarray, Optional[np.ndarray]]:
    values = np.asanyarray(image.dataobj)
    if values.ndim == 4:
        values = np.moveaxis(values, 3, 0)
    elif values.ndim != 3:
        raise UsageError(f"an image of shape {values.shape} is neither 3-D nor 4-D")
    spacing = [float(size) for size in image.header.get_zooms()[:3]][::-1]
    # nibabel's arrays are [x, y, z].
    axes = (2, 1, 0) if values.ndim == 3 else (0, 3, 2, 1)
    return _of_array(Scan(values.transpose(axes), spacing, np.asarray(image.affine)))


def _of_simpleitk(image: Any) -> Tuple[List[np.ndarray], np.ndarray, Optional[np.ndarray]]:
    import SimpleITK

    if image.GetDimension() != 3:
        raise UsageError(f"an image with {image.GetDimension()} axes is not 3-D")
    values = SimpleITK.GetArrayViewFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        values = np.moveaxis(values, 3, 0)
    spacing = np.asarray(image.GetSpacing(), np.float64)
    # ITK's millimetres run towards left and posterior.
    flip = np.diag([-1.0, -1.0, 1.0])
    affine = np.eye(4)
    affine[:3, :3] = flip @ np.reshape(image.GetDirection(), (3, 3)) @ np.diag(spacing)
    affine[:3, 3] = flip @ np.asarray(image.GetOrigin())
    return _of_array(Scan(values, spacing[::-1], affine))
