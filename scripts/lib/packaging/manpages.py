#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a command's man pages, in mdoc, from what it says of itself.

manpages.py COMMAND FOLDER DATE     DATE as in "November 25, 2026"

One page for the command and one for every subcommand. The only input is ArgumentParser's description of the
command (COMMAND --experimental-dump-help), so that pages and options cannot differ.
"""
import json
import re
import subprocess
import sys
import textwrap

command, folder, date = sys.argv[1:]


def text(words):
    """Running text: one sentence a line, nothing that roff would take for its own."""
    words = re.sub(r"\s+", " ", words).strip().replace("\\", "\\e")
    words = "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in words)
    sentences = re.sub(r"(?<!e\.g)([.?!:]) (?=[A-Z0-9])", r"\1\n", words).split("\n")
    lines = [line for sentence in sentences
             for line in textwrap.wrap(sentence, 78, break_on_hyphens=False)]
    return "\n".join("\\&" + line if line[0] in ".'" else line for line in lines)


def lowercased(words):
    return words[:1].lower() + words[1:]


def argument(word):
    return word.replace("\\", "\\e")


def flag(name):
    return "Fl " + ("-" if name["kind"] == "long" else "") + name["name"]


def synopsis(item):
    if item["kind"] == "positional":
        line = f"Ar {argument(item['valueName'])}" + (" ..." if item["isRepeating"] else "")
    else:
        line = flag(item["preferredName"])
        if item["kind"] == "option":
            line += f" Ar {argument(item['valueName'])}"
    optional = item["isOptional"] or "defaultValue" in item
    return ("Op " if optional else "") + line


def description(item):
    lines = text(item.get("abstract", ""))
    values = item.get("allValues", [])
    missing = [value for value in values if value not in item.get("abstract", "")]
    if missing:
        lines += "\nOne of " + text(", ".join(values)) + "."
    if "defaultValue" in item and item["kind"] == "option":
        lines += f"\nDefault: {text(item['defaultValue'])}."
    return lines


def page(node, parents):
    name = "-".join(parents + [node["commandName"]])
    shown = [a for a in node.get("arguments", []) if a.get("shouldDisplay", True)]
    # What every command has stands on the main page only.
    own = [a for a in shown if not parents or a["valueName"] not in ("version", "help")]
    subcommands = [c for c in node.get("subcommands", []) if c["commandName"] != "help"]
    out = [
        f".Dd {date}", f".Dt {name.upper()} 1", ".Os", ".Sh NAME", f".Nm {name}",
        ".Nd " + text(lowercased(node["abstract"])).rstrip(".").replace("\n", " "), ".Sh SYNOPSIS",
    ]
    out.append(".Nm " + " Cm ".join(parents + [node["commandName"]]))
    if subcommands:
        out += [".Ar subcommand", ".Op Ar ..."]
    out += ["." + synopsis(a) for a in own if not subcommands]
    out.append(".Sh DESCRIPTION")
    discussion, _, statuses = (node.get("discussion") or "").partition("Exit status:")
    out.append(text(node["abstract"]))
    if discussion.strip():
        out += [".Pp", text(discussion.strip())]
    for title, items in (
        ("arguments", [a for a in own if a["kind"] == "positional"]),
        ("options", [a for a in own if a["kind"] != "positional"]),
    ):
        if not items:
            continue
        out += [".Pp", f"The {title} are:" if len(items) > 1 else f"The {title[:-1]} is:",
                ".Bl -tag -width Ds"]
        for item in items:
            value = f" Ar {argument(item['valueName'])}"
            if item["kind"] == "positional":
                out.append(".It" + value)
            else:
                names = sorted(item["names"], key=lambda n: n["kind"] == "long")
                tail = value if item["kind"] == "option" else ""
                out.append(".It " + " , ".join(flag(n) for n in names) + tail)
            out.append(description(item))
        out.append(".El")
    if subcommands:
        out += [".Pp", "The subcommands are:", ".Bl -tag -width Ds"]
        for child in subcommands:
            out += [f".It Cm {child['commandName']}", text(child["abstract"]), "See",
                    f".Xr {name}-{child['commandName']} 1 ."]
        out.append(".El")
    out.append(".Sh EXIT STATUS")
    if statuses:
        out.append(".Bl -tag -width Ds")
        for status in " ".join(statuses.split()).rstrip(".").split(", "):
            number, _, meaning = status.partition(" ")
            out += [f".It {number}", text(meaning[0].upper() + meaning[1:]) + "."]
        out.append(".El")
    else:
        out += ["See", f".Xr {parents[0]} 1 ."]
    others = {c["commandName"] for c in root["subcommands"]} - {"help", node["commandName"]}
    related = [f"{root['commandName']}-{c}" for c in others]
    related += [root["commandName"]] if parents else []
    related += [c for c in ("nnconvert", "nnrun", "nntrain") if c != root["commandName"]]
    out.append(".Sh SEE ALSO")
    out += [f".Xr {r} 1" + (" ," if i + 1 < len(related) else "")
            for i, r in enumerate(sorted(related))]
    with open(f"{folder}/{name}.1", "w") as file:
        file.write("\n".join(out) + "\n")
    for child in subcommands:
        page(child, parents + [node["commandName"]])


help_text = subprocess.run(
    [command, "--experimental-dump-help"], check=True, capture_output=True, text=True).stdout
root = json.loads(help_text)["command"]
page(root, [])
