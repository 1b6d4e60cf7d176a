#!/usr/bin/env python3
"""Draws docs/run.svg: a real run of the built program against its simulated account, on a terminal of 80 columns.

    docs/record.py target/debug/rdsproxy-setup            writes docs/run.svg
    docs/record.py target/debug/rdsproxy-setup --check    fails when docs/run.svg is not what the program shows today

Only the standard library; no network. Times differ from run to run, so the check leaves them out.
"""

import os
import pty
import re
import select
import struct
import sys
import tempfile
import termios
import fcntl
from html import escape
from pathlib import Path

COLUMNS, SHOWN = 80, 34
ARGUMENTS = ["up", "--db", "my-instance"]
PICTURE = Path(__file__).resolve().parent / "run.svg"
# What the program's few colors are called in the picture.
CLASSES = {"31": "r", "32": "g", "33": "y", "1": "", "2": "q"}


# How wide a letter of 14 px is.
CELL = 8.43


def recorded(program):
    """All that a terminal receives while the program runs and someone answers yes."""
    with tempfile.TemporaryDirectory() as folder:
        child, terminal = pty.fork()
        if child == 0:
            os.environ.clear()
            os.environ.update(HOME=folder, TERM="xterm-256color", RDSPROXY_SANDBOX_SPEED="300", RDSPROXY_SANDBOX_FILE=f"{folder}/account.json")
            os.execv(program, ["rdsproxy-setup", "--sandbox", *ARGUMENTS])
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))
        seen, answered = b"", False
        while select.select([terminal], [], [], 120)[0]:
            try:
                some = os.read(terminal, 65536)
            except OSError:  # Linux: the program has ended.
                break
            if not some:
                break
            seen += some
            if b"Carry this out?" in seen and not answered:
                answered = True
                os.write(terminal, b"yes\n")
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"the run failed:\n{seen.decode()}")
        return seen.decode()


def screen(text):
    """The lines that stand on the terminal in the end, as cells of a character and a class."""
    lines, row, column, color = [[]], 0, 0, ""
    for part in re.finditer(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b.|[\s\S]", text):
        whole, code, kind = part.group(0), part.group(1), part.group(2)
        if kind == "m":
            color = CLASSES.get(next((one for one in code.split(";") if one in ("31", "32", "33", "2")), ""), "")
        elif kind == "A":
            row = max(0, row - int(code or 1))
        elif kind == "B":
            row += int(code or 1)
        elif kind == "G":
            column = int(code or 1) - 1
        elif kind == "K":
            line = lines[row]
            lines[row] = [] if code == "2" else line[:column]
        elif kind == "J":
            del lines[row + 1 :]
            lines[row] = lines[row][:column]
        elif whole == "\r":
            column = 0
        elif whole == "\n":
            row += 1
        elif not whole.startswith("\x1b"):
            if column >= COLUMNS:
                row, column = row + 1, 0
            while len(lines) <= row:
                lines.append([])
            line = lines[row]
            line.extend([(" ", "")] * (column + 1 - len(line)))
            line[column] = (whole, color)
            column += 1
        while len(lines) <= row:
            lines.append([])
    while lines and not "".join(cell for cell, _ in lines[-1]).strip():
        lines.pop()
    return lines


def drawn(lines):
    """One line of SVG for each line of the terminal."""
    for number, line in enumerate(lines):
        spans, at = [], 0
        while at < len(line):
            end = at
            while end < len(line) and line[end][1] == line[at][1]:
                end += 1
            text, name = "".join(cell for cell, _ in line[at:end]), line[at][1]
            color = f' class="{name}"' if name else ""
            # What stands in a column is placed there: not every renderer keeps several spaces.
            for piece in re.finditer(r"\S+( \S+)*", text):
                x = round(16 + CELL * (at + piece.start()), 1)
                spans.append(f'<tspan x="{x}"{color}>{escape(piece.group())}</tspan>')
            at = end
        if spans:
            yield f'<text y="{19 * number + 15}">{"".join(spans)}</text>'


def picture(lines):
    """The terminal's window. It begins at the top and moves to the end, where it stays."""
    height, moved = 19 * SHOWN, 19 * max(0, len(lines) - SHOWN)
    style = f"""
text {{ font: 14px ui-monospace, Menlo, Consolas, monospace; white-space: pre; fill: #d0d7de }}
.g {{ fill: #57ab5a }} .y {{ fill: #daaa3f }} .r {{ fill: #f47067 }} .q {{ fill: #8b949e }}
#all {{ transform: translateY(-{moved}px); animation: move 14s }}
@keyframes move {{ 0%, 35% {{ transform: translateY(0) }} 80%, 100% {{ transform: translateY(-{moved}px) }} }}
@media (prefers-reduced-motion: reduce) {{ #all {{ animation: none }} }}
"""
    width = 32 + int(CELL * COLUMNS)
    body = "\n".join(drawn(lines))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height + 32}" role="img">
<title>rdsproxy-setup --sandbox {" ".join(ARGUMENTS)}</title>
<style>{style}</style>
<rect width="{width}" height="{height + 32}" rx="8" fill="#1c2128"/>
<svg y="16" width="{width}" height="{height}"><g id="all">
{body}
</g></svg>
</svg>
"""


def timeless(svg):
    """Without times, and of rows that are cut only what a time cannot move."""
    lines = []
    for line in svg.splitlines():
        text = re.sub(r' x="[\d.]+"', "", line)
        text = re.sub(r" ?\(?\b\d+:\d\d(:\d\d)?\b\)?", "", text)
        lines.append(re.sub(r"^(<text[^>]*>.{64}).*….*", r"\1", text))
    return lines


def main():
    program, check = os.path.abspath(sys.argv[1]), "--check" in sys.argv[2:]
    prompt = [(letter, "") for letter in "$ rdsproxy-setup --sandbox " + " ".join(ARGUMENTS)]
    svg = picture([prompt, [], *screen(recorded(program))])
    if not check:
        PICTURE.write_text(svg)
    elif timeless(svg) != timeless(PICTURE.read_text()):
        for have, want in zip(timeless(PICTURE.read_text()), timeless(svg)):
            if have != want:
                sys.exit(f"docs/run.svg is not what the program shows today; draw it with docs/record.py\n- {have}\n+ {want}")
        sys.exit("docs/run.svg is not what the program shows today; draw it with docs/record.py")


if __name__ == "__main__":
    main()
