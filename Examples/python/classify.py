#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a model on an array through libswt: classify.py libswt.so model.swt array.npy"""
import ctypes
import json
import sys

import numpy as np

POOLED, LOGITS = 1, 2


class Error(ctypes.Structure):
    _fields_ = [("message", ctypes.c_char * 512)]


class Model:
    def __init__(self, library, path):
        self.swt = ctypes.CDLL(library)
        self.swt.swt_model_description.restype = ctypes.c_char_p
        self.swt.swt_model_logit_count.restype = ctypes.c_size_t
        self.handle = ctypes.c_void_p()
        self.call(self.swt.swt_model_open, path.encode(), ctypes.byref(self.handle))
        self.description = json.loads(self.swt.swt_model_description(self.handle))

    def call(self, function, *arguments):
        error = Error()
        if function(*arguments, ctypes.byref(error)):
            raise RuntimeError(error.message.decode())

    def logits(self, array):
        """Logits of an array [channels, z, y, x], whatever its strides."""
        array = np.asarray(array, np.float32)
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        strides = (ctypes.c_int64 * array.ndim)(*[step // 4 for step in array.strides])
        session, size = ctypes.c_void_p(), ctypes.c_size_t
        self.call(self.swt.swt_session_create, self.handle, shape, size(array.ndim), LOGITS, None,
                  size(0), 0, ctypes.byref(session))
        result = np.empty(self.swt.swt_model_logit_count(self.handle), np.float32)
        pointer = ctypes.POINTER(ctypes.c_float)
        try:
            self.call(self.swt.swt_session_run, session, array.ctypes.data_as(pointer), strides)
            self.call(self.swt.swt_session_logits, session, result.ctypes.data_as(pointer),
                      size(result.size))
        finally:
            self.swt.swt_session_close(ctypes.byref(session))
        return result

    def __del__(self):
        self.swt.swt_model_close(ctypes.byref(self.handle))


if __name__ == "__main__":
    model = Model(sys.argv[1], sys.argv[2])
    array = np.load(sys.argv[3])
    dimension = model.description["architecture"]["dimension"]
    for case in array.reshape(-1, *array.shape[-dimension - 1:]):
        print(*model.logits(case))
