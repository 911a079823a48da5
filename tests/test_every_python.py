"""The engine's core gives the same digits on every Python: it is run by all of them that this machine has."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_mini

# What runs without NumPy: sums and means with terms that cancel, and a seeded training.
SCRIPT = r"""
import json, random
from autograd_mini import Value, dot, functions, logsumexp, softmax, tanh

rng = random.Random(0)
terms = [rng.uniform(-1.0, 1.0) * 10.0 ** rng.randrange(-9, 17) for _ in range(200)]
found = [functions.sum([1e16, 1.0, -1e16]), functions.sum([Value(0.1)] * 10).data, functions.sum(terms)]
found += [functions.sum([Value(x) for x in terms]).data, functions.sum(terms) / len(terms)]
found += [dot(terms[:50], terms[50:100], 1.0), dot([Value(x) for x in terms[:9]], [0.1] * 9, Value(1e15)).data]
found += [logsumexp([0.1] * 10), *softmax([0.1 * k for k in range(10)])]

weights = [[Value(rng.gauss(0.0, 1.0)) for _ in range(4)] for _ in range(5)]
examples = [([rng.gauss(0.0, 1.0) for _ in range(3)], rng.choice([0.0, 1.0])) for _ in range(20)]
for _ in range(10):
    losses = []
    for x, y in examples:
        hidden = [tanh(dot(w[:3], [Value(v) for v in x], w[3])) for w in weights[:4]]
        losses.append((dot(weights[4][:4], hidden, Value(0.0)) - y) ** 2)
    loss = functions.sum(losses) / len(losses)
    parameters = [w for row in weights for w in row]
    for w in parameters:
        w.grad = 0.0
    loss.backward()
    for w in parameters:
        w.data -= 0.1 * w.grad
    found.append(loss.data)
found += [w.data for w in parameters]
print(json.dumps([float(x).hex() for x in found]))
"""


def pythons():
    """The other Pythons of this machine that the package supports, by version: on the path, and pyenv's."""
    names = [f"python3.{minor}" for minor in range(10, 20)]
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    folders += sorted(root.glob("3.*/bin"))
    found = {}
    for name in names:
        for path in [folder / name for folder in folders if os.access(folder / name, os.X_OK)]:
            # A shim of pyenv is there for versions too that can't be run just now.
            told = subprocess.run([path, "-I", "-c", "import sys; print(sys.version)"], capture_output=True, text=True)
            version = re.match(r"3\.\d+", told.stdout)
            if told.returncode == 0 and version and version[0] != f"3.{sys.version_info[1]}":
                found.setdefault(version[0], path)
    return found


def digits(python):
    environment = {**os.environ, "PYTHONPATH": str(Path(autograd_mini.__file__).resolve().parent.parent)}
    done = subprocess.run([python, "-S", "-c", SCRIPT], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{python}: {done.stderr}"
    return json.loads(done.stdout)


def test_sums_means_and_a_seeded_training_have_the_same_digits_on_every_python():
    others = pythons()
    if not others:
        pytest.skip("there is no other Python from 3.10 on, neither on the path nor in pyenv")
    want = digits(sys.executable)
    assert float.fromhex(want[0]) == 0.0
    for version, python in others.items():
        assert digits(python) == want, f"Python {version} ({python}) gives other digits"


def test_no_sum_of_the_core_is_pythons_own():
    """Which compensates from 3.12 on; `math.fsum` and NumPy's add up in other orders again."""
    floats = autograd_mini.engine.floats
    assert floats.sum([0.1] * 10) == 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 != 1.0
    assert floats.sum([1e16, 1.0, -1e16]) == autograd_mini.functions.sum([1e16, 1.0, -1e16]) == 0.0
