"""Runs many cells in one kernel and prints, as JSON, what has grown meanwhile.

    python soak.py 500 > records/soak.json

The record is of that very command; `.ci/run` and the test suite run a short form. It fails where
open files, threads, processes or temporary folders have grown, or memory by more than a little for
each cell.
"""

import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from kernel import Kernel

# What people do, in turn: print, compute, show, fail, define.
CELLS = [
    'println!("cell {i}");',
    "let x{i} = {i}; x{i} + 1",
    'erm::show::display(&erm::show::html("<b>{i}</b>"));',
    'panic!("cell {i}")',
    "fn f{i}() -> usize {{ {i} }} f{i}()",
    'let wrong: u8 = "{i}";',
    "erm::ndarray::Array1::<f64>::linspace(0.0, 1.0, 10 + {i}).sum()",
]
# Each cell is a library that stays loaded, in the cell process; rust-analyzer keeps what it learns.
MEGABYTES_FOR_EACH_CELL = 3


def measure(kernel):
    """What one kernel holds of the machine."""
    processes = kernel.processes()
    sessions = Path(os.environ["ERM_CACHE"], "sessions")
    return {
        "processes": len(processes),
        "open_files": sum(process.num_fds() for process in processes),
        "threads": sum(process.num_threads() for process in processes),
        "work_folders": len(list(sessions.glob(f"{kernel.process.pid}-*"))),
        "temporary_entries": len(os.listdir(tempfile.gettempdir())),
        "kernel_megabytes": round(processes[0].memory_info().rss / 1e6),
        "all_megabytes": round(sum(process.memory_info().rss for process in processes) / 1e6),
    }


def wait_for_sources(kernel):
    """Waits until rust-analyzer has read the sources, which it does once, beside the first cells."""
    code = "Data::see"
    until = time.time() + 120
    while not kernel.ask("complete_request", code=code, cursor_pos=len(code))[0]["matches"]:
        assert time.time() < until, "the sources were not read within two minutes"
        time.sleep(0.2)


def soak(count):
    """Runs the cells and gives the record."""
    seconds = []
    with Kernel() as kernel:
        for i in range(len(CELLS)):
            kernel.run(CELLS[i].format(i=i))
        wait_for_sources(kernel)
        start = measure(kernel)
        for i in range(count):
            began = time.time()
            ran = kernel.run(CELLS[i % len(CELLS)].format(i=i + 1000))
            assert ran.status == ("error" if i % len(CELLS) in (3, 5) else "ok"), ran.reply
            seconds.append(time.time() - began)
        end = measure(kernel)
    return {
        "cells": count,
        "start": start,
        "end": end,
        "median_seconds_of_first_tenth": median(seconds[: max(1, count // 10)]),
        "median_seconds_of_last_tenth": median(seconds[-max(1, count // 10) :]),
        "machine": f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}",
        "date": time.strftime("%Y-%m-%d"),
    }


def median(values):
    return round(sorted(values)[len(values) // 2], 3)


def main():
    count = int(sys.argv[1])
    record = soak(count)
    print(json.dumps(record, indent=1))
    start, end = record["start"], record["end"]
    # A file or two may be open for a moment.
    for name, slack in (("processes", 0), ("open_files", 2), ("threads", 2), ("work_folders", 0)):
        assert end[name] <= start[name] + slack, name
    grown = end["all_megabytes"] - start["all_megabytes"]
    assert grown <= 100 + MEGABYTES_FOR_EACH_CELL * count, f"{grown} megabytes"


if __name__ == "__main__":
    main()
