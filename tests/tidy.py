#!/usr/bin/env python3
"""House rules that a machine can check: sizes, allowed includes, READMEs, marks of unfinished work.

Prints one line for each breach and exits with 1 if there was any.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

MAX_LINE = 100
MAX_FILE = 600
MAX_FUNCTION = 70

# Allowed includes, as data: a room (folder) -> rooms whose headers it may include. Everybody may
# include the public API, include/eve.
ROOMS = {
    "src/base": [],
    "src/crypto": ["base"],
    "src/wire": ["base", "crypto"],
    "src/state": ["base", "crypto"],
    "src/journal": ["base", "crypto"],
    "src/mixer": ["base"],
    "src/execution": ["base", "crypto", "wire", "state", "mixer"],
    "src/pair": ["base", "crypto", "wire", "execution"],
    "src/verification": ["base", "crypto", "wire"],
    "src/membership": ["base", "crypto", "wire"],
    "src/durability": ["base", "crypto", "wire", "state", "journal", "execution", "verification"],
    "src/client": ["base", "crypto", "wire"],
    "src/runtime": ["base", "crypto", "wire", "execution", "pair", "verification", "membership",
                    "client", "journal", "durability"],
    "services/kv": ["base", "runtime/front_end.h"],
    "sim": ["base", "crypto", "wire", "state", "execution", "pair", "verification", "membership",
            "client", "journal", "durability", "services/kv"],
    "src/cli": ["base", "crypto", "journal", "execution", "durability", "runtime"],
    "bench": ["base", "crypto", "wire", "state", "journal", "mixer", "execution", "verification",
              "client", "durability", "runtime", "services/kv", "cli"],
    "src/program": ["cli", "services/kv", "sim", "bench"],
    "examples": [],
}

# Tests may also use what they drive.
TEST_EXTRA = {
    "services/kv": ["crypto", "state", "execution", "wire"],
    "src/runtime": ["state"],
    "sim": ["runtime/posix_disk.h"],
}

MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def sources():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
                           capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / n for n in names if n and (ROOT / n).is_file()]


def room_of(path):
    relative = path.relative_to(ROOT).as_posix()
    for room in ROOMS:
        if relative.startswith(room + "/"):
            return room
    return None


def allowed(room, target, is_test):
    if target.startswith("eve/") or (ROOT / room / target).is_file():
        return True
    names = ROOMS[room] + (TEST_EXTRA.get(room, []) if is_test else [])
    own = room.removeprefix("src/")
    return any(target == n or target.startswith(n + "/") for n in names + [own])


def check_includes(path, lines, complain):
    room = room_of(path)
    if room is None:
        return
    is_test = path.stem.endswith(("_test", "_fuzz")) or "test" in path.stem
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#include "([^"]+)"', line)
        if match and not allowed(room, match.group(1), is_test):
            complain(path, number, f"{room} may not include {match.group(1)}")


def check_functions(path, lines, complain):
    """A function body is a block that opens at the end of a line holding ')' at namespace or class
    depth; clang-format makes that reliable enough."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None:
            opens = re.match(r"^( {0,2})\S.*\) ?(const|noexcept|override|final| )*\{$", line)
            if opens and not re.match(r"^\s*(namespace|class|struct|enum|if|for|while|switch)\b",
                                      line):
                start = (number, opens.group(1))
        elif line == start[1] + "}":
            if number - start[0] - 1 > MAX_FUNCTION:
                complain(path, start[0], f"function of {number - start[0] - 1} lines")
            start = None


def check_source(path, complain):
    lines = path.read_text(encoding="utf-8").split("\n")
    if len(lines) - 1 > MAX_FILE:
        complain(path, len(lines), f"file of {len(lines) - 1} lines")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            complain(path, number, f"line of {len(line)} characters")
        if MARKS.search(line):
            complain(path, number, "mark of unfinished work")
        if line != line.rstrip():
            complain(path, number, "trailing blanks")
    check_includes(path, lines, complain)
    check_functions(path, lines, complain)
    if path.suffix == ".h" and "#pragma once" not in lines:
        complain(path, 1, "no #pragma once")


def main():
    breaches = 0

    def complain(path, number, text):
        nonlocal breaches
        breaches += 1
        print(f"{path.relative_to(ROOT)}:{number}: {text}")

    for path in sources():
        if path.suffix in (".h", ".cc"):
            check_source(path, complain)
        if path.suffix in (".rej", ".orig"):
            complain(path, 0, "left over from a merge")
    for room in ROOMS:
        if (ROOT / room).is_dir() and not (ROOT / room / "README.md").is_file():
            complain(ROOT / room, 0, "room without README.md")
    print(f"tidy: {breaches} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
