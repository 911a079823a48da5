"""The progress bar: tqdm's, in its notebook form in Jupyter, silent where nobody is watching."""

from __future__ import annotations

import sys
import warnings
from typing import Any

from autograd_mini.progress import in_jupyter as _in_jupyter


def progress_bar(total: int, unit: str, shown: bool | None) -> Any:
    """Return a tqdm bar.

    Parameters
    ----------
    total : int
        How many steps there will be.
    unit : str
        What a step is.
    shown : bool or None
        Whether to show it; None for only in a terminal or in Jupyter.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tqdm's, where Jupyter has no ipywidgets and it takes the plain bar
        from tqdm.auto import tqdm
    visible = (_in_jupyter() or sys.stderr.isatty()) if shown is None else shown
    return tqdm(total=total, unit=unit, disable=not visible, leave=True)
