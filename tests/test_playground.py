"""What the playground trains by, in Node.js beside the library: weights, first weights, tables, its Python."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from autograd_mini import Trainer, nn, no_grad, optim
from autograd_mini.nn.initializers import initial_weights

DOCS = Path(__file__).resolve().parent.parent / "docs"
NODE = pytest.mark.needs("node")
RULES = {
    "SGD": lambda p: optim.SGD(p, lr=0.05),
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.05),
    "Adam": lambda p: optim.Adam(p, lr=0.05),
}
PENALTIES = {"": None, "L1": nn.L1(0.01), "L2": nn.L2(0.01), "elimination": nn.WeightElimination(0.01)}
LOSSES = {"two classes": "binary_cross_entropy_with_logits", "classes": "cross_entropy", "numbers": "squared_error"}


@pytest.fixture(scope="module")
def page():
    """The module that builds the page."""
    before = list(sys.path)
    sys.path.insert(0, str(DOCS))
    import playground_page

    yield playground_page
    sys.path[:] = before


@pytest.fixture(scope="module")
def model(page):
    """The module that the page asks in the browser."""
    return page.playground_model


@pytest.fixture(scope="module")
def run(page, tmp_path_factory):
    """Run lines of JavaScript beside the page's engine; what `answer` is at the end comes back."""
    folder = tmp_path_factory.mktemp("engine")

    def run(lines, **given):
        constants = [f"const {name} = {json.dumps(value)};" for name, value in {"DIGITS": 4, **given}.items()]
        written = "process.stdout.write(JSON.stringify(answer));"
        script = folder / "script.js"
        script.write_text("\n".join(['"use strict";', *constants, page.engine(), lines, written]), encoding="utf-8")
        done = subprocess.run(["node", str(script)], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def data_of(task, n=23, seed=3):
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(n, 2))
    if task == "numbers":
        return rows, rows[:, 0] - rows[:, 1] ** 2
    return rows, (rows[:, 0] > 0).astype(int) + (rows[:, 1] > 0 if task == "classes" else 0)


def network_of(model, sizes, activation, task):
    return json.loads(model.network(json.dumps({"sizes": sizes, "activation": activation, "task": task})))


def flat(mlp):
    return [p.data for layer in mlp.layers for neuron in layer.neurons for p in [*neuron.weights, neuron.bias]]


TRAIN = """
shuffle = () => {};
const training = new Training(net, data, settings);
training.setParameters(theta);
for (let k = 0; k < 6; k++) training.runEpoch();
const gradient = training.model.loss(Float64Array.from(theta), training.options);
const { theta: last, losses, model: { gradient: slopes } } = training;
const answer = { theta: [...last], losses, first: gradient, gradient: [...slopes] };
"""
CASES = [
    *[("two classes", "tanh", rule, "", 5) for rule in RULES],
    *[("two classes", "sigmoid", "SGD", penalty, 0) for penalty in PENALTIES],
    *[
        ("numbers", activation, "SGD", "L2", 10)
        for activation in ("relu", "leaky_relu", "elu", "softplus", "silu", "gelu", "identity")
    ],
    ("classes", "tanh", "Adam", "L1", 1),
    ("classes", "relu", "momentum", "elimination", 10),
]


@NODE
@pytest.mark.parametrize(("task", "activation", "rule", "penalty", "batch"), CASES)
def test_a_training_in_the_page_is_the_trainers(run, model, task, activation, rule, penalty, batch):
    """From the same weights, with the batches in the same order, after six epochs."""
    X, y = data_of(task)
    sizes = [2, 4, 3, 3 if task == "classes" else 1]
    mlp = nn.MLP(2, sizes[1:], activation, rng=1)
    theta = flat(mlp)
    settings = {"optimizer": rule, "lr": 0.05, "batch": batch, "penalty": penalty, "lambda": 0.01, "seed": 0}
    data = {"rows": X.tolist(), "targets": y.tolist()}
    found = run(TRAIN, net=network_of(model, sizes, activation, task), data=data, settings=settings, theta=theta)

    loss = getattr(nn, LOSSES[task])
    total = sum([loss(mlp(x), t) for x, t in zip(X.tolist(), y.tolist(), strict=True)]) / len(y)
    if PENALTIES[penalty] is not None:
        total = total + PENALTIES[penalty](mlp)
    mlp.zero_grad()
    total.backward()
    assert found["first"] == pytest.approx(total.data, rel=1e-12), "the loss"
    expected = [p.grad for layer in mlp.layers for neuron in layer.neurons for p in [*neuron.weights, neuron.bias]]
    assert found["gradient"] == pytest.approx(expected, rel=1e-10, abs=1e-14), "its gradient"

    optimizer = RULES[rule](mlp.parameters())
    trainer = Trainer(
        mlp,
        LOSSES[task],
        optimizer,
        batch_size=batch or None,
        epochs=6,
        penalty=PENALTIES[penalty],
        sampling="order",
        progress=False,
    )
    history = trainer.fit(X, y)
    assert found["theta"] == pytest.approx(flat(mlp), rel=1e-9, abs=1e-9)
    assert found["losses"] == pytest.approx(history.loss, rel=1e-9)


@NODE
def test_a_finite_difference_in_the_page_is_the_gradient(run, model):
    X, y = data_of("numbers")
    net = network_of(model, [2, 3, 1], "tanh", "numbers")
    found = run(
        """const model = new Model(net, data), options = { penalty: "L2", lambda: 0.1 };
        const theta = firstWeights([2, 3, 1], "tanh", 5);
        model.loss(theta, options);
        const gradient = [...model.gradient];
        const answer = { gradient, measured: gradient.map((_, k) => model.finiteDifference(theta, k, options)) };""",
        net=net,
        data={"rows": X.tolist(), "targets": y.tolist()},
    )
    assert found["measured"] == pytest.approx(found["gradient"], rel=1e-6, abs=1e-8)


@NODE
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "gelu"])
def test_first_weights_are_spread_as_the_librarys(run, activation):
    sizes = [40, 50, 50]
    found = run("const answer = [...firstWeights([40, 50, 50], given, 7)];", given=activation)
    at = 0
    for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
        block = np.array(found[at : at + (n_in + 1) * n_out]).reshape(n_out, n_in + 1)
        at += block.size
        kind = activation if layer == 0 else "identity"
        drawn = initial_weights(None, kind, 0, (n_out, n_in))
        assert block[:, :-1].std() == pytest.approx(drawn.std(), rel=0.1), f"layer {layer + 1}"
        assert block[:, :-1].max() == pytest.approx(drawn.max(), rel=0.35)
        assert not block[:, -1].any(), "biases begin at 0"


@NODE
def test_the_same_seed_gives_the_same_training(run, model):
    X, y = data_of("two classes")
    lines = """const settings = { optimizer: "Adam", lr: 0.05, batch: 5, penalty: "", lambda: 0 };
        const trained = seed => { const t = new Training(net, data, { ...settings, seed });
        for (let k = 0; k < 4; k++) t.runEpoch(); return [...t.theta]; };
        const answer = [trained(1), trained(1), trained(2)];"""
    first, again, other = run(
        lines, net=network_of(model, [2, 3, 1], "tanh", "two classes"), data={"rows": X.tolist(), "targets": y.tolist()}
    )
    assert first == again
    assert first != other


@NODE
def test_a_training_that_diverges_stops_and_says_so(run, model):
    X, y = data_of("numbers")
    lines = """const settings = { optimizer: "SGD", lr: 100, batch: 0, penalty: "", lambda: 0, seed: 1 };
        const t = new Training(net, data, settings);
        for (let k = 0; k < 200; k++) t.runEpoch();
        const answer = { failed: t.failed, epochs: t.epoch, finite: t.theta.every(isFinite) };"""
    found = run(
        lines, net=network_of(model, [2, 3, 1], "identity", "numbers"), data={"rows": X.tolist(), "targets": y.tolist()}
    )
    assert "became" in found["failed"]
    assert found["epochs"] < 200
    assert found["finite"], "the weights are those of the last batch where all was finite"


@NODE
@pytest.mark.parametrize("task", list(LOSSES))
def test_the_python_that_the_page_gives_runs_and_prints_its_loss(run, model, task, tmp_path):
    X, y = data_of(task)
    sizes = [2, 4, 3 if task == "classes" else 1]
    settings = {"optimizer": "Adam", "lr": 0.02, "batch": 5, "penalty": "L2", "lambda": 0.003, "seed": 4}
    data = {
        "rows": X.tolist(),
        "targets": y.tolist(),
        "task": task,
        "names": ["a", "b\nprint('?')"],
        "target": "c",
        "classes": ["é", "x\ny"],
    }
    net = network_of(model, sizes, "relu", task)
    lines = """const t = new Training(net, data, settings);
        for (let k = 0; k < 3; k++) t.runEpoch();
        const answer = { code: pythonOf(t), loss: t.model.loss(t.theta, t.options), theta: [...t.theta] };"""
    found = run(lines, net=net, data=data, settings=settings)
    file = tmp_path / "model.py"
    file.write_text(found["code"], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(file)], capture_output=True, text=True, cwd=DOCS.parent, check=False
    )
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.strip().splitlines()
    assert float(first.removeprefix("loss ")) == pytest.approx(found["loss"], rel=1e-12)
    assert float(last.rpartition(" ")[2]) < found["loss"], "it trains on"


@NODE
def test_the_python_of_a_data_set_makes_the_same_data(run, page, model):
    """Each data set that the page brings along is what its line of Python gives."""
    for name, one in page.data_sets().items():
        namespace = {"datasets": page.datasets}
        X, y = eval(one["python"], namespace)
        assert X.tolist() == one["rows"], name
        assert y.tolist() == one["targets"], name
    sizes = [2, 2, 1]
    code = run(
        """const settings = { optimizer: "SGD", lr: 0.1, batch: 0, penalty: "", lambda: 0.1, seed: 1 };
        const t = new Training(net, data, settings);
        const answer = pythonOf(t);""",
        net=network_of(model, sizes, "tanh", "two classes"),
        data=page.data_sets()["xor"],
    )
    assert "X, y = datasets.xor()" in code
    assert "penalty = None" in code


def test_the_networks_of_the_page_are_those_of_the_library(model):
    """Value by value: activations of all columns, by the same names."""
    mlp = nn.MLP(2, [4, 3, 1], "gelu", rng=2)
    net = model.Network([2, 4, 3, 1], "gelu", flat(mlp), [0.3, -0.7])
    x = [0.3, -0.7]
    with no_grad():
        for column, layer in zip(net.columns[1:], mlp.layers, strict=True):
            x = layer(x)
            assert [node.data for node in column] == [node.data for node in x]
    assert [node.label for node in net.parameters][:4] == ["w¹₁₁", "w¹₁₂", "b¹₁", "w¹₂₁"]


@pytest.mark.parametrize(
    ("sizes", "activation", "words"),
    [
        ([2, 17, 1], "tanh", "16 neurons"),
        ([2, *[3] * 6, 1], "tanh", "5 hidden"),
        ([12, 16, 16, 16, 16, 16, 6], "tanh", "weights"),
        ([2, 2, 1], "os", "activation"),
    ],
)
def test_a_network_that_is_too_large_for_the_page_is_refused(model, sizes, activation, words):
    with pytest.raises(model.Refused, match=words):
        network_of(model, sizes, activation, "two classes")


def table_of(model, text, **more):
    return json.loads(model.table(json.dumps({"text": text, **more})))


def test_a_table_of_numbers_and_a_class_is_read(model):
    found = table_of(model, "a,b,kind\n1,10,x\n3,30,y\n1,10,x\n3,30,y\n")
    assert found["rows"] == [[-1.0, -1.0], [1.0, 1.0]] * 2
    assert (found["names"], found["target"], found["classes"], found["targets"]) == (
        ["a", "b"],
        "kind",
        ["x", "y"],
        [0, 1, 0, 1],
    )
    assert found["task"] == "two classes"
    assert any("scaled" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("text", "task", "names"),
    [
        ("a;b;c\n1,5;2;x\n2,5;3;y\n1;2;x\n4,1;3;y\n", "two classes", ["a", "b"]),
        ("a\tb\n1.5\t2.25\n2.5\t3.75\n3.5\t1.125\n", "numbers", ["a"]),
        ("1,2,3.5\n4,5,6.25\n7,8,1.125\n", "numbers", ["1", "2"]),
        ("a,c\n1,x\n2,y\n3,z\n1,x\n2,y\n3,z\n", "classes", ["a"]),
        ("name,a,c\nann,1,x\nbob,2,y\nann,3,x\n", "two classes", ["a"]),
    ],
)
def test_tables_of_all_kinds_are_read(model, text, task, names):
    found = table_of(model, text)
    assert (found["task"], found["names"]) == (task, names)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,x\noops,y\n2,x\n", ["line 3", "'a'", "'oops'"]),
        ("a;b\n1,5;x\noops;y\n2,5;x\n", ["line 3", "'a'", "'oops'"]),
        ("a;b\n1,5;x\n1.5;y\n2,5;x\n", ["line 2", "'1,5'", "decimals with a point"]),
        ("a,b\n1,x\n,y\n2,x\n", ["line 3", "empty"]),
        ("a,b\n1,x\n2\n", ["line 3", "1 cell"]),
        ("a,b\n1,x\n2,x\n", ["'b'", "every row"]),
        ("a,b\nx,y\nz,y\nx,z\n", ["no column of numbers"]),
        ("a,b\n", ["no rows"]),
        ("", ["empty"]),
        ("a,a\n1,2\n3,4\n", ["'a'", "2 times"]),
        ("a,c\n" + "\n".join(f"{i},{'pqrstuvw'[i % 8]}" for i in range(16)), ["8 classes", "up to 6"]),
        ("a,b\n" + "1,2\n3,4.5\n" * 2501, ["5,002 rows", "5,000"]),
        (
            ",".join(f"x{i}" for i in range(20)) + "\n" + ",".join(["1.5"] * 20) + "\n" + ",".join(["2.5"] * 20) + "\n",
            ["19 columns"],
        ),
    ],
)
def test_what_is_wrong_with_a_table_is_told_with_its_place(model, text, words):
    problem = table_of(model, text)["problem"]
    for word in words:
        assert word in problem
    assert "--" not in problem, "no option of the command line"
    assert "/" not in problem, "no path"


def test_a_target_of_ones_own_is_taken(model):
    found = table_of(model, "kind,a\nx,1\ny,2\nx,3\n", target="kind")
    assert (found["target"], found["names"]) == ("kind", ["a"])
    assert "did you mean" in table_of(model, "kind,a\nx,1\ny,2\nx,3\n", target="kinds")["problem"]


def test_whole_numbers_are_a_class_or_a_number_as_the_reader_says(model):
    text = "a,b\n1,2\n2,4\n3,6\n"
    assert table_of(model, text)["task"] == "numbers"
    assert "say so under “target is”" in table_of(model, text, task="classification")["problem"]
    repeated = text + text.partition("\n")[2]
    assert table_of(model, repeated)["task"] == "classes"
    assert table_of(model, repeated, task="regression")["task"] == "numbers"


@pytest.mark.parametrize("neuron", [[1, 2], [2, 0], None])
@pytest.mark.parametrize("task", list(LOSSES))
def test_a_stepper_has_the_networks_numbers(model, neuron, task):
    sizes = [2, 3, 3 if task == "classes" else 1]
    mlp = nn.MLP(2, sizes[1:], "tanh", rng=0)
    x, target = [0.4, -0.2], 1
    asked = {
        "sizes": sizes,
        "activation": "tanh",
        "task": task,
        "numbers": flat(mlp),
        "x": x,
        "target": target,
        "neuron": neuron,
    }
    payload = json.loads(model.step(json.dumps(asked)))["payload"]
    last = payload["nodes"][-1]["value"]
    if neuron == [1, 2]:
        assert last == pytest.approx(mlp.layers[0](x)[2].data)
    else:
        assert last == pytest.approx(getattr(nn, LOSSES[task])(mlp(x), target).data)
