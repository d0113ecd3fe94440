# SPDX-License-Identifier: Apache-2.0
"""The commands that the wheel brings: programs of their own, which need nothing of Python."""
from __future__ import annotations

import os
import sys
from typing import NoReturn


def path(name: str) -> str:
    """Where a command lies."""
    folder = os.environ.get("NNCONVERT_COMMANDS") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin")
    return os.path.join(folder, name)


def _become(name: str) -> NoReturn:
    os.execv(path(name), [name, *sys.argv[1:]])


def nnconvert() -> NoReturn:
    """Becomes nnconvert."""
    _become("nnconvert")


def nnrun() -> NoReturn:
    """Becomes nnrun."""
    _become("nnrun")


def nntrain() -> NoReturn:
    """Becomes nntrain."""
    _become("nntrain")
