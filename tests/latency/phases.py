"""Where the time of a start and of a cell goes, from the processes that are alive meanwhile.

    target/test-python/bin/python tests/latency/phases.py [--cells 10] [--erm target/release/erm] > tests/latency/phases.json

A moment belongs to the linker if one is alive, else to the compiler, else to cargo, else to the kernel and the cell itself.
It needs psutil beside what measure.py needs; looking at processes costs time, too, so the sums are a little too large.
"""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import threading
import time

import psutil

from measure import PROJECT, Kernel, commit, machine, register

LINKERS = {"cc", "collect2", "ld", "ld.lld", "rust-lld", "mold"}
PHASES = ("linker", "compiler", "cargo", "else")
PAUSE = 0.002


class Watch(threading.Thread):
    """Sums up what the kernels that this process has started are busy with."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self.ended = threading.Event()

    def run(self):
        before = time.perf_counter()
        while not self.ended.wait(PAUSE):
            phase = phase_of(names())
            now = time.perf_counter()
            self.seconds[phase] += now - before
            before = now

    def end(self):
        self.ended.set()
        self.join()
        return self.seconds


def names():
    found = set()
    for process in psutil.Process().children(recursive=True):
        try:
            found.add(process.name())
        except psutil.Error:
            pass
    return found


def phase_of(names):
    if names & LINKERS:
        return "linker"
    return next((phase for phase, name in (("compiler", "rustc"), ("cargo", "cargo")) if name in names), "else")


def watched(work):
    watch = Watch()
    watch.start()
    work()
    return watch.end()


def medians(runs):
    return {phase: round(statistics.median(run[phase] for run in runs), 3) for phase in PHASES}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=10, help="how many cells are looked at")
    parser.add_argument("--erm", type=pathlib.Path, default=PROJECT / "target" / "release" / "erm")
    arguments = parser.parse_args()
    subprocess.run([arguments.erm.resolve(), "warm"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as data:
        os.environ["JUPYTER_DATA_DIR"] = data
        register(arguments.erm.resolve(), pathlib.Path(data))
        starts = []
        for _ in range(3):
            kernels = []
            starts.append(watched(lambda: kernels.append(Kernel("erm"))))
            kernels[0].stop()
        kernel = Kernel("erm")
        kernel.prepare()
        # The sources are read meanwhile.
        time.sleep(15)
        cell = "a cell that calls the prelude"
        cells = [watched(lambda: kernel.time(cell, number)) for number in range(arguments.cells)]
        kernel.stop()
    record = {
        "what": "median seconds in each phase; a start goes up to the result of a prelude cell",
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "start": medians(starts),
        cell: medians(cells),
    }
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
