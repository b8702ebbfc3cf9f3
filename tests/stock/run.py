"""Runs a notebook in evcxr's own kernel after one cell more, and prints what each cell gave, a JSON object a line.

    python run.py KERNEL PRELUDE WORK LOCK NOTEBOOK

KERNEL is the program, PRELUDE the folder of the crate, WORK a work folder with that crate built in it, and LOCK the file with
the versions it was built with: evcxr tries a dependency in a manifest without any other, which forgets them, and the build
after that would take the newest ones and build everything anew. A user of that kernel has neither WORK nor LOCK, and waits for the build instead.
"""

import json
import os
import pathlib
import shlex
import sys

from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec


def main(kernel, prelude, work, lock, notebook):
    environment = os.environ | {"EVCXR_TMPDIR": work, "EVCXR_CONFIG_DIR": str(pathlib.Path(work) / "no-settings")}
    manager = KernelManager(kernel_name="stock")
    manager._kernel_spec = KernelSpec(argv=[kernel, "--control_file", "{connection_file}"], language="rust")
    # What the kernel itself says is for the log; ours is read by a program.
    manager.start_kernel(env=environment, cwd=str(pathlib.Path(notebook).parent), stdout=sys.stderr)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=300)
        kept = f"!cp {shlex.quote(lock)} {shlex.quote(work)}/Cargo.lock"
        dependency = f':dep erm = {{ path = "{prelude}", package = "erm-prelude" }}\n{kept}\nuse erm::prelude::*;'
        for code in [dependency, *code_cells(notebook)]:
            given = run(client, code)
            print(json.dumps(given), flush=True)
            if given["status"] != "ok":
                break
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def code_cells(notebook):
    cells = json.loads(pathlib.Path(notebook).read_text())["cells"]
    sources = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return [source for source in sources if source.strip()]


def run(client, code):
    given = {"status": "", "kinds": [], "stdout": "", "stderr": "", "error": ""}

    def hear(message):
        content = message["content"]
        if message["msg_type"] == "stream":
            given[content["name"]] += content["text"]
        elif message["msg_type"] in ("execute_result", "display_data"):
            given["kinds"] += sorted(content["data"])
        elif message["msg_type"] == "error":
            given["error"] += "\n".join(content["traceback"])

    reply = client.execute_interactive(code, timeout=300, output_hook=hear, stop_on_error=False)
    return given | {"status": reply["content"]["status"]}


main(*sys.argv[1:])
