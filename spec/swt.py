#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A second reader of SWT 1.1 files, written from spec/swt.md alone. Needs numpy.

    python3 swt.py FILE            check the file and list its tensors
    python3 swt.py FILE --npz OUT  also write all tensors, row-major float32, to OUT
"""
import hashlib
import json
import math
import struct
import sys

import numpy as np

MAGIC = b"\x89SWT\r\n\x1a\n"
DTYPES = {"f32": 4, "f16": 2, "bf16": 2}
LAYOUTS = ("row-major", "o16-i16")
FOLDS, TRAINED_HEAD, FAMILIES = 1, 2, 4
STATISTICS = ("mean", "max", "nonzero_mean", "nonzero_max")
KNOWN_FAMILIES = ("STUNet", "DynUNet", "Primus")


class SWTError(Exception):
    """The file breaks a rule of the specification."""


def require(condition, message):
    if not condition:
        raise SWTError(message)


def round_up(value, alignment):
    return -(-value // alignment) * alignment


def strict_object(pairs):
    keys = [key for key, _ in pairs]
    require(len(set(keys)) == len(keys), "duplicate key in the header")
    return dict(pairs)


def refuse_constant(name):
    raise SWTError(f"{name} in the header")


def is_integer(value, low, high=2**63 - 1):
    return type(value) is int and low <= value <= high


class SWT:
    """A checked file: `header` (dict), `model_id` (hex) and `tensor(name)`."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = data = file.read()
        require(len(data) >= 128 and data[:8] == MAGIC, "not an SWT file")
        mark, major, _, required, _, header_length, data_offset, file_length = struct.unpack_from(
            "<IHHQQQQQ", data, 8)
        require(mark == 0x0A0B0C0D, "wrong endianness")
        require(major == 1, f"unknown major version {major}")
        unknown = required & ~(FOLDS | TRAINED_HEAD | FAMILIES)
        require(not unknown, f"unknown required features {unknown:#x}")
        require(not any(data[56:64]) and not any(data[96:128]), "reserved bytes are not zero")
        require(2 <= header_length <= 16 << 20, "bad header length")
        require(file_length == len(data), f"{len(data)} bytes instead of {file_length}")
        require(data_offset == round_up(128 + header_length, 65536) <= file_length, "bad data offset")
        text = data[128:128 + header_length]
        digest = hashlib.sha256(data[:64] + text).digest()
        require(digest == data[64:96], "the header does not match its hash")
        self.model_id = digest.hex()
        try:
            self.header = json.loads(text.decode("utf-8"), object_pairs_hook=strict_object,
                                     parse_constant=refuse_constant)
        except (ValueError, RecursionError) as error:
            raise SWTError(f"bad header: {error}") from error
        require(isinstance(self.header, dict), "the header is no object")
        require(required == self.needed_features(), f"the header does not need features {required:#x}")
        self.entries = self.read_table(data_offset)

    def needed_features(self):
        """The required features that the header's members need."""
        architecture, classifier = self.header.get("architecture"), self.header.get("classifier")
        require(isinstance(architecture, dict), "no architecture")
        family = architecture.get("family")
        require(family in (None, *KNOWN_FAMILIES), f"unknown family {family!r}")
        require((family is None) != ("network_class" not in architecture), "network_class or family")
        head = ("pooling", "temperature", "out_of_distribution")
        is_trained = isinstance(classifier, dict) and any(classifier.get(key) is not None for key in head)
        for entry in (classifier.get("pooling") or []) if isinstance(classifier, dict) else []:
            require(isinstance(entry, dict) and entry.get("statistic") in STATISTICS, "unknown statistic of a pooling")
        self.folds = []
        if self.header.get("folds") is not None:
            require(isinstance(self.header["folds"], list), "bad folds")
            self.folds = [fold.get("name") for fold in self.header["folds"] if isinstance(fold, dict)]
            require(len(self.header["folds"]) == len(set(self.folds)) >= 2, "bad folds")
        return ((FOLDS if self.folds else 0) | (TRAINED_HEAD if is_trained else 0)
                | (FAMILIES if family is not None else 0))

    def read_table(self, data_offset):
        table = self.header.get("tensors")
        require(isinstance(table, list) and 1 <= len(table) <= 65536, "bad tensor table")
        entries, end = {}, data_offset
        for entry in table:
            require(isinstance(entry, dict), "a table entry is no object")
            name, shape = entry.get("name"), entry.get("shape")
            require(isinstance(name, str) and 1 <= len(name.encode()) <= 256, "bad tensor name")
            require(name not in entries, f"{name}: twice in the table")
            require(entry.get("dtype") in DTYPES, f"{name}: unknown dtype")
            require(entry.get("layout") in LAYOUTS, f"{name}: unknown layout")
            require(isinstance(shape, list) and 0 <= len(shape) <= 8
                    and all(is_integer(size, 1, 2**31 - 1) for size in shape), f"{name}: bad shape")
            sizes = list(shape)
            if entry["layout"] == "o16-i16":
                require(len(shape) >= 2, f"{name}: rank too low for its layout")
                sizes[0] = round_up(sizes[0], 16)
            size = math.prod(sizes) * DTYPES[entry["dtype"]]
            require(is_integer(entry.get("nbytes"), 1) and entry["nbytes"] == size, f"{name}: bad nbytes")
            start = round_up(end, 256)
            require(is_integer(entry.get("offset"), 1) and entry["offset"] == start, f"{name}: bad offset")
            require(start + size <= len(self.data), f"{name}: leaves the file")
            end = start + size
            entries[name] = entry
        require(end == len(self.data), "bytes after the last tensor")
        return entries

    def tensor(self, name):
        """A tensor, its hash checked, as row-major float32."""
        entry = self.entries[name]
        stored = self.data[entry["offset"]:entry["offset"] + entry["nbytes"]]
        require(hashlib.sha256(stored).hexdigest() == entry["sha256"], f"{name}: damaged")
        if entry["dtype"] == "f32":
            values = np.frombuffer(stored, "<f4")
        elif entry["dtype"] == "f16":
            values = np.frombuffer(stored, "<f2").astype(np.float32)
        else:
            values = (np.frombuffer(stored, "<u2").astype(np.uint32) << 16).view(np.float32)
        shape = entry["shape"]
        if entry["layout"] == "row-major":
            return values.reshape(shape)
        outputs, inputs, taps = shape[0], shape[1], math.prod(shape[2:])
        o, i, t = np.ogrid[:outputs, :inputs, :taps]
        width = np.minimum(16, inputs - i // 16 * 16)
        index = ((o // 16 * inputs + i // 16 * 16) * taps + t * width + i % 16) * 16 + o % 16
        return values[index].reshape(shape)

    def verify(self):
        """Checks every hash, and that padding is zero."""
        end = 128 + struct.unpack_from("<Q", self.data, 32)[0]
        for name, entry in self.entries.items():
            require(not any(self.data[end:entry["offset"]]), f"padding before {name} is not zero")
            self.tensor(name)
            end = entry["offset"] + entry["nbytes"]


def main(arguments):
    file = SWT(arguments[0])
    file.verify()
    for name, entry in file.entries.items():
        print(f"{name:60} {entry['dtype']:5} {entry['layout']:10} {entry['shape']}")
    print("model id", file.model_id)
    if len(arguments) == 3 and arguments[1] == "--npz":
        np.savez(arguments[2], **{name: file.tensor(name) for name in file.entries})


if __name__ == "__main__":
    try:
        main(sys.argv[1:] or sys.exit(__doc__))
    except (SWTError, OSError) as error:
        sys.exit(f"swt.py: error: {error}")
