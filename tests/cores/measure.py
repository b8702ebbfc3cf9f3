#!/usr/bin/env python3
"""How busy the machine's cores are while a command runs: the share of /proc/stat that is not idle.

    tests/cores/measure.py RECORD.json COMMAND...
"""

import json
import subprocess
import sys
import time

SECONDS = 5


def times():
    """All of the cores' time so far, and how much of it they were idle or waited for a disk."""
    with open("/proc/stat") as stat:
        numbers = [int(word) for word in stat.readline().split()[1:]]
    return sum(numbers), numbers[3] + numbers[4]


def main():
    record, command = sys.argv[1], sys.argv[2:]
    samples, before = [], times()
    process = subprocess.Popen(command)
    while process.poll() is None:
        time.sleep(SECONDS)
        now = times()
        busy = 1 - (now[1] - before[1]) / (now[0] - before[0])
        samples.append(round(100 * busy, 1))
        before = now
    mean = round(sum(samples) / max(len(samples), 1), 1)
    with open(record, "w") as file:
        json.dump({"what": " ".join(command), "seconds a sample": SECONDS, "mean, %": mean, "samples, %": samples}, file)
        file.write("\n")
    print(f"{mean} % of the cores, {len(samples)} samples of {SECONDS} s")
    return process.returncode


sys.exit(main())
