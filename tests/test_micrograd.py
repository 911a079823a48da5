"""Programs written for micrograd run with the import replaced, and compute the same."""

import copy
import math
import pickle
import random

import pytest

import autograd_mini
from autograd_mini import Value, datasets
from autograd_mini.engine.own import why_unknown
from autograd_mini.nn import MLP

# As in the demonstration notebook of micrograd: moons, an MLP 2-16-16-1, hinge loss, L2, random batches, its own loop.
TRAINING = """
import copy
import math
import pickle
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


# ------------------------------------------------------------------------ operations of a program's own, and attributes


def cubed(x):
    out = Value(x.data**3, (x,), "cube")

    def _backward():
        x.grad += 3 * x.data**2 * out.grad

    out._backward = _backward
    return out


def test_an_operation_made_by_children_and_backward_works_as_in_micrograd():
    a = Value(2.0, label="a")
    L = cubed(a) * a + cubed(cubed(a))
    L.backward()
    assert a.grad == 4 * 2.0**3 + 9 * 2.0**8
    assert (L.parents[0].parents[0]._op, L.parents[0].parents[0]._prev) == ("cube", {a})


def test_the_order_of_a_graph_with_own_operations_is_kept_and_leaves_accumulate():
    x = Value(1.5)
    y = cubed(x)
    L = y * y + y
    L.backward()
    L.backward()
    assert x.grad == pytest.approx(2 * (6 * 1.5**5 + 3 * 1.5**2), rel=1e-15)
    assert y.grad == 2 * y.data + 1


def test_a_loop_over_backward_functions_is_the_backward_pass():
    def by_hand(root):
        topo = autograd_mini.graph.topological_order(root)
        for v in topo:
            v.grad = 0.0
        root.grad = 1.0
        for v in reversed(topo):
            v._backward()
        return [v.grad for v in topo]

    a, b = Value(2.0), Value(-3.0)
    L = (a * b + b**3).tanh() * cubed(a) + autograd_mini.maximum(a, b, 0.5) / b
    by_hands = by_hand(L)
    a.grad = b.grad = 0.0
    L.backward()
    assert by_hands == pytest.approx([v.grad for v in autograd_mini.graph.topological_order(L)], rel=0.0, nan_ok=True)


@pytest.mark.parametrize(
    "make",
    [lambda a, b: Value(7.0, (a, b), "mix", "c"), lambda a, b: Value(7.0, label="c", _children=(a, b), _op="mix")],
)
def test_children_operation_and_label_may_be_given_by_place_or_by_name(make):
    a, b = Value(1.0), Value(2.0)
    c = make(a, b)
    assert (c._op, c._prev, c.label, c.parents) == ("mix", {a, b}, "c", (a, b))
    c.backward()  # without a _backward it passes nothing on
    assert (a.grad, b.grad, c.grad) == (0.0, 0.0, 1.0)


def test_a_subclass_that_passes_children_and_operation_on_works():
    class Named(Value):
        def __init__(self, data, _children=(), _op="", name=""):
            super().__init__(data, _children, _op)
            self.name = name

    a = Named(2.0, name="a")
    out = Named(4.0, (a,), "double", name="out")
    out._backward = lambda: setattr(a, "grad", a.grad + 2 * out.grad)
    (out * out).backward()
    assert (a.grad, out.name, out._op) == (16.0, "out", "double")


def test_the_backward_of_an_operation_of_the_table_can_be_replaced():
    a = Value(3.0)
    out = a * a
    out._backward = lambda: setattr(a, "grad", a.grad + 100.0 * out.grad)  # a straight-through estimator, say
    (out * 2.0).backward()
    assert a.grad == 200.0
    a.data = 5.0
    assert out.forward() == 25.0
    with pytest.raises(TypeError, match="the operation 'mul' is known by the _backward of its node alone"):
        out.backward(create_graph=True)


def test_steps_and_drawings_show_an_own_operation_with_its_name_and_what_it_hands_on():
    a = Value(2.0, label="a")
    out = cubed(a)
    lines = [str(step) for step in autograd_mini.forward_steps(out)]
    assert lines == ["a = 2", "L = cube(a) = cube(2) = 8"]
    assert [str(step) for step in autograd_mini.backward_steps(out)][-1] == "∂L/∂a = ∂L/∂L·cube′(a) = 1·12 = 12"
    assert "none: an operation on the way has no formula to compute it anew" in str(autograd_mini.explain(a, out))
    assert "approx" not in autograd_mini.explain(a, out).latex()
    assert "cube" in autograd_mini.draw(out).source
    assert (a.grad, out.grad) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("vectorize", lambda x: autograd_mini.vectorize(cubed_without_numbers)([1.0, 2.0])),
        ("to_python", lambda x: autograd_mini.to_python(cubed(x))),
        ("create_graph", lambda x: cubed(x).backward(create_graph=True)),
        ("forward", lambda x: cubed(x).forward()),
    ],
)
def test_what_needs_a_formula_refuses_an_own_operation_and_names_it(name, use):
    with pytest.raises(TypeError, match="the operation 'cube' is known by the _backward of its node alone"):
        use(Value(2.0))


def cubed_without_numbers(x):
    return Value(1.0, (x,), "cube") * 2.0


def test_copies_and_wrong_arguments_are_refused():
    import copy

    with pytest.raises(TypeError, match="can't be copied or pickled: it has a _backward of its own"):
        copy.deepcopy(cubed(Value(2.0)) + 1.0)
    with pytest.raises(TypeError, match="label: expected a string, or micrograd's _children, which are Values, got 3"):
        Value(1.0, (3,), "+")
    with pytest.raises(TypeError, match="label: expected a string, or micrograd's _children, which are Values, got 5"):
        Value(1.0, 5)
    with pytest.raises(TypeError, match="_backward: expected a function without arguments, got 3"):
        (Value(1.0) * 2)._backward = 3


def test_values_take_attributes():
    a = Value(2.0)
    n = a * a
    a.m, n._vis_color = 0.0, "red"
    a.m += 0.5
    assert (a.m, n._vis_color) == (0.5, "red")


def test_a_power_is_called_by_its_exponent():
    a = Value(4.0)
    assert [(a**k)._op for k in (2, 0.5, -1)] == ["**2", "**0.5", "**-1"]


# ---------------------------------------------------------------------------------------------- micrograd's own modules

MOONS_OF_THE_DEMO = TRAINING.replace("set_weights(model)\n", "")


def test_after_a_seed_the_weights_are_those_that_micrograd_draws():
    scope = {}
    program = """
import copy
import math
import pickle
import random
from autograd_mini.micrograd.engine import Value
from autograd_mini.micrograd.nn import Neuron, Layer, MLP
random.seed(1)
model = MLP(2, [16, 16, 1])
"""
    exec(program, scope)
    draws = random.Random(1)
    expected = []
    for inputs, neurons in ((2, 16), (16, 16), (16, 1)):
        for _ in range(neurons):
            expected += [*(draws.uniform(-1, 1) for _ in range(inputs)), 0.0]
    model = scope["model"]
    assert [p.data for p in model.parameters()] == expected
    assert str(model).startswith("MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)")
    assert str(model).endswith("Layer of [LinearNeuron(16)]]")
    assert isinstance(scope["Layer"](2, 1)([1.0, 2.0]), Value)
    assert scope["Neuron"](2, nonlin=False).nonlin is False
    neuron = scope["Neuron"](2)
    neuron.w[0] = Value(5.0)
    assert neuron.parameters()[0].data == 5.0


@pytest.mark.needs("micrograd")
def test_the_demo_ends_with_micrograds_loss_without_any_weights_given():
    given = {key: thing for key, thing in moons_with(6, 12).items() if key != "set_weights"}
    theirs = run_with_micrograd(MOONS_OF_THE_DEMO, **given)
    script = MOONS_OF_THE_DEMO.replace("micrograd.", "autograd_mini.micrograd.")
    ours = run_with_micrograd(script, **given)
    assert ours["record"] == [pytest.approx(step, rel=1e-9, abs=1e-12) for step in theirs["record"]]


@pytest.mark.parametrize(
    "replace",
    [
        lambda n: n.weights.__setitem__(0, Value(5.0)),
        lambda n: setattr(n, "bias", Value(5.0)),
        lambda n: setattr(n, "w", [Value(5.0), Value(1.0)]),
        lambda n: setattr(n, "w", [5.0, 1.0]),
        lambda n: n.weights.__setitem__(0, 5.0),
        lambda n: setattr(n, "b", 5),
        lambda n: setattr(n, "b", Value(5.0)),
        lambda n: n.weights.__setitem__(slice(None), [Value(5.0), Value(1.0)]),
    ],
)
def test_a_plain_value_in_the_place_of_a_parameter_is_told(replace):
    n = autograd_mini.nn.Neuron(2)
    message = r"Neuron\.[\w.]+ is a parameter, and got .*5.*, which no training would find: write Parameter\(5\)"
    with pytest.raises(TypeError, match=message):
        [replace(n), n.parameters()]


def test_a_parameter_in_the_place_of_another_is_trained():
    n = autograd_mini.nn.Neuron(2)
    n.w, n.b = [autograd_mini.Parameter(5.0), autograd_mini.Parameter(1.0)], autograd_mini.Parameter(2.0)
    assert [p.data for p in n.parameters()] == [5.0, 1.0, 2.0]


def test_nonlin_says_whether_a_relu_follows():
    nn = autograd_mini.nn
    assert [nn.Neuron(2, nonlin=nonlin).activation for nonlin in (False, True)] == ["identity", "relu"]
    layer = nn.Layer(2, 3, nonlin=False)
    assert [neuron.nonlin for neuron in layer.neurons] == [False, False, False]
    assert (nn.Neuron(2).nonlin, nn.Neuron(2, "tanh").nonlin, nn.Neuron(2, "identity").nonlin) == (True, True, False)
    assert (layer([1.0, 2.0])[0].primitive.name, nn.Layer(2, 1)([1.0, 2.0])[0]._op) == ("dot", "ReLU")


# ------------------------------------------------------------------------------- what a function alone knows, and tells


def clipped(x):
    out = Value(x.data, (x,), "clip")
    out._backward = lambda: setattr(x, "grad", x.grad + max(-1.0, min(1.0, out.grad)))
    return out


def tanh_of_a_lecture(x):
    t = math.tanh(x.data)
    out = Value(t, (x,), "lecture_tanh")

    def _backward():
        x.grad += (1 - t**2) * out.grad

    out._backward = _backward
    return out


def test_the_function_that_is_there_can_be_called_by_the_one_that_takes_its_place():
    x, y = Value(3.0), Value(2.0)
    product, seen = x * y, []
    for _ in range(2):
        before = product._backward
        product._backward = lambda before=before: (seen.append(product.grad), before())
    (product * 5.0).backward()
    assert (x.grad, y.grad, seen) == (10.0, 15.0, [5.0, 5.0])
    x.data = 4.0
    product.forward()
    product.backward()
    assert y.grad == 15.0 + 4.0


def test_a_function_that_clips_its_gradient_has_no_local_derivative_and_the_steps_say_so():
    a = Value(2.0, label="a")
    L = clipped(a) * 5
    L.backward()
    assert a.grad == 1.0
    assert str(list(autograd_mini.backward_steps(L))[-1]) == (
        "∂L/∂a = ∂L/∂v1·clip′(a) = 5·nan = nan "
        "(what the _backward of clip hands on isn't in proportion to its gradient)"
    )
    with autograd_mini.detect_anomaly():
        L.backward()  # what isn't known is no anomaly
    assert a.grad == 2.0


def test_a_node_without_a_function_is_said_to_hand_nothing_on():
    a = Value(2.0, label="a")
    L = Value(3.0, (a,), "mix") + a
    step = list(autograd_mini.backward_steps(L))[-1]
    assert (
        str(step)
        == "∂L/∂a = ∂L/∂L·∂(v1 + a)/∂a + ∂L/∂v1·mix′(a) = 1·1 + 1·0 = 1 (mix has no _backward and hands nothing on)"
    )
    assert step.latex().endswith(r"= 1 \quad \text{(mix has no \_backward and hands nothing on)}")


@pytest.mark.parametrize("name", ["+", "**2", "where", "number", "neg", "x & <y>_{$", ""])
def test_any_name_can_be_shown(name):
    a = Value(2.0, label="a")
    L = Value(8.0, (a,), name)
    assert f"{name or 'own'}(a) = {name or 'own'}(2) = 8" in str(list(autograd_mini.forward_steps(L))[-1])
    assert autograd_mini.draw(L).source
    assert str(autograd_mini.to_latex(L))
    assert L._repr_html_()
    stepper = autograd_mini.step_through(L)
    assert stepper.payload["sgd"] == []
    assert str(stepper)


def hypotenuse(x):
    out = Value(math.sqrt(sum(v.data**2 for v in (x, x))), (x,), "hypotenuse")
    out._backward = lambda: setattr(x, "grad", x.grad + 2**0.5 * out.grad)
    return out


@pytest.mark.parametrize(
    ("function", "name"), [(cubed, "cube"), (tanh_of_a_lecture, "lecture_tanh"), (hypotenuse, "hypotenuse")]
)
def test_vectorize_names_the_operation_also_where_it_reads_data_first(function, name):
    message = rf"he operation '{name}' is known by the _backward of its node alone.*autograd_mini.operation\('{name}'"
    with pytest.raises(autograd_mini.TraceError, match=message):
        autograd_mini.vectorize(function)([1.0, 2.0])
    made = function(Value(2.0))
    with pytest.raises(autograd_mini.TraceError, match=message):
        autograd_mini.vectorize(lambda x: x * made)([1.0, 2.0])


def test_first_derivatives_and_checks_of_functions_know_operations_of_ones_own():
    assert autograd_mini.grad(cubed)(2.0) == 12.0
    autograd_mini.check_gradients(cubed, 2.0)

    def wrong(x):
        out = Value(x.data**3, (x,), "wrong")
        out._backward = lambda: setattr(x, "grad", x.grad + out.grad)
        return out

    with pytest.raises(autograd_mini.GradientCheckError, match="look at the _backward of the operation wrong"):
        autograd_mini.check_gradients(wrong, 2.0)


def test_contexts_hold_for_operations_of_ones_own():
    with autograd_mini.no_grad():
        assert cubed(Value(2.0)).parents == ()
    with autograd_mini.scope("block"):
        assert cubed(Value(2.0)).scope == "block"
    with autograd_mini.detect_anomaly(), pytest.raises(autograd_mini.AnomalyError, match="cube gave inf, from inf"):
        cubed(Value(float("inf")))


def test_a_leaf_hands_nothing_on():
    leaf = Value(2.0)
    leaf._backward = lambda: None
    leaf._backward()
    with pytest.raises(
        TypeError, match=r"is a leaf, .*say what it was computed from, as in out = Value\(data, \(a, b\)"
    ):
        leaf._backward = lambda: leaf.data


def test_what_if_needs_formulas():
    a = Value(2.0, label="a")
    with pytest.raises(TypeError, match="what_if: the operation 'cube' is known by the _backward of its node alone"):
        autograd_mini.step_through(cubed(a), what_if=[a])


def test_copies_and_pickles_keep_attributes():
    a = Value(2.0)
    L = a * a
    a.m, L.friends = 0.5, [a]
    for x in (copy.deepcopy(L), pickle.loads(pickle.dumps(L))):
        assert x.friends == [x.parents[0]]
        assert (x.parents[0].m, x.friends[0] is a) == (0.5, False)
    assert copy.copy(a).m == 0.5
    assert copy.copy(Value(3.0, (a,), "mix"))._op == pickle.loads(pickle.dumps(Value(3.0, (a,), "mix")))._op == "mix"


def test_a_program_follows_the_attributes_that_its_function_reads():
    w = autograd_mini.Parameter(2.0)
    w.scale = 2.0
    program = autograd_mini.vectorize(lambda x: x * w * w.scale)
    assert program([1.0, 2.0]).tolist() == [4.0, 8.0]
    w.scale = 5.0
    assert program([1.0, 2.0]).tolist() == [10.0, 20.0]


def test_a_class_that_lists_its_parameters_itself_may_hold_plain_values():
    from autograd_mini.micrograd.nn import Neuron

    n = Neuron(2)
    n.w, n.b = [Value(1.0), Value(2.0)], Value(0.5)
    assert [p.data for p in n.parameters()] == [1.0, 2.0, 0.5]


def test_weights_replaced_one_by_one_are_told_before_a_training():
    n = autograd_mini.nn.Neuron(2)
    for i in range(2):
        n.w[i] = Value(5.0)
    with pytest.raises(
        TypeError, match=r"Neuron\.weights\.0 is a parameter, and got Value\(data=5.0.*write Parameter\(5\)"
    ):
        autograd_mini.optim.SGD(n.parameters(), 0.1)


@pytest.mark.parametrize(
    ("made", "why"), [(clipped, "isn't in proportion"), (lambda a: Value(3.0, (a,), "mix"), "has no")]
)
def test_drawings_cards_and_explanations_say_that_a_local_derivative_is_not_known(made, why):
    a = Value(2.0, label="a")
    L = made(a)
    source = autograd_mini.draw(L).source
    assert f"{L.primitive.name}′(a) isn't known: {why_unknown(L)}" in source.replace("&#39;", "'")
    assert "<TD>–</TD>" in source
    assert "not known" in L._repr_html_()
    assert f"not known         {why_unknown(L)}" in str(autograd_mini.explain(a, L))
    assert why in why_unknown(L)
    assert why_unknown(cubed(a)) == why_unknown(a * a) == ""


@pytest.mark.parametrize(
    "order", [("_op", "_prev", "_backward"), ("_prev", "_backward", "_op"), ("_prev", "_op", "_backward")]
)
def test_micrograds_attributes_of_a_node_can_be_set_one_by_one(order):
    a, out = Value(2.0), Value(8.0)

    def backward():
        a.grad += 3 * a.data**2 * out.grad

    for name in order:
        setattr(out, name, {"_op": "cube", "_prev": {a}, "_backward": backward}[name])
    (out + a).backward()
    assert (a.grad, out._op, out._prev, out.primitive.name) == (13.0, "cube", {a}, "cube")


def test_a_class_may_set_micrograds_attributes_without_values_constructor():
    class Number(Value):
        def __init__(self, data, _children=(), _op=""):
            self.data, self.grad, self._backward = data, 0, lambda: None
            self._prev, self._op = set(_children), _op

        def double(self):
            out = Number(2 * self.data, (self,), "double")

            def backward():
                self.grad += 2 * out.grad

            out._backward = backward
            return out

    a = Number(3.0)
    out = a.double().double() * a
    out.backward()
    assert (out.data, a.grad, a._op, a.double()._op, a.label) == (36.0, 24.0, "", "double", "")


def test_a_result_that_knows_its_operands_keeps_them():
    a, b = Value(2.0), Value(3.0)
    product = a * b
    product._prev, product._op = {a, b}, "times"
    assert (product._op, product.primitive.name) == ("times", "mul")
    with pytest.raises(
        TypeError, match=r"is the result of 'mul', and stays so: write v\.detach\(\) for a Value of its"
    ):
        product._prev = set()
    with pytest.raises(TypeError, match=r"_prev: expected micrograd's _children, which are Values, got 3"):
        Value(1.0)._prev = {3}
