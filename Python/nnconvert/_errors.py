# SPDX-License-Identifier: Apache-2.0
"""Failures by kind: the exit statuses of the commands and the ``swt_status`` of the library, as exceptions."""
from __future__ import annotations


class Error(Exception):
    """What went wrong, where, and what to do, in one line; ``status`` is the exit status or ``swt_status``."""

    status = 70


class UsageError(Error, ValueError):
    """The call is wrong, whatever the files hold."""

    status = 64


class BadInputError(Error, ValueError):
    """A file or scan is damaged, not supported, or does not fit the model."""

    status = 65


class CannotOpenError(Error, OSError):
    """A file cannot be opened."""

    status = 66


class InternalError(Error, RuntimeError):
    """Should not happen; please report it."""

    status = 70


class OutOfMemoryError(Error, MemoryError):
    """More memory is needed than there is, or than was allowed."""

    status = 71


class CannotCreateError(Error, OSError):
    """An output cannot be created."""

    status = 73


class InputOutputError(Error, OSError):
    """Reading or writing failed in the middle."""

    status = 74


class BusyError(Error, RuntimeError):
    """Another thread is using the object."""

    status = 75


_KINDS = {
    kind.status: kind
    for kind in (
        UsageError, BadInputError, CannotOpenError, InternalError, OutOfMemoryError, CannotCreateError,
        InputOutputError, BusyError,
    )
}


def error(status: int, text: str) -> Error:
    """The exception for a status, with its text."""
    found = _KINDS.get(status, Error)(text)
    found.status = status
    return found
