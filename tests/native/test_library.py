"""The library: loaded whole and of these sources, or not at all; without it all is as with it."""

import os
import shutil
import subprocess
import sys
import warnings

import pytest
from machines import LIBRARY, SETS, needs_machine

from autograd_mini.native import build, library
from autograd_mini.native.library import Library

FUNCTIONS = """
import autograd_mini as ag
w = ag.Value(2.0)
program = ag.vectorize(lambda x: ag.exp(w * x))
print(program([0.0, 0.5]).tolist(), program)
"""


def run_with(switch, run_python, monkeypatch):
    monkeypatch.setenv(build.SWITCH, switch)
    return run_python(FUNCTIONS)


def test_it_can_be_turned_off(run_python, monkeypatch):
    assert run_with("0", run_python, monkeypatch).strip().endswith("run by NumPy>")


@needs_machine
@pytest.mark.parametrize("choice", ["1", *SETS])
def test_an_instruction_set_can_be_chosen(choice, monkeypatch):
    monkeypatch.setenv(build.SWITCH, choice)
    assert library.instruction_set(LIBRARY)[0] == (SETS[0] if choice == "1" else choice)


@needs_machine
def test_an_instruction_set_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setenv(build.SWITCH, "mmx")
    with pytest.raises(ValueError, match=r"AUTOGRAD_MINI_NATIVE: expected 0, 1 or one of .*, got 'mmx'"):
        library.instruction_set(LIBRARY)


def load(path):
    """The library at a path, and what was said about it."""
    library._loaded.cache_clear()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = library._loaded(path)
    library._loaded.cache_clear()
    return found, [str(warning.message) for warning in said]


def test_without_a_file_there_is_none_and_nothing_is_said(tmp_path):
    assert load(tmp_path / "none.so") == (None, [])


@pytest.mark.parametrize("content", [b"", b"no library", b"\x7fELF" + bytes(200)])
def test_a_file_that_is_no_library_is_refused_with_a_warning(tmp_path, content):
    path = tmp_path / "broken.so"
    path.write_bytes(content)
    build.seal(path).write_text(build.digest(path))
    found, (message,) = load(path)
    assert found is None
    assert "native library broken.so isn't used" in message
    assert "reinstall" in message


def copied(tmp_path):
    path = tmp_path / "copied.so"
    shutil.copyfile(build.LIBRARY, path)
    build.seal(path).write_text(build.digest(path))
    return path


@needs_machine
@pytest.mark.parametrize("damage", [lambda b: b[:4096], lambda b: b[:9000] + b"?" + b[9001:], lambda b: b + b"more"])
def test_a_library_that_is_damaged_is_refused_before_it_is_opened(tmp_path, damage):
    whole = copied(tmp_path)
    assert Library(whole).sets
    path = tmp_path / "damaged.so"  # another file: one that is loaded and changes ends the process, at its exit maybe
    path.write_bytes(damage(whole.read_bytes()))
    shutil.copyfile(build.seal(whole), build.seal(path))
    found, (message,) = load(path)
    assert found is None
    assert "isn't used: it is damaged" in message


@needs_machine
def test_a_library_without_a_seal_is_refused(tmp_path):
    path = copied(tmp_path)
    build.seal(path).unlink()
    found, (message,) = load(path)
    assert found is None
    assert "isn't used" in message


@needs_machine
def test_a_library_of_other_sources_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "version", lambda: "0" * 32)
    found, (message,) = load(copied(tmp_path))
    assert found is None
    assert "made of other sources" in message


@needs_machine
@pytest.mark.skipif(sys.platform != "linux", reason="needs a library that is known to be there")
def test_a_library_without_the_functions_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "digest", lambda path: "")
    monkeypatch.setattr(library, "seal", lambda path: build.seal(tmp_path / path))
    build.seal(tmp_path / "libm.so.6").write_text("")
    with pytest.raises(OSError, match="it has no function"):
        Library("libm.so.6")


def test_it_is_not_compiled_where_that_is_not_wanted(tmp_path, monkeypatch):
    monkeypatch.setenv(build.SWITCH, "0")
    target = tmp_path / "machine.so"
    target.write_bytes(b"of before")
    assert build.build(target) == "AUTOGRAD_MINI_NATIVE=0"
    assert not target.exists()


def test_without_a_compiler_it_is_left_out(tmp_path, monkeypatch):
    monkeypatch.delenv(build.SWITCH, raising=False)
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build.build(tmp_path / "machine.so") == "no C compiler was found"


def test_a_compiler_that_fails_leaves_nothing_half_made(tmp_path, monkeypatch):
    monkeypatch.delenv(build.SWITCH, raising=False)
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho no such flag >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    assert "failed: no such flag" in build.build(tmp_path / "machine.so")
    assert [path.name for path in tmp_path.iterdir()] == ["cc"]


@pytest.mark.slow
@pytest.mark.skipif(build.compiler() is None, reason="there is no C compiler")
def test_compiled_twice_it_is_the_same_to_the_byte(tmp_path):
    first, second = tmp_path / "first" / "machine.so", tmp_path / "second" / "machine.so"
    for path in (first, second):
        path.parent.mkdir()
        build.compiled(build.compiler(), path)
    assert first.read_bytes() == second.read_bytes()


SANITIZED = """
import sys, pathlib
from autograd_mini.native import library
library.LIBRARY = pathlib.Path(sys.argv[1])
assert library.library() is not None
import pytest
sys.exit(pytest.main([*sys.argv[2:], "-q", "-s", "-p", "no:cacheprovider", "-m", "slow or not slow"]))
"""


@pytest.mark.slow
@pytest.mark.skipif(build.compiler() is None or sys.platform != "linux", reason="needs gcc's or clang's sanitizers")
def test_random_graphs_and_changed_tables_under_the_sanitizers(tmp_path):
    command = build.compiler()
    flags = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer".split()
    target = tmp_path / "machine.so"
    build.compiled(command, target, flags)
    runtime = subprocess.run([*command, "-print-file-name=libasan.so"], capture_output=True, text=True).stdout.strip()
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    script = tmp_path / "sanitized.py"
    script.write_text(SANITIZED)
    files = ["native/test_table.py", "native/test_scalars.py", "native/test_native_programs.py"]
    files.append("vectorizer/test_random_graphs.py")
    run = subprocess.run(
        [sys.executable, str(script), str(target), *[os.path.join(tests, name) for name in files]],
        env={**os.environ, "LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0"},
        cwd=os.path.dirname(tests),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
