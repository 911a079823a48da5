"""`Program.save("loss.py", backend="jax")`: a file that JAX runs, in one process or in several."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from vector_checks import assert_close

import autograd_mini as ag
from autograd_mini import nn
from autograd_mini.nn import MLP
from autograd_mini.vectorizer import vectorize

ROOT = Path(__file__).resolve().parent.parent.parent
RNG = np.random.default_rng(5)
X, CLASSES = RNG.normal(size=(6, 3)), np.array([0.0, 2.0, 1.0, 1.0, 0.0, 2.0])


def normalised():
    return nn.Sequential(MLP(3, [4], "tanh", rng=0), nn.LayerNorm(4), MLP(4, [3], rng=1))


def frozen():
    model = normalised()
    nn.freeze(model[0])
    return model


def in_batches():
    return nn.Sequential(MLP(3, [4], "tanh", rng=0), nn.BatchNorm(4), MLP(4, [3], rng=1))


def loss_of(model):
    return lambda x, t: nn.cross_entropy(model(x), t)


RUN = """
import importlib.util, json, pathlib, sys
import numpy as np
files, batch, seed = sorted(pathlib.Path(sys.argv[1]).glob("*.py")), json.loads(sys.argv[2]), float(sys.argv[3])
for file in files:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    net = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(net)
    inputs = [np.array(rows, net.theta.dtype) for rows in batch]
    losses, _, gradient, _ = net.jax.jit(net.run)(net.theta, seed, *inputs)
    assert "autograd_mini" not in sys.modules
    print(json.dumps([file.stem, str(gradient.dtype), losses[0].ravel().tolist(), gradient[net.order].tolist()]))
"""


@pytest.mark.needs("jax")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_it_gives_the_programs_losses_and_gradient_in_the_order_of_its_parameters(dtype, tmp_path):
    expected = {}
    for make in (normalised, frozen, in_batches):
        for backend in ("auto", "jax"):
            program = vectorize(loss_of(make()), dtype=dtype, backend=backend)
            name = f"{make.__name__}_{backend}"
            expected[name] = program.value_and_grad(X, CLASSES)
            program.save(tmp_path / f"{name}.py", backend="jax")
    batch = json.dumps([X.tolist(), CLASSES[:, None].tolist()])
    command = [sys.executable, "-c", RUN, str(tmp_path), batch, repr(1.0 / len(X))]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"JAX_PLATFORMS": "cpu"})
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [name for name, *_ in found] == sorted(expected)
    close = 1e-12 if dtype == "float64" else 1e-5
    for name, dtype_of_gradient, losses, gradient in found:
        assert dtype_of_gradient == dtype, name
        assert_close([np.mean(losses)], [expected[name][0]], f"{name}: mean", close)
        assert_close(np.array(gradient), expected[name][1], f"{name}: gradient", close)


@pytest.mark.needs("jax")
@pytest.mark.parametrize("several", [False, True])
def test_it_prints_the_numbers_of_an_example_of_ones_when_it_is_run(several, tmp_path, run_python):
    model = MLP(3, [4, 2], "tanh", rng=1)
    total = vectorize(lambda x: ag.sum(model(x)))
    program, one = vectorize(model) if several else total, np.ones((1, 3))
    outputs = program(one)
    program.save(tmp_path / "net.py", backend="jax")
    run = f"import runpy; runpy.run_path({str(tmp_path / 'net.py')!r}, run_name='__main__')"
    first, second = run_python(run, JAX_PLATFORMS="cpu").strip().splitlines()
    assert_close(np.array(first.split()[1:], float), np.ravel(outputs), "outputs")
    assert_close(np.array(second.split()[1:], float), total.value_and_grad(one)[1], "gradient")


def test_it_is_written_where_there_is_no_jax_and_computes_nothing_when_it_is_imported(tmp_path):
    program = vectorize(loss_of(normalised()))
    program.value_and_grad(X, CLASSES)
    program.save(tmp_path / "loss.py", backend="jax")
    text = (tmp_path / "loss.py").read_text(encoding="utf-8")
    outside = [line for line in text.splitlines() if "jnp." in line and not line.startswith(" ")]
    assert outside == [], "an array of JAX's at the top would start JAX before it knows of other processes"
    assert "jax.config.update" in text


@pytest.mark.parametrize(
    ("file", "backend", "message"),
    [
        ("net.c", "jax", r"^backend: an option of \.py files alone, and 'net\.c' is C$"),
        ("net.py", "native", r"^backend: expected 'numpy' or 'jax', got 'native'$"),
    ],
)
def test_what_there_isnt_is_refused_before_a_file_is_written(file, backend, message, tmp_path):
    program = vectorize(MLP(3, [1], rng=0))
    program(X)
    with pytest.raises(ValueError, match=message):
        program.save(tmp_path / file, backend=backend)
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
@pytest.mark.needs("jax")
def test_two_processes_have_one_processs_gradient_to_12_digits():
    command = [sys.executable, str(ROOT / "benchmarks" / "several_processes.py"), "--rounds", "1", "--repeats", "1"]
    done = subprocess.run([*command, "--sizes", "8", "96"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    furthest = re.search(r"^the furthest gradient is (\S+) of its largest", done.stdout, re.MULTILINE)
    assert furthest, done.stdout
    assert float(furthest[1]) < 1e-12
    assert len(re.findall(r"^ +\d+(?: +[\d.]+){5}$", done.stdout, re.MULTILINE)) == 2, done.stdout


@pytest.mark.slow
@pytest.mark.needs("jax")
def test_batch_norm_takes_its_means_over_the_rows_of_all_processes(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    script = importlib.import_module("several_processes")
    n_in, _, n_out = script.WIDTHS
    program = vectorize(lambda x, y: loss_of(model)(x, y[0]))
    model = nn.Sequential(MLP(n_in, [4], "tanh", rng=0), nn.BatchNorm(4), MLP(4, [n_out], "tanh", rng=1))
    program.value_and_grad(*script.batch(4))
    program.save(tmp_path / "loss.py", backend="jax")
    cores = [sorted(os.sched_getaffinity(0))] * 2
    (found,) = script.by_processes(tmp_path / "loss.py", cores, [8], 1)
    assert script.difference(program, found) < 1e-12


def test_the_how_to_shows_what_the_script_runs():
    page = (ROOT / "docs" / "howto" / "several_machines.md").read_text(encoding="utf-8")
    start, end = re.findall(r'^:(?:start-after|end-before): "(.*)"$', page, re.MULTILINE)
    script = (ROOT / "benchmarks" / "several_processes.py").read_text(encoding="utf-8")
    shown = script.partition(start + "\n")[2].partition(end)[0]
    assert shown.startswith("def gradient_on_several")
    assert "jax.distributed.initialize" in shown


def test_what_the_how_to_prints_is_a_file_that_names_run_theta_and_order(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "howto" / "several_machines.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(block, {})
    text = (tmp_path / "loss.py").read_text(encoding="utf-8")
    assert re.findall(r"^(?:def )?(run|theta|order)\b", text, re.MULTILINE) == ["run", "theta", "order"]
