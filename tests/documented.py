#!/usr/bin/env python3
"""What an operator meets is in docs/operations.md: every event of the log, every field of a node's
status, every option of the subcommands.

Prints one line for each that is missing and exits with 1 if there was any.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MANUAL = "docs/operations.md"

# Who makes which part of the status, in src/runtime/node_status.cc.
PARTS = {"executor_json": "executor", "verifier_json": "verifier", "gateway_json": "gateway",
         "pair_json": "pair", "journal_json": "journal", "members_json": "members",
         "learner_json": "executor.learner", "checkpoints_json": "executor.checkpoints",
         "links_json": "links", "refused_json": "refused.by_sender"}


def rows(text):
    """(names in the first column, all words in the row); a name without a dot has the part of the
    name before it."""
    found = []
    for line in text.split("\n"):
        if not line.startswith("| `"):
            continue
        names, part = set(), ""
        for name in re.findall(r"`([\w.]+)`", line.split("|")[1]):
            if "." in name:
                part = name.rpartition(".")[0] + "."
                names.add(name)
            else:
                names |= {name, part + name}
        words = set(re.findall(r"`([\w.]+)`", line))
        found.append((names, words | {word.rpartition(".")[2] for word in words}))
    return found


def named(part, field, table):
    name = f"{part}.{field}" if part else field
    return any(name in names | words or any(n.startswith(name + ".") for n in names) or
               (part in names and field in words) for names, words in table)


def events():
    for path in sorted(ROOT.glob("src/**/*.cc")):
        for event in re.findall(r'\blog\(\s*LogLevel::k\w+,\s*"([^"]+)"',
                                path.read_text(encoding="utf-8")):
            yield event, path.relative_to(ROOT)


def fields():
    """(part, field) of all that status_json() puts together."""
    text = (ROOT / "src/runtime/node_status.cc").read_text(encoding="utf-8")
    for head, body in re.findall(r"^\S[^\n]*?\b(\w+)\([^{;]*\{\n(.*?)^\}$", text, re.M | re.S):
        if head in PARTS:
            # What stands before the last statement is lists within it.
            last = body[body.rindex("return "):] if "push_back" not in body or \
                head == "executor_json" else body
            for field in re.findall(r'\{"(\w+)",', last):
                yield PARTS[head], field
        if head == "add_gate":
            for field in re.findall(r'role\["(\w+)"\] =', body):
                yield "executor", field
                yield "verifier", field
        if head == "status_json":
            for field in re.findall(r'status\["(\w+)"\] =', body):
                yield "", field
            for part, field in re.findall(r'status\["(\w+)"\]\["(\w+)"\] =', body):
                yield part, field


def options():
    for path in sorted(ROOT.glob("src/cli/*.cc")):
        for option in re.findall(r'add_(?:option|flag)\(\s*"(--[\w-]+)"',
                                 path.read_text(encoding="utf-8")):
            yield option, path.relative_to(ROOT)


def main():
    text = (ROOT / MANUAL).read_text(encoding="utf-8")
    table = rows(text)
    missing = []
    for event, path in events():
        if not re.fullmatch(r"[a-z][a-z_]*", event):
            missing.append(f"{path}: event \"{event}\" is no name")
        elif not named("", event, table):
            missing.append(f"{path}: event {event}")
    missing += [f"status field {part}.{field}".replace(" .", " ") for part, field in fields()
                if not named(part, field, table)]
    missing += [f"{path}: option {option}" for option, path in options()
                if not re.search(option + r"(?![\w-])", text)]
    counts = [len(list(what())) for what in (events, fields, options)]
    if min(counts) < 20:  # the patterns above no longer fit the code
        missing.append(f"only {counts} events, fields and options were found")
    for line in missing:
        print(f"not in {MANUAL}: {line}")
    print(f"documented: {len(missing)} missing of {sum(counts)}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
