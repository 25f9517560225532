"""Adds up what several simulators wrote, each a line of JSON, and prints it for people."""
import json
import sys

total = {}
for path in sys.argv[1:]:
    with open(path) as file:
        for name, count in json.load(file).items():
            total[name] = total.get(name, 0) + count

plain = ["runs", "steps", "transactions", "statements", "refused", "misfits", "syncs", "failedSyncs", "requests", "rows",
         "held", "seconds"]
print(f"{total['runs']} runs, {total['steps']} steps: {total['transactions']} transactions of {total['statements']} "
      f"statements ({total['refused']} refused), {total['syncs']} syncs ({total['failedSyncs']} failed) in "
      f"{total['requests']} requests; {total['rows']} rows and {total['held']} held ones at the end.")
print(f"{1000 * total['seconds'] / max(1, total['runs']):.1f} ms of one core a run.")
for name in sorted(set(total) - set(plain)):
    print(f"{total[name]:>12,}  {name}")
