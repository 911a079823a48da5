"""`backend="jax"`: the same graphs and models as with NumPy, and a batch shared by eight devices."""

from itertools import pairwise

import jax
import numpy as np
import pytest
from test_random_graphs import BINARY, N_ARY, N_INPUTS, N_PARAMETERS, UNARY, build
from vector_checks import assert_as_eager, assert_close

import autograd_mini as ag
from autograd_mini import Value, nn, optim
from autograd_mini.nn import L2, MLP
from autograd_mini.training import Trainer
from autograd_mini.vectorizer import vectorize

pytestmark = pytest.mark.needs("jax")

RNG = np.random.default_rng(12)
X, Y = RNG.normal(size=(6, 3)), RNG.normal(size=6)
CLASSES = np.array([0.0, 2.0, 1.0, 1.0, 0.0, 2.0])
FAST = {"backend": "jax"}


def same_as_numpy(f, *inputs, **options):
    one, other = vectorize(f), vectorize(f, **FAST, **options)
    assert_close(other(*inputs), one(*inputs), "values")
    for reduction in ("mean", "sum"):
        expected, found = (program.value_and_grad(*inputs, reduction=reduction) for program in (one, other))
        assert_close(found[0], expected[0], reduction)
        assert_close(found[1], expected[1], f"gradient of the {reduction}")
    if inputs:
        by_numpy, by_jax = one.gradients(*inputs), other.gradients(*inputs)
        pairs = [(by_jax, by_numpy)] if len(inputs) == 1 else zip(by_jax, by_numpy, strict=True)
        for got, wanted in pairs:
            assert_close(got, wanted, "gradient by an input")
    return other


def random_steps(seed):
    rng = np.random.default_rng(seed)
    steps = []
    for _ in range(9):
        kind = ["unary", "binary", "n-ary", "dot", "layer"][rng.integers(5)]
        some = rng.integers(0, 10**6, size=rng.integers(2, 7)).tolist()
        which = {"unary": len(UNARY), "binary": len(BINARY), "n-ary": len(N_ARY), "dot": 2, "layer": 3}[kind]
        chosen = int(rng.integers(which)) + (2 if kind == "layer" else 0)
        steps.append((kind, chosen, some[0] if kind == "unary" else tuple(some[:2]) if kind == "binary" else some))
    return steps


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_random_graphs(seed):
    rng = np.random.default_rng(seed)
    data, parameters = rng.normal(size=(5, N_INPUTS)), [Value(x) for x in rng.normal(size=N_PARAMETERS)]
    assert_as_eager(lambda x: build(random_steps(seed), x, parameters), data, **FAST)


def test_a_network_with_a_penalty():
    model = MLP(3, [5, 4, 3], "tanh", rng=0)
    penalty = L2(0.01)
    program = same_as_numpy(lambda x, t: nn.cross_entropy(model(x), t) + penalty(model), X, CLASSES)
    assert "jax" in program.source
    assert "@" in program.source


def test_a_convolution_and_a_recurrence():
    convolution, rnn = nn.Conv2d(1, 2, 2, activation="relu", rng=0), nn.RNN(2, 3, rng=0)
    pictures = RNG.normal(size=(3, 4, 3))
    same_as_numpy(lambda x: ag.sum([a * a for c in convolution([x]) for row in c for a in row]), pictures)
    same_as_numpy(lambda x: ag.sum(rnn(x)[1]), RNG.normal(size=(4, 4, 2)))


def test_batch_norm_and_its_running_statistics():
    models = [nn.Sequential(MLP(3, [4], rng=0), nn.BatchNorm(4), MLP(4, [1], rng=1)) for _ in range(2)]
    found = []
    for model, backend in zip(models, ("numpy", "jax"), strict=True):
        found.append(vectorize(lambda x, y, model=model: (model(x) - y) ** 2, backend=backend).value_and_grad(X, Y))
    assert_close(found[1][0], found[0][0], "value")
    assert_close(found[1][1], found[0][1], "gradient")
    for name, array in models[0].state_dict().items():
        assert_close(models[1].state_dict()[name], array, name)


def test_dropout_with_a_seed_draws_what_numpy_draws():
    model = nn.Sequential(nn.Dropout(0.7, rng=0), MLP(3, [4, 1], "tanh", rng=1))
    one, other = vectorize(model, seed=3), vectorize(model, seed=3, **FAST)
    for _ in range(3):
        assert_close(other(X), one(X), "values")


def test_without_a_batch():
    x = [Value(number) for number in RNG.normal(size=30)]
    same_as_numpy(lambda: ag.sum([100.0 * (b - a**2) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x)]))
    a, b = Value(2.0), Value(-3.0)
    same_as_numpy(lambda: ag.tanh(a * b) / b + a**b)


def test_lists_and_results_that_are_no_computed_node():
    w = Value(2.0)
    f = lambda x: [ag.tanh(w * x[0]), x[2], w, 3.0, x[2]]
    assert_close(vectorize(f, **FAST)(X), vectorize(f)(X), "values")
    assert_close(vectorize(f, **FAST).gradients(X), vectorize(f).gradients(X), "gradients")


def test_in_place_changes_are_seen():
    w = Value(2.0)
    program = vectorize(lambda x: w * x, **FAST)
    assert_close(program(Y), 2.0 * Y, "before")
    w.data = -1.0
    assert_close(program(Y), -Y, "after")


def test_results_can_be_written_to():
    w = Value(2.0)
    program = vectorize(lambda x: w * x[0] * x[1], **FAST)
    for array in (program(X), program.value_and_grad(X)[1], program.gradients(X)):
        array += 1.0
    assert program(X).dtype == np.float64
    assert program.gradients(X).dtype == np.float64


def test_float32():
    model = MLP(3, [4, 1], "tanh", rng=1)
    program = vectorize(model, dtype="float32", **FAST)
    assert program(X).dtype == np.float32
    assert_close(program(X), vectorize(model)(X), "values", 1e-5)


def test_the_precision_of_jax_is_left_as_it_was():
    before = jax.numpy.ones(1).dtype
    vectorize(lambda x: x * 2.0, **FAST)([1.0])
    assert jax.numpy.ones(1).dtype == before


@pytest.mark.parametrize("number", [np.inf, -np.inf, 1000.0, -1000.0, 0.0])
def test_ieee(number):
    f = lambda x: [ag.log(x), ag.exp(x), 1.0 / x, ag.sqrt(x), ag.logsumexp(x, 0.0), ag.sigmoid(x), ag.tanh(x)]
    assert_close(vectorize(f, **FAST)([number]), [[y.data for y in f(Value(number))]], "values")


def test_bare_numbers_that_are_not_finite():
    f = lambda x: [ag.maximum(x[0], -np.inf), ag.maximum(x[1], 0.0), ag.minimum(x[2], np.inf)]
    assert_close(vectorize(f, **FAST)(X), np.stack([X[:, 0], np.maximum(X[:, 1], 0.0), X[:, 2]], axis=1), "values")


@pytest.mark.parametrize("bound", [-np.inf, np.inf])
def test_comparisons_with_infinity(bound):
    f = lambda x: [ag.where(x[0] > bound, x[1], x[2]), ag.where(x[0] < bound, x[1], x[2])]
    expected = [np.where(X[:, 0] > bound, X[:, 1], X[:, 2]), np.where(X[:, 0] < bound, X[:, 1], X[:, 2])]
    assert_close(vectorize(f, **FAST)(X), np.stack(expected, axis=1), "values")


@pytest.mark.parametrize(
    "f",
    [
        lambda jax, jnp: ag.sigmoid(jax) * ag.erf(jnp),
        lambda x_batch, x: ag.exp(x) * x_batch,
        lambda run, seed: ag.exp(run) * seed,
    ],
    ids=["jax", "x_batch", "run"],
)
def test_names_of_arguments_do_no_harm(f):
    assert_as_eager(f, Y, Y[::-1], **FAST)


def test_a_saved_file_needs_numpy_alone_or_is_refused(tmp_path, run_python):
    model = MLP(3, [4, 1], "tanh", rng=1)
    program = vectorize(model, **FAST)
    program(X)
    path = tmp_path / "f.py"
    try:
        program.save(path)
    except ValueError as refused:
        message = str(refused)
    else:
        message = run_python(f"import runpy; runpy.run_path({str(path)!r}, run_name='__main__'); print('ran by numpy')")
    assert "numpy" in message.lower()


ON_EIGHT_DEVICES = """
import numpy as np, jax
from autograd_mini import nn, optim
from autograd_mini.training import Trainer
assert len(jax.devices()) == 8, jax.devices()
rng = np.random.default_rng(0)
X = rng.normal(size=(96 + {extra}, 5))
y = np.sign(X[:, 0] * X[:, 1] + 0.1)
found = []
for options in ({{}}, {{"devices": 8}}):
    model = nn.MLP(5, [8, 4, 1], "tanh", rng=1)
    trainer = Trainer(model, "hinge", optim.Adam(model.parameters(), lr=0.01), batch_size=32, epochs=4, seed=2,
                      penalty=nn.L2(1e-3), validation=(X[:7], y[:7]), progress=False, **options)
    trainer.fit(X, y)
    found.append([*trainer.history.loss, *trainer.history.validation_loss, *[p.data for p in model.parameters()]])
print("FOUND", *[repr(float(x)) for x in np.abs(np.subtract(*found)) / (1.0 + np.abs(found[0]))])
"""


@pytest.mark.parametrize("extra", [0, 5], ids=["even", "a smaller last batch"])
def test_a_training_on_eight_devices_has_numpys_history(extra, run_python):
    printed = run_python(
        ON_EIGHT_DEVICES.format(extra=extra),
        XLA_FLAGS="--xla_force_host_platform_device_count=8",
        JAX_PLATFORMS="cpu",
    )
    differences = [float(x) for x in printed.split("FOUND")[1].split()]
    assert len(differences) > 80
    assert max(differences) < 1e-9


def test_more_devices_than_there_are_is_refused():
    model = MLP(3, [1], rng=0)
    with pytest.raises(ValueError, match=r"devices: .*(at most the|that JAX has)"):
        Trainer(model, "hinge", optim.SGD(model.parameters(), lr=0.1), devices=999, progress=False).fit(X, np.sign(Y))
