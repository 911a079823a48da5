"""Hatchling's hook: makes the library part of a wheel where it can be compiled, and leaves the wheel pure where not."""

from __future__ import annotations

import runpy
import sys
import sysconfig
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # which is there while a wheel is built
    BuildHookInterface = object


class NativeBuildHook(BuildHookInterface):  # type: ignore[misc, valid-type, unused-ignore]
    """Compiles the library beside its sources."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile it, and say that the wheel is for this platform then."""
        building = runpy.run_path(str(Path(__file__).with_name("build.py")))  # the package isn't installed yet
        reason = building["build"]()
        if reason:
            print(f"autograd_mini comes as pure Python, without its native library: {reason}", file=sys.stderr)
            return
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
        build_data["pure_python"] = False
        made = building["LIBRARY"], building["seal"](building["LIBRARY"])
        build_data["artifacts"] += [f"/autograd_mini/native/{path.name}" for path in made]
