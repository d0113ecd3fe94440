#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Segments a case through libswt: segment.py libswt.so model.swt channel0.nii.gz [channel1.nii.gz …]

Prints how many voxels every label has. The model was converted with --part network. (The package nnconvert has this as
Model.segment; here is what is behind it.)"""
import ctypes
import sys

import numpy as np

Progress = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)


class Error(ctypes.Structure):
    _fields_ = [("message", ctypes.c_char * 512)]


class Options(ctypes.Structure):
    _fields_ = [("no_mirroring", ctypes.c_int32), ("threads", ctypes.c_int32),
                ("step_size", ctypes.c_double), ("memory_limit", ctypes.c_uint64),
                ("previous", ctypes.c_void_p), ("progress", Progress), ("context", ctypes.c_void_p)]


def segment(library, path, files, mirroring=True):
    """Labels of a case, [z, y, x]."""
    swt, error, model = ctypes.CDLL(library), Error(), ctypes.c_void_p()

    def call(function, *arguments):
        if function(*arguments, ctypes.byref(error)):
            raise RuntimeError(error.message.decode())

    call(swt.swt_model_open, path.encode(), ctypes.byref(model))
    try:
        shape = (ctypes.c_int64 * 3)()
        call(swt.swt_scan_shape, model, files[0].encode(), shape)
        labels = np.zeros(tuple(shape), np.uint16)

        def show(_, done, count):
            print(f"\r{done} of {count}", end="", file=sys.stderr)
            return 0

        options = Options(no_mirroring=not mirroring, progress=Progress(show))
        names = (ctypes.c_char_p * len(files))(*[name.encode() for name in files])
        call(swt.swt_segment, model, names, ctypes.c_size_t(len(files)), ctypes.byref(options),
             labels.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(labels.size))
    finally:
        swt.swt_model_close(ctypes.byref(model))
    print(file=sys.stderr)
    return labels


if __name__ == "__main__":
    labels, counts = np.unique(segment(*sys.argv[1:3], sys.argv[3:], mirroring=False), return_counts=True)
    for label, count in zip(labels, counts):
        if label:
            print(label, count)
