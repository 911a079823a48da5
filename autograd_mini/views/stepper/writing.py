"""Text into a file, whole or not at all: what was there before stays until the new is written."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path


def check_folder(target: Path) -> None:
    """Raise if there is no folder to write a file into.

    Raises
    ------
    FileNotFoundError
        If there is none, naming it.
    """
    folder = Path(os.path.realpath(target)).parent
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(folder))


def write_whole(path: Path, text: str) -> None:
    """Write a file beside the target under a temporary name, then put it in the target's place.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = pathlib.Path(folder) / "a.txt"
    ...     write_whole(target, "whole")
    ...     target.read_text(), len(list(pathlib.Path(folder).iterdir()))
    ('whole', 1)
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
