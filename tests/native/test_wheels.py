"""Wheels that bring the library with them: made for every platform, the same each time, and looked over."""

import base64
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograd_mini.native import build, wheels
from autograd_mini.native.hook import NativeBuildHook, platform_here

EXPECTED = {
    "manylinux_2_17_x86_64": ("linux", "x86_64", "machine.so"),
    "manylinux_2_17_aarch64": ("linux", "arm64", "machine.so"),
    "musllinux_1_1_x86_64": ("linux", "x86_64", "machine.so"),
    "musllinux_1_1_aarch64": ("linux", "arm64", "machine.so"),
    "win_amd64": ("win32", "x86_64", "machine.dll"),
    "macosx_10_13_x86_64": ("darwin", "x86_64", "machine.dylib"),
    "macosx_11_0_arm64": ("darwin", "arm64", "machine.dylib"),
}
MAC, LINUX = "macosx_11_0_arm64", "manylinux_2_17_x86_64"
ZIG = {"linux": "linux", "win32": "windows", "darwin": "macos", "x86_64": "x86_64", "arm64": "aarch64"}


def test_all_these_platforms_have_wheels():
    assert wheels.PLATFORMS.keys() == EXPECTED.keys()


@pytest.mark.parametrize("platform", EXPECTED)
def test_zig_is_told_what_the_wheel_is_called(platform):
    system, machine, name = EXPECTED[platform]
    assert build.system_and_machine(platform) == (system, machine)
    assert build.library_name(platform) == name
    command = wheels.command(platform)
    assert command[:5] == [sys.executable, "-m", "ziglang", "cc", "-target"]
    processor, of_system, *_ = command[5].split("-")
    assert (processor, of_system.partition(".")[0]) == (ZIG[machine], ZIG[system])
    numbers = platform.removesuffix(f"_{processor}").removesuffix("_arm64").split("_", 1)[1].replace("_", ".")
    assert "linux" in platform or "win" in platform or command[5].endswith(numbers)
    assert not platform.startswith("manylinux") or command[5].endswith(f"-gnu.{numbers}")


def test_every_instruction_set_of_the_processor_is_compiled_and_none_of_others():
    for_pc, for_arm = ([(source, *flags) for source, _, flags in build.jobs(name)] for name in ("x86_64", "arm64"))
    kernels = [flags for source, *flags in for_pc if source == "kernel.c" and flags[0].startswith("-DKERNEL=")]
    assert any("-mavx512f" in flags for flags in kernels)
    assert any("-mavx2" in flags and "-mavx512f" not in flags for flags in kernels)
    assert any(not any(flag.startswith("-m") for flag in flags) for flags in kernels)
    assert not any(flag.startswith("-m") for _, *flags in for_arm for flag in flags)
    objects = [name for _, name, _ in build.jobs("x86_64")]
    assert len(set(objects)) == len(objects), "one object file would overwrite another one"


# ------------------------------------------------------------------------------------------ without a compiler


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """A compiler that writes down what it was asked, and gives a file; returns what it was asked."""
    script, asked = tmp_path / "cc.py", tmp_path / "asked"
    lines = ["import os, sys", "if '--version' in sys.argv: sys.exit(print(os.environ['CALLED']))"]
    lines.append(f"open({str(asked)!r}, 'a').write(repr(sys.argv[1:]) + chr(10))")
    script.write_text("\n".join([*lines, "open(sys.argv[sys.argv.index('-o') + 1], 'w').write('made')"]))
    monkeypatch.setenv("CC", shlex.join([sys.executable, str(script)]))
    monkeypatch.setenv(build.SWITCH, "1")
    return lambda: [eval(line) for line in asked.read_text().splitlines()]


@pytest.mark.parametrize(
    ("platform", "called"),
    [(LINUX, "gcc 14"), (MAC, "clang version 19"), ("win_amd64", "clang version 19"), ("win_amd64", "gcc 14")],
)
def test_the_hook_makes_a_wheel_for_the_platform_that_is_asked_for(platform, called, compiler, monkeypatch):
    monkeypatch.setenv("CALLED", called)
    before = build.LIBRARY.stat().st_mtime_ns if build.LIBRARY.exists() else None
    monkeypatch.setenv(build.PLATFORM, platform)
    hook, data = object.__new__(NativeBuildHook), {"artifacts": [], "force_include": {}}
    hook.initialize("standard", data)
    name = build.library_name(platform)
    assert data["tag"] == f"py3-none-{platform}"
    assert data["pure_python"] is False
    assert sorted(data["force_include"].values()) == [f"autograd_mini/native/{n}" for n in (name, f"{name}.sha256")]
    made, seal = sorted(map(Path, data["force_include"]))
    assert made.read_text() == "made"
    assert seal.read_text() == hashlib.sha256(b"made").hexdigest()
    assert before == (build.LIBRARY.stat().st_mtime_ns if build.LIBRARY.exists() else None), "this machine's stays"
    *compiled, linked = compiler()
    assert all(("-fPIC" in asked) == (platform != "win_amd64") for asked in compiled)
    assert ("-lm" in linked) == (platform != "win_amd64")
    unaligned = ["-Wa,-muse-unaligned-vector-move" in asked for asked in compiled]
    assert set(unaligned) == {(platform, called) == ("win_amd64", "gcc 14")}, "gcc's stack on Windows isn't aligned"
    assert ("-Wl,-install_name,@rpath/machine.dylib" in linked) == platform.startswith("macosx")


def test_a_wheel_for_a_platform_is_an_error_where_it_cannot_be_compiled(monkeypatch):
    monkeypatch.setenv("CC", shlex.join([sys.executable, "-c", "import sys; sys.exit('no such target')"]))
    monkeypatch.setenv(build.SWITCH, "1")
    monkeypatch.setenv(build.PLATFORM, "win_amd64")
    with pytest.raises(RuntimeError, match=r"(?s)no library for win_amd64: .* failed: .*no such target"):
        object.__new__(NativeBuildHook).initialize("standard", {})


def test_a_platform_that_no_wheel_has_is_refused(monkeypatch):
    monkeypatch.setenv(build.PLATFORM, "amiga")
    with pytest.raises(ValueError, match="AUTOGRAD_MINI_PLATFORM: expected a platform such as linux_x86_64 or"):
        object.__new__(NativeBuildHook).initialize("standard", {})


def test_what_is_compiled_and_cannot_be_loaded_is_left_out(tmp_path, compiler):
    target = tmp_path / "library" / "machine.so"
    target.parent.mkdir()
    assert "failed: " in build.build(target), "a text was taken for a library"
    assert list(target.parent.iterdir()) == []


def test_a_python_of_32_bits_gets_the_package_without_it(tmp_path, compiler, monkeypatch):
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert "64 bits" in build.build(tmp_path / "machine.so")


def test_what_is_compiled_here_promises_nothing_for_other_machines():
    pytest.importorskip("packaging")
    assert not platform_here().startswith(("manylinux", "musllinux"))


# ------------------------------------------------------------------------------------------ what is looked at


def library_for(platform):
    """Bytes that look like a library for a platform."""
    system, machine, _ = EXPECTED[platform]
    content = bytearray(300)
    if system == "linux":
        content[:5], content[18] = b"\x7fELF\x02", {"x86_64": 62, "arm64": 183}[machine]
        if platform.startswith("manylinux"):
            content += b"GLIBC_2.17 GLIBC_2.2.5"
    elif system == "darwin":
        content[:4] = (0xFEEDFACF).to_bytes(4, "little")
        content[4:8] = {"x86_64": 0x1000007, "arm64": 0x100000C}[machine].to_bytes(4, "little")
    else:
        content[:2], content[60], content[128:134] = b"MZ", 128, b"PE\0\0\x64\x86"
    return bytes(content) + build.version().encode()


def wheel_for(folder, platform, library=None, name=None, changes=()):
    """A wheel with a library; `changes` are further files, or others in the place of its own."""
    library = library_for(platform) if library is None else library
    path = f"autograd_mini/native/{name or build.library_name(platform)}"
    files = {
        path: library,
        f"{path}.sha256": hashlib.sha256(library).hexdigest().encode(),
        "a.dist-info/WHEEL": f"Root-Is-Purelib: false\nTag: py3-none-{platform}\n".encode(),
        **dict(changes),
    }
    record = ""
    for member, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{member},sha256={digest},{len(content)}\n"
    files.setdefault("a.dist-info/RECORD", (record + "a.dist-info/RECORD,,\n").encode())
    wheel = folder / f"a-1-py3-none-{platform}.whl"
    with zipfile.ZipFile(wheel, "w") as opened:
        for member, content in files.items():
            opened.writestr(member, content)
    return wheel


@pytest.mark.parametrize("platform", EXPECTED)
def test_a_wheel_that_is_as_it_must_be_has_no_faults(platform, tmp_path):
    assert wheels.faults(wheel_for(tmp_path, platform), platform) == []


SEAL = "autograd_mini/native/machine.so.sha256"


@pytest.mark.parametrize(
    ("platform", "wrong", "said"),
    [
        (MAC, {"library": library_for("macosx_10_13_x86_64")}, r"the library is for \('darwin', 'x86_64'\)"),
        (LINUX, {"library": library_for("win_amd64")}, r"the library is for \('win32', 'x86_64'\)"),
        (LINUX, {"library": library_for("manylinux_2_17_aarch64")}, r"the library is for \('linux', 'arm64'\)"),
        (LINUX, {"library": b""}, r"the library is for \('unknown', 'unknown'\)"),
        (MAC, {"name": "machine.so"}, r"its libraries are \['autograd_mini/native/machine.so'\], expected machine.dyl"),
        (LINUX, {"changes": {"autograd_mini/native/machine.dll": b""}}, "its libraries are .* expected machine.so"),
        (LINUX, {"changes": {SEAL: b"0" * 64}}, "the library's seal isn't that of the library"),
        (LINUX, {"changes": {"a.dist-info/WHEEL": b"Tag: py3-none-any\n"}}, "it isn't marked as one for the platform"),
        (LINUX, {"changes": {"a.dist-info/RECORD": f"{SEAL},sha256=0,0".encode()}}, "isn't what its record says"),
        (LINUX, {"library": library_for(LINUX)[:-1]}, "the library is of other sources"),
        (LINUX, {"library": library_for(LINUX) + b"GLIBC_2.34"}, "the library needs glibc 2.34"),
        ("musllinux_1_1_x86_64", {"library": library_for(LINUX)}, "the library needs glibc 2.17"),
        (MAC, {"library": library_for(MAC) + str(wheels.ROOT).encode()}, "the library has the path"),
    ],
)
def test_what_is_wrong_with_a_wheel_is_said(platform, wrong, said, tmp_path):
    with pytest.raises(AssertionError, match=said):
        assert wheels.faults(wheel_for(tmp_path, platform, **wrong), platform) == []


def test_a_wheel_with_the_name_of_another_platform_is_told(tmp_path):
    wheel = wheel_for(tmp_path, LINUX)
    assert wheels.faults(wheel.rename(tmp_path / "a-1-py3-none-any.whl"), LINUX) == [
        "its name isn't that of the platform"
    ]


def test_a_platform_that_is_not_known_is_refused_with_those_that_are(tmp_path, capsys):
    with pytest.raises(SystemExit):
        wheels.main([str(tmp_path), "win32", LINUX])
    assert "no platform win32; there are manylinux_2_17_x86_64, " in capsys.readouterr().err


def test_without_zig_it_is_said_how_to_get_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(wheels, "find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        wheels.main([str(tmp_path)])
    assert "ziglang and hatchling must be installed: pip install '.[wheels]'" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------ with the real tools


@pytest.mark.slow
@pytest.mark.needs("ziglang")
def test_wheels_of_two_platforms_are_the_same_to_the_byte_each_time(tmp_path, capsys):
    assert wheels.main([str(tmp_path), MAC, LINUX, "--twice"]) == 0, capsys.readouterr().err
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0].rpartition("-")[2] for line in lines] == [f"{MAC}.whl", f"{LINUX}.whl"]
    assert all("twice the same to the byte" in line for line in lines)
    assert not wheels.fits_here(LINUX) or "runs here" in lines[1]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The source tree without what is compiled in it."""
    folder = tmp_path_factory.mktemp("tree")
    left_out = shutil.ignore_patterns("__pycache__", "*.so", "*.dll", "*.dylib", "*.sha256")
    shutil.copytree(wheels.ROOT / "autograd_mini", folder / "autograd_mini", ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", ".gitignore"):
        if (wheels.ROOT / name).exists():
            shutil.copy(wheels.ROOT / name, folder)
    return folder


def built(tree, folder, *arguments, **environment):
    """What hatchling makes of a source tree: the file, its members, and what was said."""
    kept = {key: value for key, value in os.environ.items() if key not in ("CC", build.SWITCH, build.PLATFORM)}
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder), *arguments],
        cwd=tree,
        env={**kept, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (made,) = folder.iterdir()
    members = zipfile.ZipFile(made).namelist() if made.suffix == ".whl" else []
    return made, [name for name in members if "machine." in name], done.stderr


SOURCES = [f"autograd_mini/native/machine.{end}" for end in "ch"]


@pytest.mark.slow
@pytest.mark.needs("ziglang")
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({build.SWITCH: "0"}, "AUTOGRAD_MINI_NATIVE=0"),
        ({"CC": "no-such-compiler"}, "no C compiler was found"),
        ({"CC": "false"}, "false failed"),
    ],
)
def test_without_a_compiler_or_the_wish_the_wheel_is_pure(environment, said, tree, tmp_path):
    made, members, told = built(tree, tmp_path, "-t", "wheel", **environment)
    assert made.name.endswith("-py3-none-any.whl")
    assert members == SOURCES
    assert f"comes as pure Python, without its native library: {said}" in told


@pytest.mark.slow
@pytest.mark.needs("ziglang")
@pytest.mark.skipif(build.compiler() is None, reason="there is no C compiler")
def test_with_a_compiler_the_wheel_is_for_this_machine_and_the_sources_have_no_library(tree, tmp_path):
    for name in ("wheel", "sdist", "again"):
        (tmp_path / name).mkdir()
    made, members, _ = built(tree, tmp_path / "wheel", "-t", "wheel")
    assert made.name.endswith(f"-py3-none-{platform_here()}.whl")
    assert sorted(members) == sorted(
        [*SOURCES, *(f"autograd_mini/native/{build.LIBRARY.name}{e}" for e in ("", ".sha256"))]
    )
    sources, _, _ = built(tree, tmp_path / "sdist", "-t", "sdist")
    shutil.unpack_archive(sources, tmp_path / "unpacked")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert not list(unpacked.rglob(build.LIBRARY.name))
    again, _, _ = built(unpacked, tmp_path / "again", "-t", "wheel")
    assert again.read_bytes() == made.read_bytes(), "the wheel of the archive of sources is another one"
