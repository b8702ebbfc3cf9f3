"""What an interrupt meets: nothing, the compiler, a cell that stops, a cell that does not."""

import time
import unittest

from cells import OneKernel, escape

# A job of the prelude that counts for a minute, and stops when it is told to.
COUNTING = """
let bar = erm::show::Progress::start("counting", "sheep", 600);
for _ in 0..600 {
    std::thread::sleep(std::time::Duration::from_millis(100));
    bar.advance(1);
    bar.check_interrupt()?;
}
"""


class Interrupts(OneKernel):
    def test_nothing_happens_where_nothing_runs(self):
        self.kernel.ok("let kept = 1;")
        self.assertLess(self.kernel.interrupt(), 1)
        self.assertEqual(self.kernel.ok("kept").result(), "1")

    def test_only_the_compiler_is_stopped_while_it_works(self):
        self.kernel.ok("let kept = 2;")
        # Many functions, so that the compiler has something to do for a while.
        functions = (f"pub fn f{i}(x: f64) -> Vec<f64> {{ (0..{i}).map(|i| x.powi(i)).collect() }}" for i in range(3000))
        request = self.kernel.send("\n".join(functions))
        self.kernel.wait_until(lambda: "rustc" in self.kernel.names())
        self.assertLess(self.kernel.interrupt(), 1)
        began = time.time()
        ran = self.kernel.finish(request)
        self.assertEqual((ran.status, ran.kinds()), ("error", ["error"]))
        self.assertLess(time.time() - began, 10)
        self.assertNotIn("rustc", self.kernel.names())
        self.assertEqual(self.kernel.ok("kept").result(), "2")

    def test_a_job_of_the_prelude_stops_and_all_variables_are_kept(self):
        self.kernel.ok("let kept = 3; let mut sheep = 0;")
        request = self.kernel.send("sheep = 7;" + COUNTING)
        waiting = self.kernel.send("sheep = 8;")
        self.kernel.wait_for(request, "display_data")
        self.assertLess(self.kernel.interrupt(), 1)
        ran = self.kernel.finish(request)
        self.assertEqual((ran.status, ran.reply["ename"]), ("error", "Interrupted"))
        self.assertIn("counting", ran.reply["evalue"])
        self.assertRegex(ran.reply["traceback"][0], "^Interrupted: (?!interrupted)")
        self.assertEqual(self.kernel.reply(waiting)["status"], "aborted")
        self.assertEqual(self.kernel.ok("kept + sheep").result(), "10")

    def test_the_picture_of_interrupted_work_stays_unless_something_else_is_shown(self):
        live = '{"live":{"data":{"text/plain":"PICTURE"},"id":"curve"}}'
        gone = '{"live":{"data":{},"id":"curve"}}'
        listen = "while !erm::show::interrupted() { std::thread::sleep(std::time::Duration::from_millis(10)); }"
        for end, pictures in (("", []), ("1", [{}])):
            request = self.kernel.send(escape(live) + listen + escape(gone) + end)
            self.kernel.wait_for(request, "display_data")
            self.kernel.interrupt()
            ran = self.kernel.finish(request)
            self.assertEqual(ran.reply["ename"], "Interrupted")
            self.assertEqual([content["data"] for content in ran.of("update_display_data")], pictures)

    def test_a_loop_that_never_looks_is_killed_and_the_loss_is_told(self):
        self.kernel.ok("let kept = 4; fn kept_too() -> i32 { 5 }")
        request = self.kernel.send("loop { std::hint::black_box(1); }")
        self.kernel.wait_for(request, "execute_input")
        process = self.running_cell()
        began = time.time()
        self.assertLess(self.kernel.interrupt(), 1)
        ran = self.kernel.finish(request)
        self.assertEqual(ran.status, "error")
        self.assertGreater(time.time() - began, 4)
        self.assertLess(time.time() - began, 15)
        self.assertIn("variables are lost", ran.reply["evalue"])
        self.assertFalse(process.is_running())
        self.assertEqual(self.kernel.run("kept").status, "error")
        self.assertEqual(self.kernel.ok("kept_too()").result(), "5")

    def test_a_second_interrupt_kills_at_once(self):
        request = self.kernel.send("loop { std::hint::black_box(1); }")
        self.kernel.wait_for(request, "execute_input")
        self.running_cell()
        began = time.time()
        self.kernel.interrupt()
        time.sleep(0.5)
        self.kernel.interrupt()
        self.assertEqual(self.kernel.finish(request).status, "error")
        self.assertLess(time.time() - began, 4.5)
        self.assertEqual(self.kernel.ok("1 + 1").result(), "2")

    def running_cell(self):
        """The process that works hard in a cell's loop."""
        def busy():
            ours = [p for p in self.kernel.process.children(recursive=True) if p.name() == "erm"]
            return [p for p in ours if p.cpu_percent(0.3) > 20]

        self.kernel.wait_until(busy)
        return busy()[0]


if __name__ == "__main__":
    unittest.main()
