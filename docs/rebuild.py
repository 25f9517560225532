#!/usr/bin/env python3
"""Rebuilds what a vault holds from its packs alone, as docs/FORMAT.md describes them.

usage: rebuild.py FOLDER [VAULT_KEY]

FOLDER is a copy of the bucket: dimple.json, log/, blob/. VAULT_KEY is a file with the vault's age identity, which
"age -d keys/<slot>.age" gives; a vault without encryption needs none. Prints a line of JSON per row, sorted:
{"table":…,"key":[…],"columns":{…}}.

Hashes and chains are checked, signatures and names are not. Rows that cannot stand in a table together (docs/SYNC_ENGINE.md)
are all printed: telling takes the app's schema. Transactions from the future count. Snapshots are not read.
"""
import base64, gzip, hashlib, json, pathlib, subprocess, sys

folder, key = pathlib.Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
decoder = json.JSONDecoder()


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def number(value):
    return value.to_bytes(8, "big")


def unfold(path):
    """An object's contents: age around gzip."""
    data = path.read_bytes()
    if key:
        data = subprocess.run(["age", "-d", "-i", key], input=data, capture_output=True, check=True).stdout
    return gzip.decompress(data)


def transaction(line, salts):
    """The transaction of a line, its changes with their times, and its hash."""
    head = decoder.decode(line)
    if "left" in head:
        return head["number"], [], bytes.fromhex(head["left"])
    time, changes, hashes = head["time"], [], b""
    at = line.index('"changes":[') + len('"changes":[')
    while True:
        change, end = decoder.raw_decode(line, at)
        ticks = change.get("ticks", 0)
        time += ticks
        if "left" in change:
            hashes += number(ticks) + bytes.fromhex(change["left"])
        else:
            salt = bytes.fromhex(salts[change["table"]])
            hashes += number(ticks) + sha256(salt, line[at:end].encode())
            changes.append((time, change))
        time, at = time + 1, end + 1
        if line[end] == "]":
            break
    hashed = sha256(number(head["number"]), number(head["time"]), hashes, line[at:-1].encode())
    return head["number"], changes, hashed


def merge(change, stamp):
    """The later stamp wins, for the row's birth, its death, and each column. Order and repetition do not matter."""
    row = rows.setdefault((change["table"], json.dumps(change["key"])), {"insert": (), "delete": (), "columns": {}})
    if change["op"] != "update":
        row[change["op"]] = max(row[change["op"]], stamp)
    for name, value in change.get("columns", {}).items() if change["op"] != "delete" else []:
        row["columns"][name] = max(row["columns"].get(name, ((), None)), (stamp, value), key=lambda cell: cell[0])


rows = {}  # (table, key): when last inserted, when last deleted, and per column when last written and what
chains = {}  # (replica, number): the chain after it
for path in sorted((folder / "log").iterdir()):
    lines = unfold(path).decode().split("\n")
    header = json.loads(lines[0])
    assert header["format"] == 1 and header["kind"] == "log" and lines[-1] == "", path
    replica, chain = header["replica"], bytes.fromhex(header["before"])
    for expected, line in enumerate(lines[1:-1], header["first"]):
        n, changes, hashed = transaction(line, header["salts"])
        chain = sha256(chain, hashed)
        assert n == expected and chains.setdefault((replica, n), chain) == chain, (path, n)
        for time, change in changes:
            merge(change, (time, replica))
    assert n == header["last"] and chain.hex() == header["after"], path

parts = {sha256(data).hex(): data for data in map(unfold, folder.glob("blob/*"))}


def value(json_value):
    """A large value in full, as a short one would stand in a pack."""
    big = isinstance(json_value, dict) and json_value.get("big")
    if not big:
        return json_value
    data = b"".join(parts[part] for part in big["parts"])
    return data.decode() if big["kind"] == "text" else {"blob": base64.b64encode(data).decode()}


for (table, row_key), row in sorted(rows.items()):
    if row["insert"] > row["delete"]:
        columns = {name: value(cell) for name, (stamp, cell) in sorted(row["columns"].items()) if stamp > row["delete"]}
        shown = {"table": table, "key": json.loads(row_key), "columns": columns}
        print(json.dumps(shown, ensure_ascii=False, separators=(",", ":")))
