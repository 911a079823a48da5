"""Programs written for micrograd run with the import replaced, and compute the same."""

import random

import pytest

import autograd_mini
from autograd_mini import Value, datasets
from autograd_mini.nn import MLP

# As in the demonstration notebook of micrograd: moons, an MLP 2-16-16-1, hinge loss, L2, random batches, its own loop.
TRAINING = """
import random
import numpy as np
from micrograd.engine import Value
from micrograd.nn import Neuron, Layer, MLP

np.random.seed(1337)
random.seed(1337)

model = MLP(2, [16, 16, 1]) # 2-layer neural network
print(model)
print("number of parameters", len(model.parameters()))
set_weights(model)

# loss function
def loss(batch_size=None):

    # inline DataLoader :)
    if batch_size is None:
        Xb, yb = X, y
    else:
        ri = np.random.permutation(X.shape[0])[:batch_size]
        Xb, yb = X[ri], y[ri]
    inputs = [list(map(Value, xrow)) for xrow in Xb]

    # forward the model to get scores
    scores = list(map(model, inputs))

    # svm "max-margin" loss
    losses = [(1 + -yi*scorei).relu() for yi, scorei in zip(yb, scores)]
    data_loss = sum(losses) * (1.0 / len(losses))
    # L2 regularization
    alpha = 1e-4
    reg_loss = alpha * sum((p*p for p in model.parameters()))
    total_loss = data_loss + reg_loss

    # also get accuracy
    accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(yb, scores)]
    return total_loss, sum(accuracy) / len(accuracy)

record = []
for k in range(steps):

    # forward
    total_loss, acc = loss(batch_size)

    # backward
    model.zero_grad()
    total_loss.backward()

    # update (sgd)
    learning_rate = 1.0 - 0.9*k/100
    for p in model.parameters():
        p.data -= learning_rate * p.grad

    record.append((total_loss.data, acc))

# visualize decision boundary
Xmesh = np.c_[np.linspace(-1.5, 2.5, 7), np.linspace(-1, 1.5, 7)]
inputs = [list(map(Value, xrow)) for xrow in Xmesh]
scores = list(map(model, inputs))
Z = np.array([s.data > 0 for s in scores])
boundary = [s.data for s in scores]
first = model.layers[0].neurons[0]
weights = [w.data for w in first.w] + [first.b.data]
"""

# As in its notebook of drawings.
TRACING = """
from micrograd.engine import Value
from micrograd.nn import Neuron
random.seed(1337)

def trace(root):
    nodes, edges = set(), set()
    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)
    build(root)
    return nodes, edges

lines = []
def draw_dot(root):
    nodes, edges = trace(root)
    for n in nodes:
        lines.append((str(id(n)), "{ data %.4f | grad %.4f }" % (n.data, n.grad)))
        if n._op:
            lines.append((str(id(n)) + n._op, n._op))
    for n1, n2 in edges:
        lines.append((str(id(n1)), str(id(n2)) + n2._op))

n = Neuron(2)
x = [Value(1.0), Value(-2.0)]
y = n(x)
y.backward()
draw_dot(y)
nodes, edges = trace(y)
"""

# The example at the top of its README.
EXPRESSIONS = """
from micrograd.engine import Value

a = Value(-4.0)
b = Value(2.0)
c = a + b
d = a * b + b**3
c += c + 1
c += 1 + c + (-a)
d += d * 2 + (b + a).relu()
d += 3 * d + (b - a).relu()
e = c - d
f = e**2
g = f / 2.0
g += 10.0 / f
g.backward()
"""


def run(script, **given):
    script = script.replace("micrograd.engine", "autograd_mini").replace("micrograd.nn", "autograd_mini.nn")
    scope = {"random": random, **given}
    exec(compile(script, "<a program for micrograd>", "exec"), scope)
    return scope


def run_with_micrograd(script, **given):
    scope = {"random": random, **given}
    exec(compile(script, "<a program for micrograd>", "exec"), scope)
    return scope


@pytest.fixture(autouse=True)
def random_states_are_put_back():
    import numpy as np

    state, numpys = random.getstate(), np.random.get_state()
    yield
    random.setstate(state)
    np.random.set_state(numpys)


def moons_with(steps, batch_size):
    X, y = datasets.moons(60, noise=0.1, seed=3)
    weights = random.Random(5)
    numbers = [weights.uniform(-1, 1) for _ in range(337)]

    def set_weights(model):
        for p, number in zip(model.parameters(), numbers, strict=True):
            p.data = number

    return {"X": X, "y": y * 2 - 1, "set_weights": set_weights, "steps": steps, "batch_size": batch_size}


def test_the_training_script_runs_and_learns(capsys):
    scope = run(TRAINING, **moons_with(steps=25, batch_size=None))
    assert "number of parameters 337" in capsys.readouterr().out
    assert len(scope["record"]) == 25
    assert scope["record"][-1][0] < 0.5 * scope["record"][0][0]
    assert scope["record"][-1][1] > 0.8
    assert scope["Z"].shape == (7,)


@pytest.mark.needs("micrograd")
@pytest.mark.parametrize(("steps", "batch_size"), [(2, None), (5, 12)])
def test_the_training_script_gives_micrograds_losses_from_the_same_weights(steps, batch_size):
    theirs = run_with_micrograd(TRAINING, **moons_with(steps, batch_size))
    ours = run(TRAINING, **moons_with(steps, batch_size))
    assert ours["record"] == [pytest.approx(step, rel=1e-9, abs=1e-12) for step in theirs["record"]]
    assert ours["boundary"] == pytest.approx(theirs["boundary"], rel=1e-9, abs=1e-12)
    assert ours["weights"] == pytest.approx(theirs["weights"], rel=1e-9, abs=1e-12)


def test_the_drawing_code_runs():
    scope = run(TRACING)
    y, nodes, edges = scope["y"], scope["nodes"], scope["edges"]
    assert y in nodes
    assert len(nodes) == 7  # two weights, two features, the bias, z and a
    assert len(edges) == 6
    assert {n._op for n in nodes} == {"", "w·x+b", "ReLU"}
    assert all(type(n._prev) is set for n in nodes)
    assert len(scope["lines"]) == 7 + 2 + 6
    assert set(scope["n"].w) | {scope["n"].b} | set(scope["x"]) == {n for n in nodes if not n._prev}


def test_the_readme_example_has_the_numbers_it_prints():
    scope = run(EXPRESSIONS)
    assert f"{scope['g'].data:.4f}" == "24.7041"
    assert f"{scope['a'].grad:.4f}" == "138.8338"
    assert f"{scope['b'].grad:.4f}" == "645.5773"


@pytest.mark.needs("micrograd")
def test_every_number_of_the_readme_example_is_micrograds():
    theirs, ours = run_with_micrograd(EXPRESSIONS), run(EXPRESSIONS)
    for name in "abcdefg":
        assert ours[name].data == pytest.approx(theirs[name].data, rel=1e-12), name
        assert ours[name].grad == pytest.approx(theirs[name].grad, rel=1e-9), name


def test_operations_have_micrograds_signs_and_previous_nodes():
    a, b = Value(2.0), Value(3.0)
    assert ((a + b)._op, (a * b)._op, a.relu()._op, a._op) == ("+", "*", "ReLU", "")
    assert (a * b)._prev == {a, b}
    assert (a * a)._prev == {a}
    assert a._prev == set()
    assert b in (a**b)._prev


def test_weights_can_be_reached_and_set_as_in_micrograd():
    model = MLP(3, [4, 4, 1])
    n = model.layers[0].neurons[0]
    assert len(n.w) == 3
    n.w[0].data = 0.5
    n.b.data += 1.0
    assert n.b.data == 1.0
    assert model.parameters()[0].data == 0.5
    xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5]]
    loss = sum((yout - ygt) ** 2 for ygt, yout in zip([1.0, -1.0], [model(x) for x in xs], strict=True))
    for p in model.parameters():
        p.grad = 0.0
    loss.backward()
    for p in model.parameters():
        p.data += -0.1 * p.grad
    assert all(isinstance(p.data, float) for p in model.parameters())


def test_a_module_in_micrograds_style_works_with_methods_of_its_own():
    class Neuron(autograd_mini.nn.Module):
        def __init__(self, nin):
            self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
            self.b = Value(0)

        def __call__(self, x):
            act = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
            return act.tanh()

        def parameters(self):
            return [*self.w, self.b]

    n = Neuron(2)
    n([1.0, -2.0]).backward()
    assert any(p.grad != 0.0 for p in n.parameters())
    n.zero_grad()
    assert [p.grad for p in n.parameters()] == [0.0, 0.0, 0.0]


def test_every_import_of_micrograd_has_its_counterpart_under_the_same_name():
    program = "from micrograd.engine import Value\nfrom micrograd.nn import Module, Neuron, Layer, MLP\n"
    names = {}
    exec(program.replace("micrograd", "autograd_mini"), names)
    out = names["MLP"](3, [4, 4, 1])([names["Value"](x) for x in (2.0, 3.0, -1.0)])
    out.backward()
    assert isinstance(out, names["Value"])
