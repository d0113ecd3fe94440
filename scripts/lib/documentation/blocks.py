# SPDX-License-Identifier: Apache-2.0
"""What a Markdown page holds: fenced blocks, the commands in them, headings."""

import re
from dataclasses import dataclass


@dataclass
class Block:
    """A fenced block."""

    language: str
    # What follows the language on the fence: `varies` where output depends on the machine.
    options: list
    text: str
    # The line of its first line in the page.
    line: int


@dataclass
class Command:
    """A command to run, and what the page says it prints; None where it does not say."""

    text: str
    line: int
    output: list
    # Numbers depend on the machine.
    varies: bool

    @property
    def is_ok(self):
        """Whether the page shows it succeeding."""
        return not any(re.match(r"((nnrun|nnconvert): error:|Error:)", line) for line in self.output or [])


def fenced_blocks(text):
    blocks = []
    block = None
    for number, line in enumerate(text.splitlines(), 1):
        fence = re.match(r"\s*```(.*)$", line)
        if not fence:
            if block:
                block.text += line + "\n"
        elif block:
            blocks.append(block)
            block = None
        else:
            words = fence.group(1).split() or [""]
            block = Block(words[0], words[1:], "", number + 1)
    return blocks


def prose(text):
    """The page without fenced blocks and code spans."""
    text = re.sub(r"^\s*```.*?^\s*```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def commands(block):
    """The commands of an `sh` block (every line) or a `console` block (lines that begin with `$ `)."""
    if block.language not in ["sh", "bash", "console"]:
        return []
    found = []
    is_console = block.language == "console"
    continues = False
    ending = None
    for number, line in enumerate(block.text.splitlines(), block.line):
        if continues or ending:
            found[-1].text += "\n" + line
        elif is_console and not line.startswith("$ "):
            found[-1].output.append(line)
            continue
        else:
            line = line[2:] if is_console else line
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            found.append(Command(line, number, [] if is_console else None, "varies" in block.options))
            here = re.search(r"<<'?(\w+)'?", line)
            ending = here.group(1) if here else None
            continues = line.endswith("\\")
            continue
        continues = line.endswith("\\")
        if line.strip() == ending:
            ending = None
    return found


def headings(text):
    """The anchors of a page's headings, as GitHub makes them."""
    found = []
    in_block = False
    for line in text.splitlines():
        if re.match(r"\s*```", line):
            in_block = not in_block
        heading = None if in_block else re.match(r"#+\s+(.*?)\s*$", line)
        if heading:
            words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading.group(1)).lower()
            anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            times = found.count(anchor)
            found.append(f"{anchor}-{times}" if times else anchor)
    return found
