"""How long a cell takes, as a Jupyter client sees it: our kernel beside evcxr's own and beside ipykernel, in one run.

    cargo build --release
    target/test-python/bin/python tests/latency/measure.py [--starts 3] [--rounds 5] [--erm target/release/erm]

It needs a Python with jupyter_client and ipykernel; `.ci/run` makes one in target/test-python. The cache is warmed first.

Each kernel is started several times, the kernels in turn; cells run in rounds, each cell in all kernels before the next, so
that a slow minute of the machine hits all of them alike. A time is from sending the cell until the kernel has answered and is
idle again. The table shows medians of all rounds, and the slowest first time after a start in brackets. Every value goes to
a record in tests/latency/records.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
RECORDS = PROJECT / "tests" / "latency" / "records"

RUST = {
    "prelude": 'SeeFar::new(1).faint({i} % 10)?.dim()',
    "1 + 1": "1 + 1",
    "let x = 5;": "let x{i} = 5;",
    "a cell that calls the prelude": "judge::accuracy(&net, &few)?",
    "a type error": 'let wrong: i32 = "{i}";',
    "a syntax error": "let wrong = {i} +;",
    "a gallery of 20 pictures": "gallery(&few, 20)",
}
RUST_SETUP = "let data = Data::see_far(); let few = data.test.take(20)?; let net = Net::resnet(8, &data.train, 1)?;"

PYTHON = {
    "prelude": "import statistics; statistics.mean([1, 2, {i}])",
    "1 + 1": "1 + 1",
    "let x = 5;": "x{i} = 5",
    "a cell that calls the prelude": "statistics.mean(range(20))",
    "a type error": '1 + "{i}"',
    "a syntax error": "wrong = {i} +",
    "a gallery of 20 pictures": "gallery(20)",
}
PYTHON_SETUP = """
import base64, random, statistics, struct, zlib
from IPython.display import HTML
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
def png(size=32):
    rows = b"".join(b"\\0" + random.randbytes(3 * size) for _ in range(size))
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
def gallery(count):
    return HTML("".join(f'<img src="data:image/png;base64,{base64.b64encode(png()).decode()}">' for _ in range(count)))
"""

READY, FIRST = "start, until Jupyter calls it ready", "start, until the first result of a prelude cell"
CELLS = [label for label in RUST if label != "prelude"]
KERNELS = {"erm": (RUST, RUST_SETUP), "erm-stock": (RUST, RUST_SETUP), "python3": (PYTHON, PYTHON_SETUP)}


class Kernel:
    """A running kernel; its first cell is sent as soon as Jupyter calls it ready."""

    def __init__(self, name):
        from jupyter_client.manager import start_new_kernel

        self.name, self.times = name, {}
        self.cells, self.setup = KERNELS[name]
        began = time.perf_counter()
        self.manager, self.client = start_new_kernel(kernel_name=name, startup_timeout=600)
        self.times[READY] = [time.perf_counter() - began]
        status = self.execute(self.cells["prelude"].replace("{i}", "3"))
        self.times[FIRST] = [time.perf_counter() - began]
        assert status == "ok", f"{name}: the prelude cell ended with {status}"

    def prepare(self):
        """Makes what the cells use. A mistake comes first, before anything else has warmed up what finds it."""
        for label in ("a type error", "a syntax error"):
            self.time(label, 0)
        assert self.execute(self.setup) == "ok", f"{self.name}: the setup failed"

    def time(self, label, number):
        began = time.perf_counter()
        status = self.execute(self.cells[label].replace("{i}", str(number)))
        self.times.setdefault(label, []).append(time.perf_counter() - began)
        expected = "error" if label.endswith("error") else "ok"
        assert status == expected, f"{self.name}: {label} ended with {status}"

    def execute(self, code):
        def ignore(_message):
            pass

        reply = self.client.execute_interactive(code, timeout=600, output_hook=ignore, stop_on_error=False)
        return reply["content"]["status"]

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=3, help="how often each kernel is started")
    parser.add_argument("--rounds", type=int, default=5, help="how often each cell runs after a start")
    parser.add_argument("--erm", type=pathlib.Path, default=PROJECT / "target" / "release" / "erm")
    arguments = parser.parse_args()
    erm = arguments.erm.resolve()
    subprocess.run([erm, "warm"], check=True)
    times = {name: {} for name in KERNELS}
    with tempfile.TemporaryDirectory() as data:
        os.environ["JUPYTER_DATA_DIR"] = data
        register(erm, pathlib.Path(data))
        for number in range(arguments.starts):
            print(f"start {number + 1} of {arguments.starts}", file=sys.stderr, flush=True)
            for name, new in one_start(arguments.rounds).items():
                for label, values in new.items():
                    times[name].setdefault(label, []).append(values)
    print(table(times))
    path = write_record(times, arguments)
    print(f"\nwrote {path.relative_to(PROJECT)}")


def register(erm, data):
    """Makes our kernel and evcxr's known to Jupyter; ipykernel has made itself known."""
    subprocess.run([erm, "install"], check=True, stdout=subprocess.DEVNULL)
    ours = json.loads((data / "kernels" / "erm" / "kernel.json").read_text())
    stock = data / "kernels" / "erm-stock"
    stock.mkdir()
    argv = [str(erm), "kernel", "--stock", "--connection", "{connection_file}"]
    (stock / "kernel.json").write_text(json.dumps(ours | {"argv": argv}))


def one_start(rounds):
    """Starts every kernel once and runs every cell in it; what each took."""
    kernels = []
    try:
        for name in KERNELS:
            kernels.append(Kernel(name))
            kernels[-1].prepare()
        for number in range(1, rounds + 1):
            for label in CELLS:
                for kernel in kernels:
                    kernel.time(label, number)
    finally:
        for kernel in kernels:
            kernel.stop()
    return {kernel.name: kernel.times for kernel in kernels}


def table(times):
    lines = [f"{'seconds: median (slowest first time)':50}" + "".join(f"{name:>18}" for name in times)]
    for label in [READY, FIRST] + CELLS:
        line = f"{label:50}"
        for values in times.values():
            starts = values[label]
            everything = [value for start in starts for value in start]
            first = max(start[0] for start in starts)
            line += f"{statistics.median(everything):10.3f} ({first:5.2f})"
        lines.append(line)
    return "\n".join(lines)


def write_record(times, arguments):
    now = datetime.datetime.now(datetime.timezone.utc)
    record = {
        "what": "seconds from sending a cell until the kernel is idle again; a list for each start",
        "date": now.isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "versions": versions(arguments.erm),
        "starts": arguments.starts,
        "rounds": arguments.rounds,
        "seconds": {
            name: {label: [[round(v, 4) for v in start] for start in starts] for label, starts in labels.items()}
            for name, labels in times.items()
        },
    }
    RECORDS.mkdir(parents=True, exist_ok=True)
    path = RECORDS / f"latency-{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    return path


def commit():
    """The commit that was measured, with a mark if files differ from it."""
    git = ["git", "-C", str(PROJECT)]
    head = subprocess.run(git + ["rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run(git + ["status", "--porcelain", "-uno"], capture_output=True, text=True).stdout.strip()
    return (head or "unknown") + ("+changes" if changed else "")


def machine():
    known = pathlib.Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {"processor": models[0] if models else platform.processor(), "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}"}


def versions(erm):
    import ipykernel
    import jupyter_client

    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.strip()
    return {"rustc": rustc, "python": platform.python_version(), "ipykernel": ipykernel.__version__,
            "jupyter_client": jupyter_client.__version__}


if __name__ == "__main__":
    main()
