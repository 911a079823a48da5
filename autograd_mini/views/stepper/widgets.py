"""The stepper's step in a kernel: widgets that share it with the pages that show the stepper. They need anywidget.

When its kernel is gone, a notebook shows an error message in the place of a widget. So the output of a stepper is the
static page. Beside it there is a small widget that shows nothing; the page connects to it while both are there.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from autograd_mini.errors import MissingDependencyError
from autograd_mini.views import page

_UNSEEN = "\nexport default { initialize: ({ model }) => joinModel(model) };\n"


def is_possible_here() -> bool:
    """Return whether this is a notebook's kernel that has anywidget."""
    return find_spec("anywidget") is not None and page.notebook_shell() is not None


def joint(step: int, grain: str) -> Any:
    """Return a widget that shows nothing: it shares its step with all pages that have its name.

    Raises
    ------
    MissingDependencyError
        If anywidget isn't installed.
    """
    return _classes()[0](name=f"am-{os.urandom(6).hex()}", step=step, grain=grain)


def view(joined: Any, data: str, html: str) -> Any:
    """Return a widget that shows the stepper itself, its step the same as that of a `joint`.

    Parameters
    ----------
    joined : AnyWidget
        The `joint`.
    data : str
        The data for the script, packed.
    html : str
        What is shown instead where there is no kernel.
    """
    shown = _classes()[1](name=f"{joined.name}-view", step=joined.step, grain=joined.grain, data=data, html=html)
    traitlets = import_module("traitlets")
    for trait in ("step", "grain"):
        traitlets.link((joined, trait), (shown, trait))
    return shown


@cache
def _classes() -> tuple[Any, Any]:
    """Return the classes of the two widgets; they are made when needed, as importing anywidget takes long."""
    try:
        base = import_module("anywidget").AnyWidget
    except ImportError:
        raise MissingDependencyError(
            'to hear of the steps in a notebook anywidget is needed; install it: pip install "autograd-mini[jupyter]"'
        ) from None
    traitlets = import_module("traitlets")

    def bundle(widget: Any, **options: Any) -> Any:
        """Return the widget's outputs, and the static page for where there is no kernel."""
        data, metadata = base._repr_mimebundle_(widget, **options)
        return {**data, "text/html": widget.html}, metadata

    traits = {
        "name": traitlets.Unicode().tag(sync=True),
        "step": traitlets.Int(0, min=0).tag(sync=True),
        "grain": traitlets.Unicode("node").tag(sync=True),
        "__module__": __name__,
    }
    unseen = {
        "_view_name": traitlets.Unicode(None, allow_none=True).tag(sync=True),
        "_esm": page.file("stepper/joint.js") + _UNSEEN,
    }
    seen = {
        "data": traitlets.Unicode().tag(sync=True),
        "html": traitlets.Unicode(),
        "_esm": page.file("web/load.js") + page.script("stepper") + page.file("stepper/widget.js"),
        "_css": page.style(),
        "_repr_mimebundle_": bundle,
    }
    return type("StepperJoint", (base,), {**traits, **unseen}), type("StepperWidget", (base,), {**traits, **seen})
