"""`text_steps`: the stepper's steps in a plain terminal."""

import math
import re

import pytest

from autograd_mini import Value
from autograd_mini.engine.value import Constant
from autograd_mini.explanations.steps import backward_steps, forward_steps
from autograd_mini.nn import MLP
from autograd_mini.views.stepper.terminal import text_steps


def neuron():
    w, x, b = Value(0.5, label="w"), Value(-2.0, label="x"), Value(0.1, label="b")
    return w * x + b


def plain(text):
    return re.sub("\033\\[[0-9]*m", "", text)


def test_by_node():
    assert text_steps(neuron()) == (
        """\
Forward pass
step  1/10  w = 0.5
step  2/10  x = -2
step  3/10  v1 = w·x = 0.5·(-2) = -1
step  4/10  b = 0.1
step  5/10  L = v1 + b = -1 + 0.1 = -0.9
Seed
step  6/10  ∂L/∂L = 1
Backward pass
step  7/10  ∂L/∂b = ∂L/∂L·∂(v1 + b)/∂b = 1·1 = 1
step  8/10  ∂L/∂v1 = ∂L/∂L·∂(v1 + b)/∂v1 = 1·1 = 1
step  9/10  ∂L/∂x = ∂L/∂v1·∂(w·x)/∂x = 1·0.5 = 0.5
              ∂(w·x)/∂x = w = 0.5
step 10/10  ∂L/∂w = ∂L/∂v1·∂(w·x)/∂w = 1·(-2) = -2
              ∂(w·x)/∂w = x = -2"""
    )


def test_by_edge_each_contribution_is_a_step_with_the_gradient_before_and_after_it():
    a = Value(2.0, label="a")
    lines = text_steps(a * a * a, grain="edge").splitlines()
    assert lines[-6:] == [
        "step 6/8  a.grad += ∂L/∂L·∂(v1·a)/∂a = 1·4 = 4   [0 → 4]",
        "            ∂(v1·a)/∂a = v1 = 4",
        "step 7/8  a.grad += ∂L/∂v1·∂(a①·a②)/∂a① = 2·2 = 4   [4 → 8]",
        "            ∂(a①·a②)/∂a① = a = 2",
        "step 8/8  a.grad += ∂L/∂v1·∂(a①·a②)/∂a② = 2·2 = 4   [8 → 12]",
        "            ∂(a①·a②)/∂a② = a = 2",
    ]


def test_the_lines_are_those_of_the_records():
    root = neuron()
    written = [line.split("  ")[-1] for line in text_steps(root).splitlines() if line.startswith("step")]
    assert written == [str(step) for step in [*forward_steps(root), *backward_steps(root)]]


def test_constants_are_no_steps():
    x = Value(-3.0, label="x")
    text = text_steps(x**2 + 1)
    assert [line.split("  ")[1].split(" = ")[0] for line in text.splitlines() if line.startswith("step")] == [
        "x", "v1", "L", "∂L/∂L", "∂L/∂v1", "∂L/∂x",
    ]  # fmt: skip


def test_colour_marks_gradients_by_their_sign_and_changes_no_text():
    for grain in ("node", "edge"):
        coloured = text_steps(neuron(), colour=True, grain=grain)
        assert plain(coloured) == text_steps(neuron(), grain=grain)
        assert "\033[33m-2\033[0m" in coloured  # ∂L/∂w
        assert "\033[34m0.5\033[0m" in coloured  # ∂L/∂x
    assert "\033" not in text_steps(neuron())


def test_a_width_breaks_lines_before_equals_signs():
    for line in (text := text_steps(neuron(), width=36)).splitlines():
        assert len(line) <= 36, line
    assert "step  5/10  L = v1 + b = -1 + 0.1\n              = -0.9" in text
    assert re.sub(r"\n {14}=", " =", text) == text_steps(neuron())


@pytest.mark.parametrize("label", ["\033[31mred\033[0m", "two\nlines", "bell\a", "back\b\b\b", "a\rb", "\x9b31m"])
def test_a_label_cannot_control_the_terminal(label):
    text = text_steps(Value(2.0, label=label) * 3, grain="edge")
    assert all(sign == "\n" or sign.isprintable() for sign in text), text
    assert len(text.splitlines()) == len(text_steps(Value(2.0, label="x") * 3, grain="edge").splitlines())


@pytest.mark.parametrize("root", [Value(3.0), Constant(3.0), Value(3.0, label="L")])
def test_a_root_that_is_a_leaf(root):
    assert text_steps(root).splitlines() == ["Forward pass", "step 1/2  L = 3", "Seed", "step 2/2  ∂L/∂L = 1"]


def test_infinities_and_nan():
    x = Value(0.0, label="x")
    text = text_steps((1 / x) * x, colour=True)
    assert "= \033[1minf\033[0m" in text
    assert "\033[35mnan\033[0m" in text
    assert math.isnan(((1 / x) * x).data)


def test_names_come_from_variables_and_those_of_a_network_are_a_lectures():
    a = Value(2.0)
    assert "step 1/4  a = 2" in text_steps(a * 2, names={"a": a})
    w = MLP(2, [2, 1], rng=0).layers[0].neurons[1].weights[0]
    w.data = 2.0
    assert "w¹₂₁ = 2" in text_steps(w * 2)


def test_a_grain_that_there_is_not():
    with pytest.raises(ValueError, match='grain: expected "node" or "edge", got \'path\''):
        text_steps(neuron(), grain="path")
    with pytest.raises(TypeError, match="expected the Value at the root of a graph, got 1"):
        text_steps(1)


def test_no_gradient_is_touched():
    x = Value(3.0, label="x")
    x.grad = 7.0
    text_steps(x * x)
    assert x.grad == 7.0
