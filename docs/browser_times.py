"""What the pages that compute in the browser weigh, and how long their first stepper takes, printed as a table.

``python docs/browser_times.py SITE`` measures ``try.html`` of a site that is there, in Chromium, with an empty cache
each time, from a server on this machine. It needs Playwright and Chromium.
"""

from __future__ import annotations

import functools
import http.server
import shutil
import statistics
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import try_page

PAGES = [
    "index.html",
    "lessons/01_backprop_step_by_step.html",
    "howto/own_operation.html",
    "derivatives.html",
    "api/nn.html",
    "playground.html",
    "try.html",
]
STARTS, KEYS = 3, "+x*w+b*b+w*w"
WATCHED = """(() => { new MutationObserver(() => {
    if (document.querySelector("#stepper .am-stepper svg")) window.took ??= performance.now();
}).observe(document, { childList: true, subtree: true }); })()"""
TIMED = """() => { window.times = []; let pressed = 0;
    document.querySelector("#formula").addEventListener("keydown", event => { pressed = event.timeStamp; });
    new MutationObserver(() => { if (pressed && document.querySelector("#stepper .am-stepper svg"))
        requestAnimationFrame(() => { if (pressed) times.push(performance.now() - pressed); pressed = 0; });
    }).observe(document.querySelector("#stepper"), { childList: true }); }"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve a folder on this machine, at an address that ends with a slash."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def measured(browser: Any, address: str) -> tuple[float, list[float]]:
    """Return the milliseconds until the first stepper, and those from each key to the stepper that it gives."""
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCHED)
    page.goto(address + "try.html")
    page.wait_for_function("() => window.took", timeout=120_000)
    first = page.evaluate("took")
    page.wait_for_timeout(1000)
    page.evaluate(TIMED)
    page.locator("#formula").focus()
    page.locator("#formula").press("End")
    for key in KEYS:
        page.keyboard.press(key)
        page.wait_for_timeout(600)  # so that what stands below is made in between, as it is for a reader
    times = page.evaluate("times")
    context.close()
    return first, times


def page_weight(browser: Any, address: str, path: str) -> tuple[int, int]:
    """Return how many files a page of the site loads by itself, and their bytes without gzip."""
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    page, sizes = context.new_page(), []
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    page.goto(address + path, wait_until="networkidle")
    context.close()
    return len(sizes), sum(sizes)


def main() -> None:
    """Print the tables: what the page with a formula loads, what other pages load, and the times."""
    from playwright.sync_api import sync_playwright

    site = Path(sys.argv[1] if len(sys.argv) > 1 else "site")
    try_page.print_weights(site)
    with served(site) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        print()
        for path in PAGES:
            if (site / path).exists():
                count, size = page_weight(browser, address, path)
                print(f"{size:12,} bytes in {count:3} files  {path}")
        starts = [measured(browser, address) for _ in range(STARTS)]
        print(f"\nchromium {browser.version}, {STARTS} cold starts, {len(KEYS)} keys after each")
        browser.close()
    keys = sorted(time for _, times in starts for time in times)
    firsts = sorted(first for first, _ in starts)
    print(f"first stepper: median {statistics.median(firsts) / 1000:.2f} s, longest {firsts[-1] / 1000:.2f} s")
    print(f"from a key to the new stepper: median {statistics.median(keys):.0f} ms, longest {keys[-1]:.0f} ms")


if __name__ == "__main__":
    main()
