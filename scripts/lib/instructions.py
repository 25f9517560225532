"""instructions.py BENCHMARKS FOLDER [--json] [--profile] ARGUMENT…: instructions instead of times, for scripts/bench.

Runs each side of the benchmarks once under callgrind, which counts from mark to mark (Harness/Counting.swift) and leaves one
profile per benchmark and side in FOLDER. The figures are the same however busy the machine is. Beside the instructions stands
how often memory is allocated. --profile also shows the functions in which ours takes more than bare SQLite; what is neither
--json nor --profile goes to the program BENCHMARKS.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys

OURS = "DimpleDb"
SIDES = [OURS, "SQLite", "GRDB", "untracked", "two tables", "per change"]
TOP = 25
# What everything else that allocates calls in the end.
ALLOCATORS = re.compile(r"^(malloc|calloc|realloc|posix_memalign|aligned_alloc)$")


def count(program: str, folder: pathlib.Path, side: str, arguments: list[str]) -> list[dict]:
    """What was run, in order, each with its instructions and the path of its profile."""
    output = folder / f"{side}.callgrind"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", f"--log-file={folder}/{side}.log"]
    command += ["--dump-before=*firstMark*", "--dump-before=*lastMark*", program, "--counted", side, *arguments]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        sys.exit(f"valgrind failed for {side}; see {folder}/{side}.log")
    runs = [json.loads(line) for line in result.stdout.splitlines()]
    for number, run in enumerate(runs, start=1):
        # At each mark the profile since the last one is written: those before the first mark of a run are of no interest.
        pathlib.Path(f"{output}.{2 * number - 1}").unlink()
        run["profile"] = f"{output}.{2 * number}"
        totals = re.search(r"^totals: (\d+)", pathlib.Path(run["profile"]).read_text(errors="replace"), re.MULTILINE)
        run["instructions"] = int(totals.group(1)) / run["count"]
        run["allocations"] = allocations(run["profile"]) / run["count"]
    return runs


def allocations(profile: str) -> int:
    """How often memory was allocated, or made larger."""
    numbers: set[str] = set()
    total, is_allocator = 0, False
    with open(profile, errors="replace") as lines:
        for line in lines:
            if line.startswith(("fn=", "cfn=")):
                number, _, name = line.partition("=")[2].strip().partition(" ")
                if ALLOCATORS.match(name):
                    numbers.add(number)
                is_allocator = line.startswith("cfn=") and number in numbers
            elif line.startswith("calls=") and is_allocator:
                total += int(line[6:].split()[0])
    return total


def show(ours: dict, peers: dict[str, dict], as_json: bool) -> None:
    columns = []
    for name, peer in peers.items():
        ratio, bar = ours["instructions"] / peer["instructions"], ours["bars"].get(name)
        if as_json:
            line = {"suite": ours["suite"], "name": ours["name"], "value": round(ours["instructions"], 1)}
            line |= {"unit": "instructions/" + ours["unit"], "peer": name, "ratio": round(ratio, 3)}
            line |= {"allocations": round(ours["allocations"], 2), "peer_allocations": round(peer["allocations"], 2)}
            print(json.dumps(line | ({} if bar is None else {"bar": bar})))
        limit = "" if bar is None else f"{'>' if ratio > bar else '≤'} {bar:.2f}"
        columns.append(f"{name} {peer['instructions']:,.0f}".ljust(16) + f"{ratio:6.2f}x {limit:7}")
    if not as_json:
        head = ours["suite"].ljust(11) + ours["name"].ljust(48)
        print(head + f"{ours['instructions']:,.0f} per {ours['unit']}".ljust(22) + "  ".join(columns))
        peers_allocate = ", ".join(f"{name} {peer['allocations']:.2f}" for name, peer in peers.items())
        print(f"{'':11}{ours['allocations']:.2f} allocations; {peers_allocate}")


def self_costs(profile: str) -> dict[str, int]:
    """Instructions by function, without those of what it calls.

    callgrind_annotate takes calls that were entered before the first mark for the caller's own instructions.
    """
    names: dict[str, str] = {}
    costs: collections.Counter[str] = collections.Counter()
    name, is_call = "", False
    for line in pathlib.Path(profile).read_text(errors="replace").splitlines():
        if line.startswith(("fn=", "cfn=")):
            # A name is written out once, and told by its number from then on.
            number, _, text = line.partition("=")[2].partition(" ")
            if text:
                names[number] = text
            if line.startswith("fn="):
                name = names[number]
        elif line.startswith("calls="):
            is_call = True
        elif match := re.match(r"[+\-*\d]\S* (\d+)$", line):
            # The line after a call is what the call cost.
            costs[name] += 0 if is_call else int(match.group(1))
            is_call = False
    return costs


def top(ours: dict, floor: dict | None) -> None:
    """Where ours takes more than the floor: function by function, per operation, what it takes itself and how much more."""
    costs, floor_costs = self_costs(ours["profile"]), self_costs(floor["profile"]) if floor else {}
    excess = {name: cost - floor_costs.get(name, 0) for name, cost in costs.items()}
    lines = "".join(f"{name}\n" for name in sorted(excess, key=lambda name: -excess[name])[:TOP])
    demangle = ["swift", "demangle", "--compact", "--simplified"]
    plain = subprocess.run(demangle, input=lines, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    for name, shown in zip(lines.splitlines(), plain):
        print(f"    {costs[name] / ours['count']:9,.1f} {excess[name] / ours['count']:+9,.1f}  {shown[:140]}")


def main(program: str, folder: str, *arguments: str) -> None:
    options = {"--json", "--profile"} & set(arguments)
    rest = [argument for argument in arguments if argument not in options]
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    for old in path.glob("*.callgrind*"):
        old.unlink()
    sides = {side: {(run["suite"], run["name"]): run for run in count(program, path, side, rest)} for side in SIDES}
    for key, ours in sides[OURS].items():
        show(ours, {side: sides[side][key] for side in SIDES[1:] if key in sides[side]}, "--json" in options)
        if "--profile" in options:
            top(ours, sides["SQLite"].get(key))


if __name__ == "__main__":
    main(*sys.argv[1:])
