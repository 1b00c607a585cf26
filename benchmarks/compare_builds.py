#!/usr/bin/env python3
"""Runs two builds of model_speed by turns in one session and prints the ratios of their best times.

Usage: compare_builds.py OLD NEW MODEL [--rounds N] [further arguments of model_speed]
Processor time is compared beside wall time, as other work on the machine disturbs it less.
"""

import json
import os
import subprocess
import sys


def main() -> int:
    old, new, *arguments = sys.argv[1:]
    rounds = 3
    if "--rounds" in arguments:
        at = arguments.index("--rounds")
        rounds = int(arguments[at + 1])
        del arguments[at : at + 2]
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}  # waiting threads would count as work
    best = {old: {}, new: {}}
    for _ in range(rounds):
        for program in (old, new):
            run = subprocess.run([program, *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True)
            for key, value in json.loads(run.stdout).items():
                best[program][key] = min(best[program].get(key, value), value)
    for key, before in best[old].items():
        after = best[new][key]
        is_time = key.endswith(("wall", "cpu"))
        print(f"{key:15} {before:>12} {after:>12}" + (f"  {before / after:5.2f}x" if is_time else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
