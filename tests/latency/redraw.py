"""How long it takes until a figure is there again after one number in its cell was changed, as a Jupyter client sees it.

    cargo build --release
    target/test-python/bin/python tests/latency/redraw.py [--notebook notebooks/06-theory.ipynb] [--rounds 5] [--record FILE]

The notebook runs once. Then every cell that shows a picture, and has not trained anything for it, runs again, each time with
its first number with a point, that is not 0.0, a little larger.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from measure import PROJECT, commit, machine, register

# A cell that takes longer than this, in seconds, trains.
TRAINS = 5
NUMBER = re.compile(r"(?<![\w.])(?!0\.0+\b)\d+\.\d+(?![\w.])")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notebook", type=pathlib.Path, default=PROJECT / "notebooks" / "06-theory.ipynb")
    parser.add_argument("--rounds", type=int, default=5, help="how often each cell runs again")
    parser.add_argument("--erm", type=pathlib.Path, default=PROJECT / "target" / "release" / "erm")
    parser.add_argument("--record", type=pathlib.Path)
    arguments = parser.parse_args()
    cells = json.loads(arguments.notebook.read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    subprocess.run([arguments.erm.resolve(), "warm"], check=True)
    with tempfile.TemporaryDirectory() as data:
        os.environ["JUPYTER_DATA_DIR"] = data
        register(arguments.erm.resolve(), pathlib.Path(data))
        seconds = redrawn(sources, arguments.rounds)
    for name, times in seconds.items():
        print(f"{statistics.median(times):7.2f} s  {name}")
    if arguments.record:
        record = {
            "what": "seconds from sending a cell with one number changed until the kernel is idle again",
            "notebook": arguments.notebook.name,
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "commit": commit(),
            "machine": machine(),
            "seconds": {name: [round(value, 3) for value in times] for name, times in seconds.items()},
        }
        arguments.record.write_text(json.dumps(record, indent=1) + "\n")


def redrawn(sources, rounds):
    """The times of every cell that shows a picture and has a number to change."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="erm", startup_timeout=600)
    try:
        first = [run(client, source) for source in sources]
        seconds = {}
        for source, (took, shows) in zip(sources, first):
            if shows and took < TRAINS and NUMBER.search(source):
                name = next(line.strip() for line in source.splitlines() if len(line) > 1)[:60]
                print(f"again: {name}", file=sys.stderr, flush=True)
                seconds[name] = [run(client, changed(source, number))[0] for number in range(1, rounds + 1)]
        return seconds
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=False)


def changed(source, number):
    """The cell with its first number with a point made larger by some thousandths."""
    return NUMBER.sub(lambda match: repr(float(match[0]) * (1 + number / 1000)), source, count=1)


def run(client, source):
    """How long a cell takes, and whether it shows a picture."""
    shows = []

    def watch(message):
        shows.append("image/svg+xml" in message["content"].get("data", {}))

    began = time.perf_counter()
    reply = client.execute_interactive(source, timeout=1800, output_hook=watch)
    seconds = time.perf_counter() - began
    assert reply["content"]["status"] == "ok", f"failed: {source}"
    return seconds, any(shows)


if __name__ == "__main__":
    main()
