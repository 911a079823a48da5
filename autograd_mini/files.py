"""Files that are written whole or not at all: what was there before stays until the new one is complete.

A new file is written under a temporary name beside the old one, which it then replaces. A save that was killed leaves
its temporary file behind; the next save of the same file clears it away. Whether another save still runs is told by the
lock that it holds on its temporary file: the system lets go of the locks of a process that has died.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import IO

from autograd_mini.errors import LoadError

try:
    import fcntl
except ImportError:  # Windows, where a file that is open can't be removed anyhow
    fcntl = None  # type: ignore[assignment]

_NO_TEXT = re.compile("[\\0\\ud800-\\udfff]")
_DAMAGED = "is damaged, or no model file of autograd_mini"
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # Windows would change the ends of lines
_OLD = 3600.0  # seconds after which, where there are no locks, a temporary file belongs to nobody


def check_folder(path: str | os.PathLike[str]) -> None:
    """Raise if there is no folder to write a file into.

    Raises
    ------
    FileNotFoundError
        If there is none, naming it.
    """
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(folder))


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a temporary file that takes the place of `path` when the block ends well, and is removed when it doesn't.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = pathlib.Path(folder) / "a.txt"
    ...     with replacing(target) as file:
    ...         _ = file.write(b"whole")
    ...     target.read_bytes()
    b'whole'
    """
    check_folder(path)
    target = Path(os.path.realpath(path))
    # The name of the target would make that of the temporary file too long for the file system; a digest of it won't.
    prefix = f".{blake2b(os.fsencode(target.name), digest_size=4).hexdigest()}."
    _clear(target.parent, prefix)
    kept = target.stat().st_mode & 0o777 if target.exists() else None
    descriptor, temporary = _locked_file(target.parent, prefix, 0o666 if kept is None else kept)
    try:
        # What the system made of it holds for a new file; of what is kept, a umask may have taken away.
        mode = os.fstat(descriptor).st_mode & 0o777 if kept is None else kept
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.chmod(temporary, mode)
            if fcntl is None:
                file.close()
            os.replace(temporary, target)  # while it is still locked
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text, as UTF-8, by `replacing`.

    Raises
    ------
    ValueError
        If it holds a null byte or half of a surrogate pair, which are no text; nothing has been written then.
    FileNotFoundError
        If there is no folder of that name.
    """
    content = encoded(text, f"{path}")
    with replacing(path) as file:
        file.write(content)


def is_text(text: str) -> bool:
    """Return whether a string can be written as text: without null bytes and halves of surrogate pairs."""
    return not _NO_TEXT.search(text)


def encoded(text: str, name: str) -> bytes:
    r"""Return a text as UTF-8.

    Raises
    ------
    ValueError
        If it holds a null byte or half of a surrogate pair, saying where.

    Examples
    --------
    >>> encoded("x\0", "the label")
    Traceback (most recent call last):
    ValueError: the label: a file can't hold the character '\x00' in 'x\x00'; leave it out
    """
    if found := _NO_TEXT.search(text):
        around = text[max(found.start() - 20, 0) : found.end() + 20]
        raise ValueError(f"{name}: a file can't hold the character {found[0]!r} in {around!r}; leave it out")
    return text.encode("utf-8")


@contextmanager
def refusing(path: str | os.PathLike[str], what: str = _DAMAGED) -> Iterator[None]:
    """Turn every exception inside, of which a damaged file can cause many kinds, into a `LoadError` with the path."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):  # the disk's own fault
            raise
        said = str(error) or type(error).__name__
        if isinstance(error, LoadError) and said.startswith(f"{path} "):
            raise
        raise LoadError(f"{path} {what}: {said[:500]}") from error


def _locked_file(folder: Path, prefix: str, mode: int) -> tuple[int, str]:
    """Make a temporary file and lock it, so that no other save takes it for one that was left behind.

    The system gives it its permissions, as it does where `open` makes a file. To compute them from the umask would be
    wrong where that isn't what counts: in a browser, or in a folder with rules of its own.
    """
    while True:
        try:
            temporary = os.path.join(folder, f"{prefix}{secrets.token_hex(8)}.tmp")
            descriptor = os.open(temporary, _NEW, mode)
        except FileExistsError:
            continue
        if fcntl is not None:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink or fcntl is None:
            return descriptor, temporary
        os.close(descriptor)  # another save has cleared it away, in the moment before it was locked


def _clear(folder: Path, prefix: str) -> None:
    """Remove the temporary files of this prefix that no running save holds."""
    with suppress(OSError):  # of a folder that can be written to, but not looked into, for example
        for name in os.listdir(folder):
            if name.startswith(prefix) and name.endswith(".tmp"):
                with suppress(OSError):  # it is gone already, or another's
                    _remove_unless_held(os.path.join(folder, name))


def _remove_unless_held(temporary: str) -> None:
    if fcntl is None:
        if time.time() - os.stat(temporary).st_mtime > _OLD:
            os.unlink(temporary)
        return
    descriptor = os.open(temporary, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises where a save holds it
        os.unlink(temporary)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Have the new name of a file written to the disk too, where the system can do that."""
    if fcntl is None:
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder that can be written to, but not looked into
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that knows no such thing
            raise
    finally:
        os.close(descriptor)
