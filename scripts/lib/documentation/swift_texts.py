# SPDX-License-Identifier: Apache-2.0
"""The texts in Swift sources: string literals joined by `+`, with `…` for what is interpolated, and the
advice behind a problem as messages have it: `problem — advice`."""

import re

JOIN = re.compile(r"\s*\+\s*|(?P<advice>,\s*advice:\s*)")


def texts(source):
    found = []
    position = 0
    # Whether the literal before is continued by this one.
    joins = False
    while position < len(source):
        if source.startswith("//", position):
            end = source.find("\n", position)
            position = len(source) if end < 0 else end
        elif source.startswith('"""', position):
            text, position = literal(source, position + 3, '"""')
            found.append(text)
        elif source[position] == '"':
            text, position = literal(source, position + 1, '"')
            if joins:
                found[-1] += text
            else:
                found.append(text)
            join = JOIN.match(source, position)
            joins = False
            if join:
                found[-1] += " — " if join["advice"] else ""
                position = join.end()
                if source[position] == '"':
                    joins = True
                else:
                    found[-1] += "…"
        else:
            position += 1
    return found


def literal(source, position, quote):
    """Reads to the closing quote; gives the text and where it goes on."""
    text = ""
    while not source.startswith(quote, position):
        if source.startswith("\\(", position):
            end = closing(source, position + 2)
            inner = source[position + 2:end]
            text += "'…'" if inner.startswith("DisplayText.quoted(") else "…"
            position = end + 1
        elif source[position] == "\\":
            text += {"n": "\n", "t": "\t", "\n": ""}.get(source[position + 1], source[position + 1])
            position += 2
        else:
            text += source[position]
            position += 1
    return text, position + len(quote)


def closing(source, position):
    """Where the parenthesis that is open at `position` closes."""
    depth = 1
    while depth:
        if source[position] == '"':
            _, position = literal(source, position + 1, '"')
            continue
        depth += {"(": 1, ")": -1}.get(source[position], 0)
        position += 1
    return position - 1
