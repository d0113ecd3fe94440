# SPDX-License-Identifier: Apache-2.0
"""Converting, looking into files, and putting heads on models: what the bundled nnconvert does."""
from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence

from . import _commands, _errors, _head
from .scan import PathLike, is_path


@dataclass(frozen=True)
class Conversion:
    """A model file that was written."""

    output: str
    model_id: str
    bytes: int
    warnings: List[str]


def convert(
    checkpoint: PathLike,
    output: PathLike,
    head: Optional[PathLike] = None,
    *,
    part: str = "encoder",
    dtype: str = "f32",
    input_policy: str = "whole",
    class_names: Optional[Sequence[str]] = None,
    fold: Any = None,
    force: bool = False,
    **options: Any,
) -> Conversion:
    """Converts a checkpoint, model folder or exported zip into a .swt file.

    ``options`` are nnconvert's own, with underscores: ``plans="plans.json"``, ``chk="best"``,
    ``activation="sigmoid"``, ``allow_nonfinite=True``.
    """
    arguments = ["convert", _place(checkpoint), f"--output={os.fspath(output)}"]
    options.update(
        part=part, dtype=dtype, input_policy=input_policy, force=force, fold=fold, class_names=class_names,
        head=None if head is None else os.fspath(head))
    return _written(arguments + _options(options))


def attach(
    model: PathLike,
    head: Any,
    output: PathLike,
    *,
    class_names: Optional[Sequence[str]] = None,
    force: bool = False,
    **options: Any,
) -> Conversion:
    """Puts a head on a converted encoder, or replaces the one it has.

    ``head`` is a file that nnconvert takes, or a fitted linear classifier of scikit-learn: alone, or as the last
    step of a pipeline, whose scaling is folded into its weights.
    """
    if not is_path(head):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "head.npz")
            _head.save(head, path)
            return attach(model, path, output, class_names=class_names, force=force, **options)
    arguments = ["attach", _place(model), f"--head={os.fspath(head)}", f"--output={os.fspath(output)}"]
    options.update(class_names=class_names, force=force)
    return _written(arguments + _options(options))


def inspect(file: PathLike, *, tensors: bool = False, **options: Any) -> Dict[str, Any]:
    """What a checkpoint, model folder or .swt file holds, from its headers alone."""
    return _run(["inspect", _place(file), *_options({"tensors": tensors, **options})])


def _written(arguments: List[str]) -> Conversion:
    report = _run(arguments + ["--quiet"])
    return Conversion(report["output"], report["model_id"], report["bytes"], report["warnings"])


def _options(options: Dict[str, Any]) -> List[str]:
    result: List[str] = []
    for name, value in options.items():
        if value is None or value is False:
            continue
        spelled = "--" + name.replace("_", "-")
        if value is True:
            result.append(spelled)
        elif isinstance(value, (str, int, float)) or is_path(value):
            result.append(f"{spelled}={value}")
        else:
            result.append(f"{spelled}=" + ",".join(str(item) for item in value))
    return result


def _place(path: PathLike) -> str:
    """A path that is not taken for an option."""
    text = os.fspath(path)
    return f"./{text}" if text.startswith("-") else text


def _run(arguments: List[str]) -> Dict[str, Any]:
    """Runs nnconvert; Ctrl-C ends it, too, as it is of the same terminal."""
    command = subprocess.Popen(
        [_commands.path("nnconvert"), *arguments, "--json"], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
    try:
        text, problems = command.communicate()
    except BaseException:
        command.terminate()
        command.wait()
        raise
    if command.returncode:
        lines = [line for line in problems.splitlines() if line]
        last = lines[-1] if lines else f"nnconvert ended with status {command.returncode}"
        raise _errors.error(command.returncode, last.replace("nnconvert: error: ", "", 1))
    return json.loads(text)
