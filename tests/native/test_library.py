"""The library: loaded whole and of these sources, or not at all; without it all is as with it."""

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

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


@pytest.mark.skipif(
    "sse2" not in SETS or not os.path.exists("/proc/cpuinfo"), reason="the system doesn't tell what its processor has"
)
def test_the_instruction_sets_are_those_that_the_system_tells():
    """The system tells only of those whose registers it saves."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        flags = set(next((line for line in file if line.startswith("flags")), "").split())
    needed = {"avx512": {"avx512f", "avx512dq", "avx2", "fma"}, "avx2": {"avx2", "fma"}, "sse2": {"sse2"}}
    assert [name for name, of in needed.items() if of <= flags] == SETS


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


OTHERS = {
    "nothing": b"",
    "a text": b"no library",
    "the beginning of one": b"\x7fELF" + bytes(200),
    "one for Windows": b"MZ" + bytes(58) + b"\x80" + bytes(67) + b"PE\0\0d\x86" + bytes(200),
    "one for macOS": bytes.fromhex("cffaedfe0c00000100000000") + bytes(200),
    "one for a 32-bit ARM": b"\x7fELF\x01\x01\x01" + bytes(9) + b"\x03\0\x28\0\x01\0\0\0" + bytes(200),
}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_a_file_that_is_no_library_for_this_machine_is_refused_with_a_warning(tmp_path, content):
    path = tmp_path / "broken.so"
    path.write_bytes(content)
    build.seal(path).write_text(build.digest(path))
    found, (message,) = load(path)
    assert found is None
    assert "native library broken.so isn't used" in message
    assert "Programs run on NumPy" in message
    assert "reinstall" in message


def assert_refused(path, said="isn't used"):
    found, (message,) = load(path)
    assert found is None
    assert said in message


def test_a_folder_in_the_place_of_the_library_or_of_its_seal_is_refused(tmp_path):
    path = tmp_path / "machine.so"
    path.mkdir()
    assert_refused(path)
    build.seal(path).write_text("0" * 64)
    assert_refused(path)
    path.rmdir()
    path.write_bytes(b"no library")
    build.seal(path).unlink()
    build.seal(path).mkdir()
    assert_refused(path)


@pytest.mark.parametrize("reader", ["read_bytes", "read_text"])
def test_a_library_or_a_seal_that_may_not_be_read_is_refused(tmp_path, monkeypatch, reader):
    path = tmp_path / "machine.so"
    path.write_bytes(b"no library")
    build.seal(path).write_text(build.digest(path))

    def refusing(self, *arguments, **options):  # who runs the tests may read everything, maybe
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, reader, refusing)
    assert_refused(path, "Permission denied")


@pytest.mark.parametrize("seal", [b"", b"\xff\xfe0\0", "ü".encode() * 32, b"0" * 64, b"0" * 10**6])
def test_a_seal_that_is_none_is_refused(tmp_path, seal):
    path = tmp_path / "machine.so"
    path.write_bytes(b"no library")
    build.seal(path).write_bytes(seal)
    assert_refused(path, "isn't used: it is damaged")


@pytest.mark.skipif(sys.platform != "linux" or not SETS, reason="needs a library in ELF")
def test_a_library_for_another_processor_is_refused(tmp_path):
    path = tmp_path / "machine.so"  # never the one that is loaded
    content = bytearray(build.LIBRARY.read_bytes())
    content[18] = 62 if content[18] == 183 else 183
    path.write_bytes(content)
    build.seal(path).write_text(build.digest(path))
    assert_refused(path)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_broken_link_in_the_place_of_the_library_counts_as_none(tmp_path):
    path = tmp_path / "machine.so"
    path.symlink_to(tmp_path / "gone.so")
    assert load(path) == (None, [])


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
    files += ["vectorizer/test_random_graphs.py", "training/test_native_epochs.py"]
    run = subprocess.run(
        [sys.executable, str(script), str(target), *[os.path.join(tests, name) for name in files]],
        env={**os.environ, "LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0"},
        cwd=os.path.dirname(tests),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
