"""Walks through what a person does with the notebook in JupyterLab, and says how it went, a line each.

    python walk.py NOTEBOOK FOLDER

NOTEBOOK is copied to FOLDER, without its outputs; FOLDER also takes the pictures of the screen. The kernel `erm` must be
registered where JUPYTER_DATA_DIR says. It needs a Python with jupyterlab and playwright, and Debian's chromium.
"""

import json
import pathlib
import sys
import time

from lab import CHARTS, Notebook, browser, server, wait

TRAINING = """let mut half = Net::resnet(8, &data.train, 5)?;
let log = half.train(&data.train, &Recipe::standard(Scale::Demo).epochs(30))?;"""


def main(notebook, folder):
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    name = notebook.name
    (folder / "notebooks" / name).write_text(json.dumps(without_outputs(notebook)))
    with server(folder) as address, browser(folder) as page:
        book = Notebook(page, address, name, folder)
        try:
            for step in (run_all, interrupt_and_go_on, complete, restart):
                began = time.monotonic()
                said = step(book)
                print(f"{step.__name__}: {said} ({time.monotonic() - began:.1f} s)", flush=True)
        except BaseException:
            book.photograph("failed")
            raise


def without_outputs(notebook):
    content = json.loads(notebook.read_text())
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return content


def run_all(book):
    """Charts appear while later cells still run, and a training shows how far it is."""
    assert book.charts() == 0
    book.wait_for_idle(300)
    book.menu("Run", "Run All Cells")
    seen, live = [], []

    def is_over():
        count, busy = book.charts(), is_running(book)
        if busy and count and not seen:
            book.photograph("first-chart", book.page.locator(CHARTS).first)
        if busy and count and (not seen or count > seen[-1]):
            seen.append(count)
        training = training_cell(book)
        if not live and "epoch 2" in training.inner_text():
            live.append(count)
            book.photograph("training", training)
        return count and not busy

    wait("all cells", is_over, 400, 0.1)
    book.photograph("all-run")
    assert_no_errors(book)
    assert len(seen) >= 3, f"charts while cells ran: {seen}"
    assert live, "no training was drawn while it ran"
    return f"charts while cells ran: {seen}, then {book.charts()}"


def is_running(book):
    return "[*]:" in book.page.locator(".jp-Notebook .jp-InputPrompt").all_inner_texts()


def training_cell(book):
    return book.cells.filter(has_text="net.train(").first


def assert_no_errors(book):
    errors = book.page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]')
    assert errors.count() == 0, errors.first.inner_text()


def interrupt_and_go_on(book):
    """The stop button ends a training, and the next cell goes on with the half-trained net."""
    before = book.charts()
    cell = book.start(TRAINING)
    drawn = lambda: "epoch 2" in book.text(cell) and book.charts() > before
    wait("the second epoch and a curve to be drawn", drawn, 120)
    book.photograph("before-interrupt")
    pressed = time.monotonic()
    book.page.locator('.jp-Toolbar [data-command="notebook:interrupt-kernel"]').first.click()
    wait("the interrupted cell to end", lambda: book.prompt(cell) != "[*]:", 30, 0.05)
    took = time.monotonic() - pressed
    book.photograph("interrupted")
    assert book.charts() == before + 1, "the curve of the interrupted training is gone"
    for words in ("Interrupted: ", "the variables are kept"):
        assert words in book.text(cell), book.text(cell)
    accuracy = float(book.run("judge::accuracy(&half, &data.test)?"))
    # Ten classes, and not much more than an epoch.
    assert accuracy > 0.2, f"a net that learned nothing: {accuracy}"
    charts = book.charts()
    said = book.run("half.train(&data.train, &Recipe::standard(Scale::Demo).epochs(1))?")
    book.photograph("went-on")
    assert book.charts() == charts + 1, f"no chart of the training that goes on: {said}"
    return f"stopped after {took:.2f} s, the net is right about {accuracy:.0%} and trains on"


def complete(book):
    """Tab completes a name of the prelude and one of the notebook's own variables."""
    cell = book.add("judge::robust_acc")
    completed(book, cell, "judge::robust_accuracy")
    book.photograph("completed")
    cell = book.add("let once = data.tr")
    completed(book, cell, "let once = data.train")
    return "judge::robust_accuracy, data.train"


def completed(book, cell, expected):
    def has_it():
        return expected in cell.locator(".cm-content").inner_text()

    book.page.keyboard.press("Tab")
    menu = book.page.locator(".jp-Completer:visible .jp-Completer-item")
    wait(f"a completion to {expected}", lambda: has_it() or menu.count(), 20, 0.05)
    if not has_it():
        book.photograph("completion-menu")
        book.page.keyboard.press("Enter")
    wait(expected, has_it, 5)


def restart(book):
    """A restart takes the variables away, and the prelude is there again at once."""
    book.menu("Kernel", "Restart Kernel…")
    began = time.monotonic()
    book.page.locator(".jp-Dialog .jp-mod-accept").click()
    wait("the restart to begin", lambda: not book.kernel_is("Idle"), 10, 0.02)
    book.wait_for_idle()
    answer = book.run("1 + 1")
    took = time.monotonic() - began
    assert answer == "2", answer
    assert "cannot find value `half`" in book.run("judge::accuracy(&half, &data.test)?")
    book.photograph("restarted")
    return f"first result after {took:.1f} s"


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
