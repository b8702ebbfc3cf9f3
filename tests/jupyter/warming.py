"""A kernel whose session is still being made, for which a stand-in takes the place of cargo."""

import os
import stat
import sys
import tempfile
import time
import unittest
from pathlib import Path

from kernel import Kernel, living

# Builds two crates of four and then takes for ever.
CARGO = """#!{python}
import json, sys, time
if sys.argv[1] == "metadata":
    print(json.dumps({{"resolve": {{"nodes": [1, 2, 3, 4]}}}}))
else:
    for name in ("one", "two"):
        target = {{"kind": ["lib"], "name": name}}
        print(json.dumps({{"reason": "compiler-artifact", "package_id": name, "target": target}}))
    sys.stdout.flush()
    time.sleep(1000)
"""
RUSTUP = """#!/bin/sh
case $2 in
cargo) echo {folder}/cargo ;;
*) exec {rustup} which "$2" ;;
esac
"""


def program(path, text):
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


class Warming(unittest.TestCase):
    def test_a_kernel_answers_while_it_warms_up_and_can_be_stopped(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = os.environ["PATH"].split(os.pathsep)
            rustup = next(p for p in paths if Path(p, "rustup").exists())
            program(Path(folder, "cargo"), CARGO.format(python=sys.executable))
            program(Path(folder, "rustup"), RUSTUP.format(folder=folder, rustup=Path(rustup, "rustup")))
            path = os.pathsep.join([folder, *paths])
            began = time.time()
            with Kernel(env={**os.environ, "PATH": path, "ERM_CACHE": f"{folder}/cache"}) as kernel:
                self.assertLess(time.time() - began, 5)
                self.answers(kernel)

    def answers(self, kernel):
        first, second = kernel.send("1 + 1"), kernel.send("2 + 2")
        shown = kernel.wait_for(first, "display_data")["data"]
        self.assertRegex(shown["text/plain"], r"\b2 of \d crates")
        self.assertIn("left", shown["text/plain"])
        reply, seconds = kernel.ask("complete_request", code="x", cursor_pos=1)
        self.assertEqual((reply["matches"], seconds < 1), ([], True))
        self.assertLess(kernel.interrupt(), 1)
        ran = kernel.finish(first)
        self.assertEqual(ran.reply["ename"], "Interrupted")
        self.assertEqual(ran.kinds()[-2:], ["update_display_data", "error"])
        self.assertEqual(kernel.reply(second)["status"], "aborted")
        processes = kernel.processes()
        self.assertGreater(len(processes), 1)
        kernel.client.shutdown()
        self.assertEqual(kernel.client.get_control_msg(timeout=10)["msg_type"], "shutdown_reply")
        self.assertEqual(living(processes), [])


if __name__ == "__main__":
    unittest.main()
