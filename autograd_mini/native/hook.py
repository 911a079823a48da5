"""Hatchling's hook: makes the library part of a wheel where it can be compiled, and leaves the wheel pure where not."""

from __future__ import annotations

import atexit
import os
import runpy
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # which is there while a wheel is built
    BuildHookInterface = object


class NativeBuildHook(BuildHookInterface):  # type: ignore[misc, valid-type, unused-ignore]
    """Compiles the library beside its sources; one for another platform in a folder that goes afterwards."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile it, and say for which platform the wheel is then."""
        building = runpy.run_path(str(Path(__file__).with_name("build.py")))  # the package isn't installed yet
        wanted = os.environ.get(building["PLATFORM"], "")
        library = building["LIBRARY"]
        if wanted:
            folder = tempfile.mkdtemp()
            atexit.register(shutil.rmtree, folder, ignore_errors=True)  # the wheel is written in between
            library = Path(folder, building["library_name"]())
        reason = building["build"](library)
        if reason and wanted:
            raise RuntimeError(f"no library for {wanted}: {reason}")
        if reason:
            print(f"autograd_mini comes as pure Python, without its native library: {reason}", file=sys.stderr)
            return
        build_data["tag"] = f"py3-none-{wanted or platform_here()}"
        build_data["pure_python"] = False
        for made in library, building["seal"](library):
            if wanted:
                build_data["force_include"][str(made)] = f"autograd_mini/native/{made.name}"
            else:  # not by force: an editable installation has its files where they are
                build_data["artifacts"].append(f"/autograd_mini/native/{made.name}")


def platform_here() -> str:
    """Return what wheels call this platform: for this machine alone, without the promises of manylinux."""
    from packaging.tags import platform_tags  # which hatchling brings

    return next(name for name in platform_tags() if not name.startswith(("manylinux", "musllinux")))
