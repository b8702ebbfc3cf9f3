"""The many ways in which a kernel ends, and what it leaves behind: nothing."""

import os
import signal
import time
import unittest
from pathlib import Path

from kernel import Kernel, living

LOOP = "loop { std::hint::black_box(1); }"
# Enough functions to keep the compiler busy.
LONG = "\n".join(
    f"pub fn f{i}(x: f64) -> Vec<f64> {{ (0..{i}).map(|i| x.powi(i)).collect() }}" for i in range(3000)
)


class Ends(unittest.TestCase):
    def nothing_is_left(self, kernel, processes, folders):
        self.assertEqual(living(processes), [])
        self.assertEqual([folder for folder in folders if folder.exists()], [])

    def test_a_restart_forgets_variables_and_counts_from_one(self):
        with Kernel() as kernel:
            kernel.ok("let x = 1;")
            processes, folders = kernel.processes(), kernel.work_folders()
            self.assertEqual(len(folders), 1)
            began = time.time()
            kernel.manager.restart_kernel()
            kernel.client.wait_for_ready(timeout=60)
            self.assertLess(time.time() - began, 10)
            self.nothing_is_left(kernel, processes, folders)
            self.assertEqual(kernel.ok("6 * 7").reply["execution_count"], 1)
            self.assertEqual(kernel.run("x").status, "error")

    def test_a_shutdown_is_answered_also_while_a_cell_runs_or_compiles(self):
        for code in (None, LOOP, LONG):
            with self.subTest(code=code and code[:20]), Kernel() as kernel:
                kernel.ok("let x = 1;")
                if code:
                    request = kernel.send(code)
                    kernel.wait_for(request, "execute_input")
                    kernel.wait_until(lambda: code == LOOP or "rustc" in kernel.names())
                    time.sleep(1)
                processes, folders = kernel.processes(), kernel.work_folders()
                began = time.time()
                kernel.client.shutdown()
                reply = kernel.client.get_control_msg(timeout=10)
                self.assertEqual(reply["msg_type"], "shutdown_reply")
                self.assertLess(time.time() - began, 5)
                self.nothing_is_left(kernel, processes, folders)

    def test_the_system_may_end_it(self):
        with Kernel() as kernel:
            kernel.ok("let x = 1;")
            processes, folders = kernel.processes(), kernel.work_folders()
            kernel.process.send_signal(signal.SIGTERM)
            self.nothing_is_left(kernel, processes, folders)

    def test_two_kernels_live_side_by_side_and_each_outlives_the_death_of_its_cells(self):
        with Kernel() as one, Kernel() as two:
            requests = one.send("let x = 1;"), two.send("let x = 2;")
            self.assertEqual(one.finish(requests[0]).status, "ok")
            self.assertEqual(two.finish(requests[1]).status, "ok")
            self.assertEqual((one.ok("x").result(), two.ok("x").result()), ("1", "2"))
            one.cell_process().kill()
            killed = one.run("x")
            self.assertEqual(killed.status, "error")
            self.assertIn("variables are lost", killed.reply["evalue"])
            self.assertEqual(one.ok("let x = 3; x").result(), "3")
            self.assertEqual(two.ok("x").result(), "2")

    def test_nothing_outlives_a_kernel_that_was_killed(self):
        for code in (None, LOOP):
            with self.subTest(code=code), Kernel() as kernel:
                kernel.ok("let x = 1;")
                if code:
                    kernel.wait_for(kernel.send(code), "execute_input")
                    time.sleep(1)
                processes, folders = kernel.processes(), kernel.work_folders()
                # Only the kernel itself: Jupyter would end all that belongs to it.
                os.kill(kernel.process.pid, signal.SIGKILL)
                self.assertEqual(living(processes), [])
        # The next session takes its folder away; that may be one of another test.
        with Kernel() as kernel:
            kernel.ok("1")
            self.nothing_is_left(kernel, [], folders)

    def test_it_ends_with_the_program_that_started_it(self):
        starter = """
import os, sys
sys.path.insert(0, {here!r})
from kernel import Kernel
kernel = Kernel()
kernel.ok("let x = 1;")
print(*(process.pid for process in kernel.processes()), flush=True)
os._exit(0)
"""
        import subprocess
        import sys

        import psutil

        starter = starter.format(here=str(Path(__file__).parent))
        ran = subprocess.run([sys.executable, "-c", starter], capture_output=True, text=True)
        numbers = [int(number) for number in ran.stdout.split()]
        self.assertGreater(len(numbers), 1, ran.stderr)
        still = [psutil.Process(number) for number in numbers if psutil.pid_exists(number)]
        self.assertEqual(living(still), [])


if __name__ == "__main__":
    unittest.main()
