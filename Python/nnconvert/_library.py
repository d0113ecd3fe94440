# SPDX-License-Identifier: Apache-2.0
"""libswt through ctypes, which lets go of Python's lock during every call."""
from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, Structure, byref, c_char, c_char_p, c_double, c_float, c_int, c_int32, c_int64
from ctypes import c_size_t, c_uint16, c_uint64, c_void_p
from typing import Any, Callable, Optional

import numpy as np

from . import _errors

_FOLDER = os.path.dirname(os.path.abspath(__file__))

OK, CANCELLED = 0, 76


class _Error(Structure):
    _fields_ = [("message", c_char * 512)]


class PipelineOptions(Structure):
    """``swt_pipeline_options``."""

    _fields_ = [
        ("policy", c_char_p), ("pooling", c_char_p), ("stages", POINTER(c_int32)), ("stage_count", c_size_t),
        ("memory_limit", c_uint64), ("threads", c_int32), ("maps", c_int32),
    ]


ProgressFunction = ctypes.CFUNCTYPE(c_int, c_void_p, c_size_t, c_size_t)


class SegmentOptions(Structure):
    """``swt_segment_options``."""

    _fields_ = [
        ("no_mirroring", c_int32), ("threads", c_int32), ("step_size", c_double), ("memory_limit", c_uint64),
        ("previous", POINTER(c_uint16)), ("progress", ProgressFunction), ("context", c_void_p),
    ]


_texts, _floats, _doubles, _sizes = POINTER(c_char_p), POINTER(c_float), POINTER(c_double), POINTER(c_int64)
_handle = POINTER(c_void_p)
_FUNCTIONS = {
    "swt_model_open": [c_char_p, _handle],
    "swt_pipeline_create_with": [c_void_p, POINTER(PipelineOptions), _handle],
    "swt_pipeline_stage_shape": [c_void_p, c_int32, _sizes, c_size_t],
    "swt_pipeline_stage": [c_void_p, c_int32, _floats, c_size_t],
    "swt_case_read_files": [c_void_p, _texts, c_size_t, _handle],
    "swt_case_read_dicom": [c_void_p, c_char_p, _texts, c_size_t, c_char_p, _handle],
    "swt_case_read_volumes": [
        c_void_p, POINTER(_floats), c_size_t, _sizes, _doubles, _doubles, _handle],
    "swt_case_preprocess": [c_void_p, _floats, c_size_t],
    "swt_case_run": [c_void_p, c_void_p, ProgressFunction, c_void_p],
    "swt_case_pooled": [c_void_p, _floats, c_size_t],
    "swt_case_logits": [c_void_p, _floats, c_size_t],
    "swt_case_probabilities": [c_void_p, _doubles, c_size_t],
    "swt_case_distance": [c_void_p, _doubles, POINTER(c_int32)],
    "swt_case_map": [c_void_p, c_size_t, _floats, c_size_t],
    "swt_case_segment": [c_void_p, c_void_p, POINTER(SegmentOptions), POINTER(c_uint16), c_size_t],
}


def _load() -> ctypes.CDLL:
    # Elsewhere than in the wheel: where somebody who builds the library has it.
    path = os.environ.get("NNCONVERT_LIBSWT") or os.path.join(_FOLDER, "lib", "libswt.so")
    library = ctypes.CDLL(path)
    for name, arguments in _FUNCTIONS.items():
        function = getattr(library, name)
        function.argtypes = [*arguments, POINTER(_Error)]
        function.restype = c_int
    for name in ("swt_model_close", "swt_pipeline_close", "swt_case_close"):
        getattr(library, name).argtypes = [_handle]
    for name in ("swt_version", "swt_model_description", "swt_case_description"):
        getattr(library, name).restype = c_char_p
    library.swt_version.argtypes = []
    library.swt_model_description.argtypes = library.swt_case_description.argtypes = [c_void_p]
    for name in ("swt_model_logit_count", "swt_pipeline_pooled_count"):
        getattr(library, name).argtypes = [c_void_p]
        getattr(library, name).restype = c_size_t
    return library


library = _load()
_process = os.getpid()


def version() -> str:
    """The library's version."""
    return library.swt_version().decode()


def call(name: str, *arguments: Any) -> None:
    """Calls a function; raises what its status stands for."""
    if os.getpid() != _process:
        raise _errors.UsageError(
            "nnconvert was imported before this process was forked, and its threads are not here"
            " — start processes with multiprocessing's 'spawn' or 'forkserver'")
    problem = _Error()
    status = getattr(library, name)(*arguments, byref(problem))
    if status == CANCELLED:
        raise KeyboardInterrupt
    if status != OK:
        raise _errors.error(status, problem.message.decode())


class Handle:
    """A handle that is closed with its object."""

    def __init__(self, kind: str) -> None:
        self._close = getattr(library, f"swt_{kind}_close")
        self.value = c_void_p()

    def __del__(self) -> None:
        if os.getpid() == _process:
            self._close(byref(self.value))

    @property
    def place(self) -> Any:
        """Where a call puts the handle."""
        return byref(self.value)


def text(path: Any) -> bytes:
    """A path or a word for C."""
    return os.fsencode(path)


def texts(items: "list[Any]") -> Any:
    """Texts for C."""
    return (c_char_p * len(items))(*[text(item) for item in items])


def array(count: int, ask: Callable[..., None], kind: Any = np.float32) -> np.ndarray:
    """As many numbers as ``ask(pointer, count)`` writes, straight into numpy's memory."""
    result = np.empty(count, kind)
    element = {np.float32: c_float, np.float64: c_double, np.uint16: c_uint16}[kind]
    ask(result.ctypes.data_as(POINTER(element)), count)
    return result


class Progress:
    """Hands progress to a function; an exception in it, Ctrl-C among them, stops the call and goes on from there."""

    def __init__(self, function: Optional[Callable[[int, int], None]]) -> None:
        self._function = function
        self._raised: Optional[BaseException] = None
        self.callback = ProgressFunction(self._tell)

    def _tell(self, _context: Any, done: int, count: int) -> int:
        # Python delivers signals here, on the main thread.
        try:
            if self._function:
                self._function(done, count)
        except BaseException as raised:  # noqa: B902 – an exception cannot leave through C
            self._raised = raised
            return 1
        return 0

    def run(self, *arguments: Any) -> None:
        """Makes a call that was given `callback`."""
        try:
            call(*arguments)
        except KeyboardInterrupt:
            if self._raised is None:
                raise
        if self._raised is not None:
            raise self._raised
