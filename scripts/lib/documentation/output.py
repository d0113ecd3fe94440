# SPDX-License-Identifier: Apache-2.0
"""Whether a program printed what a page shows.

A line `…` stands for any lines, `…` in a line for any text. White space counts as one blank. Numbers with a
fraction may differ by one in the last digit shown; in blocks that vary with the machine all may be others, and
instruction sets too. A model id or version stands for any.
"""

import re

PIECE = re.compile(
    r"(?P<any>…)|(?P<hex>\b[0-9a-f]{12,64}\b…?)|(?P<version>\b\d+\.\d+\.\d+\b)"
    r"|(?P<number>(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w]))"
    r"|(?P<isa>\b(?:avx512|avx2|neon|portable)\b)|(?P<blank>\s+)")


def pattern(line, varies):
    """A line as a regular expression, and its numbers in order."""
    result, numbers, end = "", [], 0
    for match in PIECE.finditer(line):
        result += re.escape(line[end:match.start()])
        end = match.end()
        kind = match.lastgroup
        if kind == "any":
            result += ".*"
        elif kind == "hex":
            result += r"[0-9a-f]{12,64}"
        elif kind == "version":
            result += r"\d+\.\d+\.\d+"
        elif kind == "number":
            result += r"(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
            numbers.append(match.group())
        elif kind == "isa":
            result += r"(?:avx512|avx2|neon|portable)" if varies else re.escape(match.group())
        else:
            result += r"\s+"
    return re.compile(result + re.escape(line[end:]) + r"\s*"), numbers


def fits(line, printed, varies):
    expression, numbers = pattern(line.rstrip(), varies)
    match = expression.fullmatch(printed.rstrip())
    if not match:
        return False
    return varies or all(is_near(expected, found) for expected, found in zip(numbers, match.groups()))


def is_near(shown, printed):
    """Whether numbers are equal, but for the last digit after the point that is shown."""
    digits = re.search(r"\.(\d+)", shown)
    bound = 1.01 * 10 ** -len(digits.group(1)) if digits else 0
    return abs(float(shown) - float(printed)) <= bound


def difference(expected, printed, varies):
    """None where it fits, else what does not."""
    lines = printed.rstrip("\n").split("\n") if printed.strip() else []
    expected = list(expected)
    while expected and not expected[-1].strip():
        expected.pop()
    index = 0
    skipping = False
    for line in expected:
        if line.strip() == "…":
            skipping = True
            continue
        if skipping:
            while index < len(lines) and not fits(line, lines[index], varies):
                index += 1
            skipping = False
        if index >= len(lines) or not fits(line, lines[index], varies):
            return f"does not print: {line}"
        index += 1
    if not skipping and index < len(lines):
        return f"prints more: {lines[index]}"
    return None
