"""Makes the wheels that bring the library with them, for all platforms on one machine: zig compiles for each.

For who releases the package: ``pip install ".[wheels]"``, then ``python -m autograd_mini.native.wheels FOLDER`` in the
source tree, with the names of platforms behind it if not all are wanted. Every wheel is looked over; the one that fits
this machine is also installed, and runs a program.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

from autograd_mini.native import build

ROOT = build.HERE.parent.parent

# The platforms, as wheels call them, and what zig is told of them. The numbers are the oldest versions on which it
# runs: of glibc (2.17 is of 2012), musl and macOS. A library for Windows would otherwise have the time in it.
PLATFORMS = {
    "manylinux_2_17_x86_64": "x86_64-linux-gnu.2.17",
    "manylinux_2_17_aarch64": "aarch64-linux-gnu.2.17",
    "musllinux_1_1_x86_64": "x86_64-linux-musl",
    "musllinux_1_1_aarch64": "aarch64-linux-musl",
    "win_amd64": "x86_64-windows-gnu -Wl,-Brepro -DLOGARITHMS_OF_WINDOWS",
    "macosx_10_13_x86_64": "x86_64-macos.10.13",
    "macosx_11_0_arm64": "aarch64-macos.11.0",
}
PROGRAM = """
import autograd_mini as ag
from autograd_mini.native.library import library
program = ag.vectorize(lambda x, w: ag.tanh(w * x), backend="native")
program([0.1, 0.2], [3.0, 4.0])
explanation = program.explain()
assert explanation.runs_on == "native", explanation.because
print(ag.__file__, *library().sets)
"""


class WheelError(Exception):
    """A wheel couldn't be made, or something is wrong with it."""


def command(platform: str) -> list[str]:
    """Return the compiler for a platform."""
    return [sys.executable, "-m", "ziglang", "cc", "-target", *PLATFORMS[platform].split()]


def make(platform: str, folder: Path) -> Path:
    """Make the wheel for a platform, look it over, and put it into a folder.

    Raises
    ------
    WheelError
        If it can't be made, or isn't as it must be.
    """
    with tempfile.TemporaryDirectory() as place:
        # zig keeps what it compiled; only the C library's parts may be taken from there, so that a rebuild is one.
        environment = {
            **os.environ,
            "ZIG_LOCAL_CACHE_DIR": str(Path(place, "zig")),
            "CC": shlex.join(command(platform)),
        }
        environment |= {build.SWITCH: "1", build.PLATFORM: platform}
        done = subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise WheelError(f"{platform}: {(done.stderr or done.stdout).strip()[-2000:]}")
        (made,) = Path(place).glob("*.whl")
        found = faults(made, platform)
        if found:
            raise WheelError(f"{made.name}: {'; '.join(found)}")
        folder.mkdir(parents=True, exist_ok=True)
        whole = folder / made.name
        whole.write_bytes(made.read_bytes())
    return whole


def faults(wheel: Path, platform: str) -> list[str]:
    """Return what is wrong with a wheel that should be for a platform."""
    name = build.library_name(platform)
    with zipfile.ZipFile(wheel) as opened:
        content = {member: opened.read(member) for member in opened.namelist()}
    found = []
    if not wheel.name.endswith(f"-py3-none-{platform}.whl"):
        found.append("its name isn't that of the platform")
    (about,) = (text.decode() for member, text in content.items() if member.endswith(".dist-info/WHEEL"))
    if f"Tag: py3-none-{platform}\n" not in about or "Root-Is-Purelib: false\n" not in about:
        found.append(f"it isn't marked as one for the platform: {about}")
    libraries = [member for member in content if re.search(r"\.(so|dll|dylib|pyd|part)$", member)]
    if libraries != [f"autograd_mini/native/{name}"]:
        return [*found, f"its libraries are {libraries}, expected {name} alone"]
    library = content[libraries[0]]
    if content.get(f"{libraries[0]}.sha256") != hashlib.sha256(library).hexdigest().encode():
        found.append("the library's seal isn't that of the library")
    if made_for(library) != build.system_and_machine(platform):
        found.append(f"the library is for {made_for(library)}")
    if build.version().encode() not in library:
        found.append("the library is of other sources")
    found += [f"the library has the path {path}" for path in paths_here() if path.encode() in library]
    glibc = max([tuple(map(int, v)) for v in re.findall(rb"GLIBC_(\d+)\.(\d+)", library)], default=None)
    oldest = re.match(r"manylinux_(\d+)_(\d+)_", platform)
    if glibc and (not oldest or glibc > tuple(map(int, oldest.groups()))):
        found.append(f"the library needs glibc {glibc[0]}.{glibc[1]}")
    (record,) = (text.decode() for member, text in content.items() if member.endswith(".dist-info/RECORD"))
    for member, digest, _size in csv.reader(record.splitlines()):
        expected = base64.urlsafe_b64encode(hashlib.sha256(content.get(member, b"")).digest()).rstrip(b"=").decode()
        if digest and digest != f"sha256={expected}":
            found.append(f"{member} isn't what its record says")
    return found


def made_for(library: bytes) -> tuple[str, str]:
    """Return for which system and processor a library says that it is."""

    def number(at: int, size: int) -> int:
        return int.from_bytes(library[at : at + size], "little")

    if library[:5] == b"\x7fELF\x02":
        return "linux", {62: "x86_64", 183: "arm64"}.get(number(18, 2), "unknown")
    if number(0, 4) == 0xFEEDFACF:
        return "darwin", {0x1000007: "x86_64", 0x100000C: "arm64"}.get(number(4, 4), "unknown")
    if library[:2] == b"MZ" and library[number(60, 4) :][:4] == b"PE\0\0":
        return "win32", {0x8664: "x86_64", 0xAA64: "arm64"}.get(number(number(60, 4) + 4, 2), "unknown")
    return "unknown", "unknown"


def paths_here() -> list[str]:
    """Return paths of this machine, which no library may have in it."""
    paths = [str(ROOT), sys.prefix, str(Path.home()), tempfile.gettempdir()]
    return [path for path in paths if len(path) > 1]


def fits_here(platform: str) -> bool:
    """Return whether this Python could install a wheel for a platform."""
    from packaging.tags import platform_tags  # which hatchling brings

    return platform in platform_tags()


def tried(wheel: Path) -> str:
    """Install a wheel into a new folder and run a program natively; return the instruction sets.

    Raises
    ------
    WheelError
        If it doesn't run.
    """
    with tempfile.TemporaryDirectory() as place:
        pip = "-m pip install --quiet --no-deps --no-index --disable-pip-version-check --target".split()
        environment = {**os.environ, "PYTHONPATH": place, build.SWITCH: "1"}
        for arguments in ([*pip, place, str(wheel)], ["-W", "error", "-c", PROGRAM]):
            done = subprocess.run(
                [sys.executable, *arguments], cwd=place, env=environment, capture_output=True, text=True
            )
            if done.returncode:
                raise WheelError(f"{wheel.name}: {done.stderr.strip()[-2000:]}")
        where, *sets = done.stdout.splitlines()[-1].split()
        if not Path(where).is_relative_to(Path(place).resolve()):
            raise WheelError(f"{wheel.name}: what ran isn't what was installed, but {where}")
    return ", ".join(sets)


def main(arguments: list[str] | None = None) -> int:
    """Make the wheels, and say what became of each."""
    parser = argparse.ArgumentParser(prog="python -m autograd_mini.native.wheels", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="where the wheels go")
    parser.add_argument("platforms", nargs="*", metavar="platform", help=f"of {', '.join(PLATFORMS)}; by default all")
    parser.add_argument("--twice", action="store_true", help="make each a second time, and compare them")
    options = parser.parse_intermixed_args(arguments)
    unknown = [name for name in options.platforms if name not in PLATFORMS]
    if unknown:
        parser.error(f"no platform {', '.join(unknown)}; there are {', '.join(PLATFORMS)}")
    missing = [name for name in ("ziglang", "hatchling") if find_spec(name) is None]
    if missing:
        parser.error(f"{' and '.join(missing)} must be installed: pip install '.[wheels]'")
    if not (ROOT / "pyproject.toml").exists():
        parser.error(f"wheels are made of the source tree, and {ROOT} is none")
    try:
        for platform in options.platforms or PLATFORMS:
            wheel = make(platform, options.folder)
            said = f"{wheel.name}: {wheel.stat().st_size // 1000} kB"
            if options.twice:
                with tempfile.TemporaryDirectory() as place:
                    if make(platform, Path(place)).read_bytes() != wheel.read_bytes():
                        raise WheelError(f"{wheel.name}: made a second time it is another one")
                said += ", twice the same to the byte"
            if fits_here(platform):
                said += f", runs here ({tried(wheel)})"
            print(said, flush=True)
    except WheelError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
