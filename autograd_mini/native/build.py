"""Compiles the machine into a library that lies beside this file, where there is a C compiler.

Without a compiler, or with ``AUTOGRAD_MINI_NATIVE=0``, nothing is made, and the package is pure Python. By hand:
``python autograd_mini/native/build.py``. For another platform: ``CC`` is a compiler for it, and
``AUTOGRAD_MINI_PLATFORM`` its name in the name of a wheel (`wheels.py` sets both). It needs nothing of the package, as
it runs before that is installed; and as programs ask it for the library's name and version, it imports what compiling
needs only then.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
# What is compiled, each time by which flags: where they name an instruction set, once for every one.
UNITS = (
    ("machine.c", '-DVERSION="{version}"'),
    ("epoch.c", "-DKERNEL={set}"),
    ("kernel.c", "-DKERNEL={set}"),
    ("kernel.c", "-DKERNEL={set} -DSINGLE"),
    ("scalars.c", ""),
)
NAMES = {"win32": "machine.dll", "darwin": "machine.dylib"}
LIBRARY = HERE / NAMES.get(sys.platform, "machine.so")
SWITCH = "AUTOGRAD_MINI_NATIVE"
PLATFORM = "AUTOGRAD_MINI_PLATFORM"
FLAGS = "-std=c11 -O3 -g0 -ffp-contract=off -fno-math-errno -fvisibility=hidden -Wall -Wextra".split()
WIDE = {"avx2": "-mavx2 -mfma", "avx512": "-mavx2 -mfma -mavx512f -mavx512dq -mprefer-vector-width=512"}
SECONDS = 300  # after which a compiler is given up


def version() -> str:
    """Return what the library must call itself: a digest of its sources."""
    digest = hashlib.sha256()
    for path in sorted(HERE.glob("*.[ch]")):
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:32]


def seal(library: Path) -> Path:
    """Return where the digest of a library lies: one that is damaged isn't even opened, as that may end the process."""
    return library.with_name(library.name + ".sha256")


def digest(library: Path) -> str:
    """Return what belongs into a library's seal."""
    return hashlib.sha256(library.read_bytes()).hexdigest()


def compiler() -> list[str] | None:
    """Return the command of a C compiler: ``CC``, or the first one of gcc, clang and cc that is there."""
    import shlex
    import shutil

    given = shlex.split(os.environ.get("CC", ""))
    if given:
        return given if shutil.which(given[0]) else None
    return next(([found] for name in ("gcc", "clang", "cc") if (found := shutil.which(name))), None)


def system_and_machine(wheel: str = "") -> tuple[str, str]:
    """Return for which system and processor a library is made, in the words of `sys` and `platform` on macOS.

    Parameters
    ----------
    wheel : str, optional
        The platform in the name of a wheel; by default what ``AUTOGRAD_MINI_PLATFORM`` says, and else this one.

    Raises
    ------
    ValueError
        If no wheel's platform is called so.
    """
    import platform
    import re

    wheel = wheel or os.environ.get(PLATFORM, "")
    machine = wheel or platform.machine().lower()
    for name, others in {"x86_64": ("x86_64", "amd64"), "arm64": ("arm64", "aarch64")}.items():
        machine = name if machine.endswith(others) else machine
    if not wheel:
        return sys.platform, machine
    system = re.match(r"(?:many|musl)?(linux|win|macosx)[\d_]*_", wheel)
    if system is None:
        raise ValueError(f"{PLATFORM}: expected a platform such as linux_x86_64 or macosx_11_0_arm64, got {wheel!r}")
    return {"linux": "linux", "win": "win32", "macosx": "darwin"}[system[1]], machine


def library_name(wheel: str = "") -> str:
    """Return the name of the library's file for a platform."""
    return NAMES.get(system_and_machine(wheel)[0], "machine.so")


def jobs(machine: str) -> list[tuple[str, str, list[str]]]:
    """Return what is to be compiled for a processor: source, object file and flags."""
    sets = {"baseline": "", **(WIDE if machine == "x86_64" else {})}
    found = []
    for k, (source, flags) in enumerate(UNITS):
        for name, wide in sets.items() if "{set}" in flags else [("", "")]:
            words = f"{flags} {wide}".format(set=name, version=version()).split()
            found.append((source, f"{k}{name}.o", words))
    return found


def compiled(command: Sequence[str], target: Path, further: Sequence[str] = ()) -> None:
    """Compile the library.

    Parameters
    ----------
    command : sequence of str
        The compiler.
    target : Path
        The library's file.
    further : sequence of str, optional
        More flags, such as those of a sanitizer.

    Raises
    ------
    OSError, subprocess.SubprocessError
        If it can't be.
    """
    import shutil
    import subprocess
    import tempfile
    from concurrent.futures import ThreadPoolExecutor

    system, machine = system_and_machine()
    general = [*FLAGS, *([] if system == "win32" else ["-fPIC"]), *further]
    with tempfile.TemporaryDirectory() as folder:

        def run(*arguments: str) -> bytes:
            return subprocess.run(
                [*command, *arguments],
                cwd=HERE,
                check=True,
                capture_output=True,
                timeout=SECONDS,
                stdin=subprocess.DEVNULL,
            ).stdout

        def make(job: tuple[str, str, list[str]]) -> str:
            source, name, flags = job
            made = str(Path(folder, name))
            run(*general, *flags, "-c", source, "-o", made)
            return made

        if system == "win32" and b"clang" not in run("--version"):
            # gcc keeps vectors of 32 bytes on a stack that Windows aligns to 16, and takes them for aligned ones
            general.append("-Wa,-muse-unaligned-vector-move")
        with ThreadPoolExecutor() as pool:
            objects = list(pool.map(make, jobs(machine)))
        whole = Path(folder, target.name)
        strip, libraries = [] if further else ["-s"], ["-lm"]
        if system == "win32":
            libraries = []
        elif system == "darwin":  # where a library has its own name in it, by default with its path
            strip = [f"-Wl,-install_name,@rpath/{target.name}"]
        run("-shared", *further, *strip, *objects, *libraries, "-o", str(whole))
        shutil.copyfile(whole, part := target.with_name(target.name + ".part"))
        os.replace(part, target)  # whole or not at all
        seal(target).write_text(digest(target), encoding="ascii")


def build(target: Path = LIBRARY) -> str:
    """Compile the library if that is possible and wanted; return "", or why there is none.

    One that is there already, of other sources maybe, goes first.
    """
    try:
        target.unlink(missing_ok=True)
        seal(target).unlink(missing_ok=True)
    except OSError as error:
        return str(error)
    reason = _built(target)
    if reason:
        target.unlink(missing_ok=True)
        seal(target).unlink(missing_ok=True)
    return reason


def _built(target: Path) -> str:
    import subprocess

    if os.environ.get(SWITCH) == "0":
        return f"{SWITCH}=0"
    is_for_here = not os.environ.get(PLATFORM)
    if is_for_here and sys.maxsize < 2**32:
        return "the library is for processors and Pythons of 64 bits"
    command = compiler()
    if command is None:
        return "no C compiler was found"
    try:
        compiled(command, target)
        if is_for_here:  # a compiler may be there and make what isn't for this Python
            load = [sys.executable, "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])", str(target)]
            subprocess.run(load, check=True, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.CalledProcessError as error:
        return f"{command[0]} failed: {error.stderr.decode(errors='replace').strip()[-2000:]}"
    except (OSError, subprocess.SubprocessError) as error:
        return f"{command[0]}: {error}"
    return ""


if __name__ == "__main__":
    sys.exit(build() or 0)
