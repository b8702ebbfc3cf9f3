"""JupyterLab in a real browser, as a person drives it: by its menus, its toolbar and its keys."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]

# Off the screen, JupyterLab takes cells out of the page; and it asks for news, which nobody wants here.
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


# Pictures and tables in the outputs of cells.
CHARTS = ".jp-Notebook .jp-OutputArea-output :is(img, svg, table)"


def wait(what, until, seconds=60, every=0.1):
    """Waits until `until()` is true, and says what did not come if it never is."""
    deadline = time.monotonic() + seconds
    while not (seen := until()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(every)
    return seen


@contextlib.contextmanager
def server(folder: pathlib.Path):
    """A JupyterLab of its own for the notebooks in a folder; gives its address."""
    settings = folder / "settings" / "@jupyterlab"
    for name, values in SETTINGS.items():
        file = settings / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    notebooks = folder / "notebooks"
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
        "--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0", "--IdentityProvider.token=",
        f"--ServerApp.root_dir={notebooks}",
    ]
    environment = os.environ | {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    with open(folder / "server.log", "w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=notebooks)
    address = f"http://127.0.0.1:{port}/lab"
    try:
        wait("JupyterLab's page", lambda: process.poll() is not None or is_up(address))
        assert process.poll() is None, (folder / "server.log").read_text()[-3000:]
        yield address
    finally:
        # Its own signal for "shut down", which also ends the kernels.
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def is_up(address):
    try:
        return urllib.request.urlopen(address, timeout=5).status == 200
    except OSError:
        return False


@contextlib.contextmanager
def browser(folder: pathlib.Path):
    """A page in Debian's Chromium with nothing remembered from before."""
    from playwright.sync_api import sync_playwright

    profile = folder / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(profile), executable_path=shutil.which("chromium"), args=FLAGS,
            viewport={"width": 1280, "height": 1000},
        )
        try:
            yield context.new_page()
        finally:
            context.close()


class Notebook:
    """An open notebook."""

    def __init__(self, page, address, name, pictures):
        self.page, self.pictures = page, pictures
        page.goto(f"{address}/tree/{name}")
        self.cells = page.locator(".jp-Notebook .jp-Cell")
        self.status = page.locator("#jp-main-statusbar")
        wait("the notebook's cells", lambda: self.cells.count() > 0)

    def menu(self, name, entry):
        """Clicks an entry of the menu bar."""
        self.page.locator(".lm-MenuBar-itemLabel", has_text=name).first.click()
        self.page.locator(".lm-Menu-itemLabel").get_by_text(entry, exact=True).click()

    def kernel_is(self, state):
        """Whether the kernel is in this state, as the line below says it."""
        return f"| {state}" in self.status.inner_text()

    def wait_for_idle(self, seconds=120):
        wait("a kernel at rest", lambda: self.kernel_is("Idle"), seconds)

    def charts(self):
        """How many pictures and tables are in the outputs."""
        return self.page.locator(CHARTS).count()

    def add(self, code):
        """Adds a cell at the end with this code, which is then being edited."""
        self.cells.last.locator(".jp-InputPrompt, .jp-InputArea-prompt").first.click()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        self.page.keyboard.press("Enter")
        self.page.keyboard.insert_text(code)
        return self.cells.last

    def start(self, code):
        """Adds a cell and runs it, without waiting for its end."""
        cell = self.add(code)
        self.page.keyboard.press("Control+Enter")
        wait("the cell to begin", lambda: self.prompt(cell) not in ("[ ]:", ""), 10, 0.02)
        return cell

    def run(self, code, seconds=120):
        """Adds a cell, runs it to its end, and gives what it printed."""
        cell = self.start(code)
        wait(f"the end of {code!r}", lambda: self.prompt(cell) != "[*]:", seconds, 0.05)
        return self.text(cell)

    def prompt(self, cell):
        return cell.locator(".jp-InputPrompt").inner_text().strip()

    def text(self, cell):
        return "\n".join(cell.locator(".jp-OutputArea-output").all_inner_texts()).strip()

    def photograph(self, name, of=None):
        """Keeps what the screen shows, for whoever wants to look at it, with something in view if so wished."""
        if of is not None:
            of.scroll_into_view_if_needed()
        self.page.screenshot(path=self.pictures / f"{name}.png")
