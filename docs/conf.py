"""How the site is built: `sphinx-build -W -b html docs site`, from docstrings, lessons and the pages of this folder.

Nothing in the built pages is fetched from elsewhere: MathJax, Pyodide and the wheels come from ``docs/_pyodide``, which
`browser_files` fills.
"""

import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS)]  # the package of this source tree, whatever version is installed

import browser_files  # noqa: E402
import generated  # noqa: E402
import playground_page  # noqa: E402
import try_page  # noqa: E402

import autograd_mini  # noqa: E402

project = "autograd_mini"
author = copyright = "The autograd_mini maintainers"
version = release = autograd_mini.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
exclude_patterns = ["_*", "lessons/images", "playground", "web"]
default_role = "py:obj"  # `Value` in a docstring leads to where it is described

html_theme = "furo"
html_title = "autograd_mini"
html_static_path = ["_static", "_pyodide/mathjax"]
html_favicon = "_static/icon.svg"
html_css_files = ["pages.css"]
html_js_files = ["pages.js"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}

mathjax_path = "tex-svg-full.js"  # of npm's mathjax, with its fonts inside
mathjax3_config = {"options": {"enableMenu": False}}
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # lessons are shown with the outputs that they are stored with
nb_ipywidgets_js = {}  # require.js and a widget manager, from elsewhere

autodoc_typehints = "none"  # docstrings name the types, in words
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True


def prepare(app, config):
    """Bring what pages are made of: the lessons, printed tables, what runs in a browser."""
    browser_files.fill()
    generated.write(DOCS / "_generated")
    lessons = DOCS / "lessons"
    shutil.rmtree(lessons, ignore_errors=True)
    shutil.copytree(ROOT / "notebooks", lessons, ignore=shutil.ignore_patterns("solutions", ".*"))
    index = (lessons / "README.md").read_text(encoding="utf-8")
    index = index.replace(
        "[solutions/](solutions/README.md)", "`notebooks/solutions/`"
    )  # for lecturers: not in the site
    (lessons / "index.md").write_text(index + generated.CONTENTS, encoding="utf-8")
    (lessons / "README.md").unlink()


def add_pages(app, exception):
    """Add the pages that compute, which Sphinx doesn't make."""
    if exception is None and app.builder.format == "html":
        try_page.build(Path(app.outdir))
        playground_page.build(Path(app.outdir))


def setup(app):
    """Tell Sphinx what is done before and after."""
    app.connect("config-inited", prepare)
    app.connect("source-read", generated.linked)
    app.connect("autodoc-process-docstring", generated.with_plain_bars)
    app.connect("build-finished", add_pages)
