"""What the tests of this folder share: a kernel under Jupyter's own client, and what it sends.

Every test runs with a registered kernel `erm` (JUPYTER_DATA_DIR says where) and a cache (ERM_CACHE)
that holds the prelude; tests/jupyter.rs sees to both.
"""

import os
import time
from pathlib import Path
from queue import Empty

import psutil
from jupyter_client.manager import start_new_kernel

# A cell that takes longer than this hangs.
PATIENCE = 120


class Kernel:
    """One kernel with one client."""

    def __init__(self, **options):
        self.manager, self.client = start_new_kernel(
            kernel_name="erm", startup_timeout=PATIENCE, **options
        )
        self.process = psutil.Process(self.manager.provisioner.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        """Shuts the kernel down, if it still lives."""
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel()

    def processes(self):
        """The kernel and all that it has started."""
        return [self.process, *self.process.children(recursive=True)]

    def names(self):
        """The names of all processes that the kernel has started."""
        return [name_of(process) for process in self.process.children(recursive=True)]

    def cell_process(self):
        """The process in which cells run."""
        return psutil.Process(int(self.ok("std::process::id()").result()))

    def work_folders(self):
        """The folders that belong to this kernel."""
        return list(Path(os.environ["ERM_CACHE"], "sessions").glob(f"{self.process.pid}-*"))

    def send(self, code, **options):
        """Sends a cell, and gives the name of the request."""
        return self.client.execute(code, **options)

    def run(self, code, **options):
        """Runs a cell to its end."""
        return self.finish(self.send(code, **options))

    def ok(self, code, **options):
        """Runs a cell that must not fail."""
        ran = self.run(code, **options)
        assert ran.status == "ok", ran.reply
        return ran

    def finish(self, request, answers=()):
        """Waits for the end of a cell that was sent, and answers what it asks."""
        messages, answers, asked = [], list(answers), []
        until = time.time() + PATIENCE
        while not is_idle(messages):
            if self.client.stdin_channel.msg_ready():
                asked.append(self.client.get_stdin_msg(timeout=1)["content"])
                self.client.input(answers.pop(0))
            assert time.time() < until, f"no end of the cell: {messages}"
            messages += self.published(request, timeout=0.1)
        return Ran(self.reply(request), messages, asked)

    def published(self, request, timeout=1):
        """The next message that belongs to a request, if there is one in time."""
        try:
            message = self.client.get_iopub_msg(timeout=timeout)
        except Empty:
            return []
        return [message] if message["parent_header"].get("msg_id") == request else []

    def wait_for(self, request, kind, holds=lambda content: True):
        """Waits until a cell publishes a message of a kind, and gives its content."""
        until = time.time() + PATIENCE
        while time.time() < until:
            for message in self.published(request):
                if message["msg_type"] == kind and holds(message["content"]):
                    return message["content"]
        raise AssertionError(f"no {kind} came")

    def wait_until(self, holds):
        """Waits until something holds that no message tells of."""
        until = time.time() + PATIENCE
        while not holds():
            assert time.time() < until, "it never came to hold"
            time.sleep(0.02)

    def reply(self, request, timeout=PATIENCE):
        """The content of the reply to a request; replies to others are thrown away."""
        until = time.time() + timeout
        while True:
            message = self.client.get_shell_msg(timeout=max(0.01, until - time.time()))
            if message["parent_header"]["msg_id"] == request:
                return message["content"]

    def ask(self, kind, timeout=PATIENCE, **content):
        """Sends any request on the shell socket, and gives the reply and the seconds it took."""
        began = time.time()
        request = self.client.session.send(self.client.shell_channel.socket, kind, content)
        return self.reply(request["header"]["msg_id"], timeout), time.time() - began

    def interrupt(self):
        """Interrupts, and gives the seconds until the kernel has answered."""
        began = time.time()
        self.client.control_channel.send(self.client.session.msg("interrupt_request", {}))
        reply = self.client.get_control_msg(timeout=PATIENCE)
        assert reply["content"]["status"] == "ok", reply
        return time.time() - began

    def drain(self):
        """Throws away what was published and not read."""
        while self.client.iopub_channel.msg_ready():
            self.client.get_iopub_msg(timeout=1)


class Ran:
    """What a cell gave."""

    def __init__(self, reply, messages, asked):
        self.reply, self.messages, self.asked = reply, messages, asked
        self.status = reply["status"]

    def of(self, kind):
        """The contents of all messages of a kind."""
        return [m["content"] for m in self.messages if m["msg_type"] == kind]

    def kinds(self):
        """The kinds of the messages in order, without status and input."""
        kinds = [message["msg_type"] for message in self.messages]
        return [kind for kind in kinds if kind not in ("status", "execute_input")]

    def text(self, name="stdout"):
        """All that was printed on a stream."""
        return "".join(c["text"] for c in self.of("stream") if c["name"] == name)

    def result(self):
        """The text of the cell's value."""
        results = self.of("execute_result")
        return results[0]["data"]["text/plain"] if results else None


def is_idle(messages):
    return any(
        m["msg_type"] == "status" and m["content"]["execution_state"] == "idle" for m in messages
    )


def name_of(process):
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def living(processes):
    """Those of the processes that go on after a moment."""
    _, alive = psutil.wait_procs(processes, timeout=10)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
