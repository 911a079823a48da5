"""What the pages that compute in the browser need, in one folder: Pyodide, KaTeX, and the wheels that run on Pyodide.

``python docs/browser_files.py`` fills ``docs/_pyodide``, which isn't under version control, by `npm pack` and
`pip download`, and makes the wheel of this source tree; ``docs/conf.py`` and the tests call `fill` for that. What is
there already isn't fetched again; the wheel is made again when a file of the package has changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
FOLDER = DOCS / "_pyodide"
WEB = DOCS / "web"  # the scripts that the pages share

PYODIDE, KATEX, MATHJAX = "pyodide@314.0.7", "katex@0.19.1", "mathjax@3.2.2"
WHEELS = ("graphviz==0.21",)
PACKAGES = "pyodide-lock.json"  # Pyodide's list of other packages, which becomes an empty one: none is ever asked for
TAKEN = {
    PYODIDE: {
        name: name for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", PACKAGES)
    },
    KATEX: {"dist/katex.min.js": "katex/katex.min.js", "dist/katex.min.css": "katex/katex.min.css"},
    MATHJAX: {"es5/tex-svg-full.js": "mathjax/tex-svg-full.js"},
}
FONTS = "dist/fonts/", ".woff2"  # every browser that runs WebAssembly reads these
LIST = "files.json"


class FillError(Exception):
    """The folder couldn't be filled: what is missing, and what to do about it."""


def fill(folder: Path = FOLDER) -> Path:
    """Return the folder with all that the pages need; what isn't there is fetched.

    Raises
    ------
    FillError
        If npm or pip can't bring it, or isn't there.
    """
    folder.mkdir(exist_ok=True, parents=True)
    for package in TAKEN:
        _fill_from_npm(folder, package)
    for requirement in WHEELS:
        _fill_from_pip(folder, requirement)
    _fill_with_own_wheel(folder)
    wheels = sorted(path.name for path in folder.glob("*.whl"))
    names = [*TAKEN[PYODIDE].values(), *wheels]
    listed = {"files": {name: (folder / name).stat().st_size for name in names}, "wheels": wheels}
    _write_if_other(folder / LIST, json.dumps(listed, indent=1))
    return folder


def publish(site: Path, folder: Path = FOLDER) -> None:
    """Put the filled folder, and the scripts that all pages share, into a site: `_pyodide` and `_web`."""
    shutil.copytree(fill(folder), site / "_pyodide", dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*", "mathjax"))
    current = {wheel.name for wheel in folder.glob("*.whl")}
    for wheel in (site / "_pyodide").glob("*.whl"):
        if wheel.name not in current:
            wheel.unlink()
    shutil.copytree(WEB, site / "_web", dirs_exist_ok=True)


def _write_if_other(path: Path, text: str) -> None:
    """Write a file unless it holds that text, so that what is up to date keeps its time."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _mark(folder: Path, package: str) -> Path:
    """Return the file that says that a package is there as a whole."""
    return folder / f".{package.replace('==', '@')}"


def _fill_from_npm(folder: Path, package: str) -> None:
    mark = _mark(folder, package)
    if mark.exists():
        return
    with tempfile.TemporaryDirectory() as place:
        command = ["npm", "pack", "--silent", "--cache", f"{place}/cache", "--pack-destination", place, package]
        _run(command, f"{package} of npm", "install Node.js with npm")
        with tarfile.open(next(Path(place).glob("*.tgz"))) as archive:
            for name, content in _taken(archive, package):
                content = _without_packages(content) if name == PACKAGES else content
                target = folder / name
                target.parent.mkdir(exist_ok=True, parents=True)
                target.write_bytes(content)
    mark.touch()


def _without_packages(content: bytes) -> bytes:
    return json.dumps({"info": json.loads(content)["info"], "packages": {}}).encode()


def _taken(archive: tarfile.TarFile, package: str) -> Iterable[tuple[str, bytes]]:
    """Return the files that are taken from a package of npm: under which name, and what is in them."""
    wanted = dict(TAKEN[package])
    for member in archive:
        name = member.name.partition("/")[2]
        if package == KATEX and name.startswith(FONTS[0]) and name.endswith(FONTS[1]):
            wanted[name] = f"katex/fonts/{name.rpartition('/')[2]}"
        if name in wanted and (file := archive.extractfile(member)) is not None:
            yield wanted.pop(name), file.read()
    if wanted:
        raise FillError(f"{package} of npm has no {', '.join(wanted)}")


def _fill_from_pip(folder: Path, requirement: str) -> None:
    mark = _mark(folder, requirement)
    if mark.exists():
        return
    name = requirement.partition("==")[0]
    for old in folder.glob(f"{name}-*.whl"):
        old.unlink()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    platform = ["--only-binary", ":all:", "--platform", "any", "--implementation", "py", "--abi", "none"]
    _run([*command, *platform, "--dest", str(folder), requirement], f"the wheel of {requirement}", "install pip")
    mark.touch()


def _run(command: list[str], what: str, how: str, environment: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment)
    except FileNotFoundError:
        raise FillError(f"{what} is needed, and there is no program {command[0]}: {how}") from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-1500:]
        raise FillError(f"{what} is needed, and `{' '.join(command)}` didn't bring it: {said}")


# -------------------------------------------------------------------------------------------------- our own wheel


def _sources() -> list[Path]:
    """Return the files that a wheel is made of."""
    package = (path for path in (ROOT / "autograd_mini").rglob("*") if path.is_file())
    made = (".so", ".dll", ".dylib", ".sha256", ".pyc", ".part")
    kept = [path for path in package if not path.name.endswith(made)]
    return sorted([*kept, *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE"))])


def _fill_with_own_wheel(folder: Path) -> None:
    """Make the wheel of this tree, pure Python, from a copy: where it is made no compiled library may be removed."""
    digest = hashlib.blake2b(digest_size=16)
    for path in _sources():
        digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    mark = folder / ".autograd_mini"
    if mark.exists() and mark.read_text() == digest.hexdigest() and [*folder.glob("autograd_mini-*.whl")]:
        return
    with tempfile.TemporaryDirectory() as place:
        tree, made = Path(place, "tree"), Path(place, "made")
        for path in _sources():
            target = tree / path.relative_to(ROOT)
            target.parent.mkdir(exist_ok=True, parents=True)
            shutil.copyfile(path, target)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
        isolated = [] if find_spec("hatchling") is None else ["--no-build-isolation"]
        environment = {**os.environ, "AUTOGRAD_MINI_NATIVE": "0"}
        _run([*command, *isolated, "-w", str(made), str(tree)], "a wheel of this tree", "install pip", environment)
        wheel = next(made.glob("autograd_mini-*-py3-none-any.whl"))
        for old in folder.glob("autograd_mini-*.whl"):
            old.unlink()
        _write_stripped(wheel, folder / wheel.name)
    mark.write_text(digest.hexdigest())


def _write_stripped(wheel: Path, target: Path) -> None:
    """Write a wheel without what no browser can use: C sources, the list of digests; what is left is packed tightly."""
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for entry in old.infolist():
            if not entry.filename.endswith((".c", ".h", "/RECORD")):
                new.writestr(entry.filename, old.read(entry))


def main() -> None:
    """Fill the folder, and say how large each file is that a page downloads."""
    try:
        folder = fill()
    except FillError as error:
        sys.exit(str(error))
    for name, size in json.loads((folder / LIST).read_text(encoding="utf-8"))["files"].items():
        print(f"{size:12,} bytes  {name}")


if __name__ == "__main__":
    main()
