"""Types into `erm repl` on a terminal, as a person does, and checks what the screen says.

    python3 terminal.py ERM
"""

import os
import pty
import re
import select
import sys
import time

PROMPT = "erm> "
CONTROL_C, CONTROL_D, TAB, ENTER = "\x03", "\x04", "\t", "\r"


class Terminal:
    def __init__(self, program):
        self.process, self.master = pty.fork()
        if self.process == 0:
            os.environ["TERM"] = "xterm"
            os.execv(program, [program, "repl"])
        self.screen = ""

    def type(self, keys):
        self.screen = ""
        os.write(self.master, keys.encode())

    def expect(self, what, is_there, seconds=120):
        """Waits until the screen is as expected since the last key; what it says, without colours."""
        deadline = time.monotonic() + seconds
        while not is_there(said := re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.screen)):
            left = deadline - time.monotonic()
            assert left > 0, f"no {what} within {seconds} s in:\n{said}"
            if select.select([self.master], [], [], left)[0]:
                self.screen += os.read(self.master, 65536).decode(errors="replace")
        return said

    def expect_text(self, text):
        return self.expect(repr(text), lambda said: text in said)

    def expect_question(self, prompt):
        """Waits until a question is the last thing on the screen: what was typed may contain it, too."""
        return self.expect(repr(prompt), lambda said: said.rstrip("\r").endswith(prompt))

    def complete(self, start, whole):
        """Types a start and presses Tab as a person does: again, while the sources are still read."""
        self.type(start)
        deadline = time.monotonic() + 120
        while whole not in self.screen:
            assert time.monotonic() < deadline, f"no {whole!r} in:\n{self.screen}"
            os.write(self.master, TAB.encode())
            while select.select([self.master], [], [], 2)[0] and whole not in self.screen:
                self.screen += os.read(self.master, 65536).decode(errors="replace")

    def expect_prompt(self, seconds=120):
        return self.expect("prompt", lambda said: said.rstrip("\r").endswith(PROMPT), seconds)

    def run(self, code):
        """Types a cell and gives what the screen says until the next prompt."""
        self.type(code + ENTER)
        return self.expect_prompt()

    def end(self):
        self.type(CONTROL_D)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def main(program):
    terminal = Terminal(program)
    terminal.expect_prompt(600)
    terminal.run("let x = 20;")
    assert "\n42" in terminal.run("x + 22")

    # A cell goes on until its brackets are closed.
    terminal.type("fn twice(a: i32) -> i32 {" + ENTER + "a * 2" + ENTER)
    terminal.expect_text("a * 2")
    terminal.run("}")
    assert "\n40" in terminal.run("twice(x)")

    # Tab completes; at the prompt Ctrl-C gives the line up.
    terminal.complete("judge::robust_acc", "judge::robust_accuracy")
    terminal.type(CONTROL_C)
    terminal.expect_prompt()

    # A question is asked here, and a secret is not shown.
    terminal.type('let name = input("name? ")?;' + ENTER)
    terminal.expect_question("name? ")
    terminal.run("Ilyas")
    assert "\n5" in terminal.run("name.len()")
    terminal.type('let word = show::password("word? ")?;' + ENTER)
    terminal.expect_question("word? ")
    assert "sesame" not in terminal.run("sesame")
    assert "\n6" in terminal.run("word.len()")

    # An error is told, and so is an interrupt; variables survive both.
    assert "mismatched types" in terminal.run('let y: u32 = "a";')
    terminal.type('println!("beg{}", "un"); loop { show::check_interrupt()?; }' + ENTER)
    terminal.expect_text("begun")
    terminal.type(CONTROL_C)
    assert "nterrupted" in terminal.expect_prompt(30)
    assert "\n42" in terminal.run("x + 22")
    assert terminal.end() == 0
    print("all as expected")


main(sys.argv[1])
