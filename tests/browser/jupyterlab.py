"""A real JupyterLab of the tests' own: its server, and what a reader does in its page."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager

from browser.servers import a_server

TOKEN = "test-token"
TIMEOUT = 60_000  # milliseconds: a kernel that starts on a busy machine takes its time
OPTIONS = [
    "--no-browser",
    "--allow-root",
    "--ip=127.0.0.1",
    "--ServerApp.port_retries=0",
    f"--IdentityProvider.token={TOKEN}",
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.extension_manager=readonly",
]
IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


class Lab:
    """A JupyterLab that serves the notebooks in a folder."""

    def __init__(self, chromium, port, folder):
        self.port, self.folder = port, folder
        self.failures, self.requests = [], []
        self.context = chromium.new_context(viewport={"width": 1280, "height": 1000})

    def write(self, name, *cells):
        """Write a notebook with these cells."""
        from nbformat import v4

        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernel})
        self.store(name, notebook)

    def store(self, name, notebook):
        import nbformat

        nbformat.write(notebook, self.folder / name)

    def read(self, name):
        import nbformat

        return nbformat.read(self.folder / name, 4)

    def open(self, name, wait_for_kernel=True):
        """Open a notebook in a page of its own."""
        for other in self.context.pages:
            other.close()
        page = self.context.new_page()
        page.set_default_timeout(TIMEOUT)
        page.on("pageerror", lambda error: self.failures.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(f"http://127.0.0.1:{self.port}/lab/tree/{name}?token={TOKEN}&reset")
        if wait_for_kernel:
            page.wait_for_function(IDLE)
        return page

    def addresses_elsewhere(self):
        """What the pages asked of other machines."""
        ours = ("data:", "blob:", f"http://127.0.0.1:{self.port}/", f"ws://127.0.0.1:{self.port}/")
        return {url for url in self.requests if not url.startswith(ours)}

    def close(self):
        self.context.close()


@contextmanager
def a_lab(chromium, folder):
    """Start a JupyterLab with settings in a temporary folder, without the pop-up that asks whether to show news."""
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    places = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]
    settings = folder / "JUPYTER_CONFIG_DIR/lab/user-settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False})
    )

    def command(port):
        lab = [sys.executable, "-m", "jupyterlab", f"--port={port}", f"--ServerApp.root_dir={notebooks}"]
        return [*lab, *OPTIONS]

    def address(port):
        return f"http://127.0.0.1:{port}/api/status?token={TOKEN}"

    environment = {place: str(folder / place) for place in places}
    with a_server(command, address, folder / "jupyterlab.log", **environment) as port:
        lab = Lab(chromium, port, notebooks)
        yield lab
        lab.close()


def do(page, command, **arguments):
    """Execute one of JupyterLab's commands."""
    page.evaluate("([command, args]) => window.jupyterapp.commands.execute(command, args)", [command, arguments])


def run_all(page):
    do(page, "notebook:run-all-cells")
    page.wait_for_function(IDLE)


def run_cell(page, code):
    """Put a cell at the end, run it, and return what it printed."""
    page.evaluate(
        """async code => {
            const { content } = window.jupyterapp.shell.currentWidget, { commands } = window.jupyterapp;
            content.activeCellIndex = content.widgets.length - 1;
            await commands.execute("notebook:insert-cell-below");
            content.activeCell.model.sharedModel.setSource(code);
            await commands.execute("notebook:run-cell");
        }""",
        code,
    )
    return page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.getOutputs().map(
            output => [output.text ?? output.evalue ?? output.data?.["text/plain"] ?? ""].flat().join("")).join("")"""
    ).strip()


def save(page):
    do(page, "docmanager:save")
