"""How large networks are on a microcontroller: C files of `Program.save`, compiled and linked for a Cortex-M4.

Run it in the project's root: ``python benchmarks/c_sizes.py``. It needs ``arm-none-eabi-gcc`` with newlib, Debian's
packages ``gcc-arm-none-eabi`` and ``libnewlib-arm-none-eabi``. Counted is what a program that calls a function has more
than one that does nothing: code and weights (text), and the arrays that it has to give (bss); with what it takes of the
C library, such as ``expf``.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from autograd_mini import nn, vectorize
from autograd_mini.vectorizer.program import Program

COMPILER = "arm-none-eabi-gcc"
PROCESSOR = "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard".split()
WARNINGS = "-std=c99 -Wall -Wextra -pedantic -Werror -Wconversion -Wshadow -Wdouble-promotion".split()
LINKED = "-Os -ffunction-sections -fdata-sections -Wl,--gc-sections --specs=nano.specs --specs=nosys.specs".split()
QUIET = "-Wl,--no-warn-rwx-segments"
NOTHING = "int main(void) { return 0; }\n"


def networks() -> list[tuple[str, Program, Program]]:
    """Return networks, each as a program that gives its results and as one that gives its loss."""
    moons, digits = nn.MLP(2, [16, 16, 1], "relu", rng=0), nn.MLP(64, [100, 10], "relu", rng=0)
    found = [
        ("moons 2-16-16-1", vectorize(lambda x: moons(x)), vectorize(lambda x, t: nn.hinge(moons(x), t)), 2),
        (
            "digits 64-100-10",
            vectorize(lambda x: digits(x)),
            vectorize(lambda x, t: nn.cross_entropy(digits(x), t)),
            64,
        ),
    ]
    for _, results, loss, width in found:
        results(np.ones((1, width)))
        loss(np.ones((1, width)), np.ones(1))
    return [(name, results, loss) for name, results, loss, _ in found]


def main_of(text: str, function: str) -> str:
    """Return the program that calls one function of a C file, its arrays being static."""
    declared = re.search(rf"^// \w+ net_{function}\((.*)\);", text, re.M)
    assert declared is not None, f"there is no net_{function}"
    sizes = {"theta": "NET_THETA", "out": "NET_OUTPUTS", "gradient": "NET_GRADIENT"}
    sizes["work"] = "NET_WORK" if function == "train" else "NET_PREDICT_WORK"
    given = re.search(r"const float x\[(\d+)\]", text)
    assert given is not None
    sizes |= {"x": given[1], "t": "1"}
    names = [argument.split()[-1].lstrip("*") for argument in declared[1].split(", ")]
    arrays = [f"static float {name}[{sizes[name]}];" for name in names if name in sizes]
    called = [{"n": "1", "lr": "0.1f"}.get(name, name) for name in names]
    if function == "predict":  # the weights stay in the flash memory
        called[0], arrays = "net_theta", arrays[1:]
        copied = ""
    else:
        copied = "for (int i = 0; i < NET_THETA; i++) theta[i] = net_theta[i]; "
    reads = "(int)out[0]" if function == "predict" else "(int)theta[0]"
    call = f"net_{function}({', '.join(called)});"
    return "\n".join(['#include "net.c"', *arrays, f"int main(void) {{ {copied}{call} return {reads}; }}", ""])


def size_of(folder: Path, main: str) -> np.ndarray:
    """Return the text, data and bss of a program."""
    (folder / "main.c").write_text(main)
    command = [COMPILER, *PROCESSOR, *WARNINGS, *LINKED, "main.c", "-o", "main.elf", "-lm"]
    subprocess.run(command, cwd=folder, check=True, stderr=subprocess.DEVNULL)
    printed = subprocess.run(["arm-none-eabi-size", "main.elf"], cwd=folder, check=True, capture_output=True, text=True)
    return np.array(printed.stdout.split("\n")[1].split()[:3], int)


def main() -> None:
    """Print the table."""
    version = subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    print(f"{version}, {' '.join(PROCESSOR)} -Os, float32")
    print("| network | of it | weights | text | data | bss |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        nothing = size_of(folder, NOTHING)
        for network, results, loss in networks():
            for what, program, function in (("predict", results, "predict"), ("train", loss, "train")):
                program.save(folder / "net.c", dtype="float32", train="sgd" if function == "train" else None)
                text = (folder / "net.c").read_text(encoding="ascii")
                weights = int(re.search(r"#define NET_THETA (\d+)", text)[1]) * 4  # type: ignore[index]
                sizes = size_of(folder, main_of(text, function)) - nothing
                print(f"| {network} | {what} | {weights:,} | " + " | ".join(f"{size:,}" for size in sizes) + " |")


if __name__ == "__main__":
    main()
