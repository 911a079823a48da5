"""The worked example of L2: x → z¹ → a → z² → ŷ → l with cross-entropy, its stages (a) to (e) one by one."""

import math

import pytest

from autograd_mini import Value, backward_steps, dot, explain, nn, sigmoid


def logistic(z):
    return 1.0 / (1.0 + math.exp(-z))


class Example:
    """The network with one hidden unit, node by node as in the lecture, and its stages by the lecture's formulas."""

    def __init__(self, y, x=0.7, w1=0.4, b1=0.1, w2=-0.6, b2=0.2):
        self.x, self.w1, self.b1 = Value(x, label="x"), Value(w1, label="w1"), Value(b1, label="b1")
        self.w2, self.b2 = Value(w2, label="w2"), Value(b2, label="b2")
        self.z1 = score([self.w1], [self.x], self.b1, "z1")
        self.a = labelled(sigmoid(self.z1), "a")
        self.z2 = score([self.w2], [self.a], self.b2, "z2")
        self.probability = labelled(sigmoid(self.z2), "ŷ")
        self.loss = labelled(nn.binary_cross_entropy(self.probability, y), "l")

        # The same forward pass and the formulas (a) to (e), in plain numbers.
        z1 = w1 * x + b1
        a = logistic(z1)
        z2 = w2 * a + b2
        p = logistic(z2)
        self.value = -(y * math.log(p) + (1.0 - y) * math.log(1.0 - p))
        self.local = {
            "ŷ by z2": p * (1.0 - p),
            "z2 by w2": a,
            "z2 by a": w2,
            "a by z1": a * (1.0 - a),
            "z1 by w1": x,
        }
        self.delta = {"ŷ": -y / p + (1.0 - y) / (1.0 - p)}  # (a)
        self.delta["z2"] = self.delta["ŷ"] * self.local["ŷ by z2"]  # (b)
        self.delta["w2"] = self.delta["z2"] * self.local["z2 by w2"]  # (c)
        self.delta["a"] = self.delta["z2"] * self.local["z2 by a"]  # (d)
        self.delta["z1"] = self.delta["a"] * self.local["a by z1"]  # (d)
        self.delta["w1"] = self.delta["z1"] * self.local["z1 by w1"]  # (e)
        self.delta["b2"], self.delta["b1"] = self.delta["z2"], self.delta["z1"]

    def nodes(self):
        named = [self.probability, self.z2, self.w2, self.a, self.z1, self.w1, self.b2, self.b1]
        return {node.label: node for node in named}

    def step(self, name):
        """The record of the backward pass for a node by its label."""
        node = self.nodes()[name]
        return next(step for step in backward_steps(self.loss) if step.node is node)


def labelled(node, label):
    node.label = label
    return node


def score(weights, inputs, bias, label):
    """z = Σ wᵢxᵢ + b, as a neuron computes it."""
    return labelled(dot(weights, inputs, bias), label)


TARGETS = [0.0, 1.0, 0.3]  # both classes, and in between, where both terms of the loss count


@pytest.mark.parametrize("y", TARGETS)
def test_the_loss_is_the_cross_entropy_of_the_formula(y):
    example = Example(y)
    assert example.loss.data == pytest.approx(example.value, rel=1e-14)


@pytest.mark.parametrize("y", TARGETS)
def test_stage_a_the_derivative_of_the_loss_by_the_probability(y):
    """∂l/∂ŷ = -y/ŷ + (1-y)/(1-ŷ): one term from each logarithm."""
    example = Example(y)
    step, p = example.step("ŷ"), example.probability.data
    assert step.gradient == pytest.approx(-y / p + (1.0 - y) / (1.0 - p), rel=1e-14)
    terms = sorted(contribution.product for contribution in step.contributions)
    assert terms == pytest.approx([-y / p, (1.0 - y) / (1.0 - p)], rel=1e-14, abs=0.0)


# stage: the node, the only one computed from it, and the local derivative between them
STAGES = {
    "b": ("z2", "ŷ", "ŷ by z2"),
    "c": ("w2", "z2", "z2 by w2"),
    "d, through a": ("a", "z2", "z2 by a"),
    "d, through z1": ("z1", "a", "a by z1"),
    "e": ("w1", "z1", "z1 by w1"),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("y", TARGETS)
def test_stages_b_to_e_multiply_the_delta_above_by_the_local_derivative_of_the_formula(y, stage):
    example = Example(y)
    name, above, local = STAGES[stage]
    (contribution,) = example.step(name).contributions
    assert contribution.successor is example.nodes()[above]
    assert contribution.upstream == pytest.approx(example.delta[above], rel=1e-14)
    assert contribution.local == pytest.approx(example.local[local], rel=1e-14)
    assert example.step(name).gradient == pytest.approx(example.delta[name], rel=1e-14)
    assert abs(example.delta[name]) > 1e-3


@pytest.mark.parametrize("y", TARGETS)
def test_the_stages_come_in_the_order_of_the_lecture_and_are_the_gradients_of_backward(y):
    example = Example(y)
    steps = list(backward_steps(example.loss))
    assert str(steps[0]) == "∂l/∂l = 1"  # the base case
    names = [step.names[step.node] for step in steps]
    positions = [names.index(name) for name in ("ŷ", "z2", "a", "z1", "w1")]
    assert positions == sorted(positions)
    assert names.index("w2") > names.index("z2")
    example.loss.backward()
    assert {name: node.grad for name, node in example.nodes().items()} == pytest.approx(example.delta, rel=1e-14)


def test_the_delta_of_the_output_score_is_the_probability_less_the_target():
    """(a) and (b) together: -y/ŷ·ŷ(1-ŷ) + (1-y)/(1-ŷ)·ŷ(1-ŷ) = ŷ - y."""
    for y in TARGETS:
        example = Example(y)
        assert example.step("z2").gradient == pytest.approx(example.probability.data - y, rel=1e-12)


PRINTED = {  # for y = 1, where ŷ = 0.460998 and so -1/ŷ = -2.1692, ŷ(1-ŷ) = 0.248479, a = 0.593873
    "z2": "∂l/∂z2 = ∂l/∂ŷ·σ′(z2) = (-2.1692)·0.248479 = -0.539002\n"
    "  σ′(z2) = ŷ·(1 - ŷ) = 0.460998·(1 - 0.460998) = 0.248479",
    "w2": "∂l/∂w2 = ∂l/∂z2·∂(w2·a + b2)/∂w2 = (-0.539002)·0.593873 = -0.320099",
    "a": "∂l/∂a = ∂l/∂z2·∂(w2·a + b2)/∂a = (-0.539002)·(-0.6) = 0.323401",
    "z1": "∂l/∂z1 = ∂l/∂a·σ′(z1) = 0.323401·0.241188 = 0.0780004\n"
    "  σ′(z1) = a·(1 - a) = 0.593873·(1 - 0.593873) = 0.241188",
    "w1": "∂l/∂w1 = ∂l/∂z1·∂(w1·x + b1)/∂w1 = 0.0780004·0.7 = 0.0546003",
}


@pytest.mark.parametrize("name", PRINTED)
def test_each_stage_is_printed_in_names_and_in_numbers(name):
    assert str(Example(1.0).step(name)) == PRINTED[name]


def test_stage_a_is_printed_with_both_of_its_terms():
    """The nodes between ŷ and l have no names of the lecture's, so that only the numbers are looked at."""
    printed = str(Example(0.3).step("ŷ"))  # -0.3/0.460998 + 0.7/0.539002
    assert printed.startswith("∂l/∂ŷ = ")
    assert printed.splitlines()[0].endswith(" = (-1.2987)·(-1) + (-0.650761)·1 = 0.647936")


@pytest.mark.parametrize("name", ["ŷ", "z2", "w2", "a", "z1", "w1"])
@pytest.mark.parametrize("y", TARGETS)
def test_explain_gives_each_stage_with_a_finite_difference_that_agrees_with_the_formula(y, name):
    example = Example(y)
    explanation = explain(example.nodes()[name], example.loss)
    assert explanation.step.gradient == pytest.approx(example.delta[name], rel=1e-14)
    assert explanation.finite_difference == pytest.approx(example.delta[name], rel=1e-6)
    lines = [line for line in str(explanation).splitlines() if not line.startswith("  where ")]
    assert lines[0].startswith(f"∂l/∂{name}: how l changes with {name}, at {name} = ")
    assert [line[:20].split("∂")[0].strip() for line in lines[1:]] == [
        "in names",
        "in numbers",
        "gradient",
        "finite difference",
    ]
    assert float(lines[3].rpartition("= ")[2]) == pytest.approx(example.delta[name], rel=1e-5)
    assert float(lines[4].rpartition("≈ ")[2]) == pytest.approx(example.delta[name], rel=1e-6)


# ------------------------------------------------------------------------------- several inputs and hidden units


@pytest.mark.parametrize("y", TARGETS)
def test_the_same_chain_holds_for_every_weight_of_a_network_with_more_inputs_and_hidden_units(y):
    """δ_z² = ŷ - y, δ_w²ⱼ = δ_z²·aⱼ, δ_z¹ⱼ = δ_z²·w²ⱼ·g′(z¹ⱼ), δ_w¹ⱼᵢ = δ_z¹ⱼ·xᵢ."""
    x = [0.5, -1.0]
    model = nn.MLP(2, [3, 1], activation="sigmoid", output="sigmoid", initializer="normal", rng=0)
    W1, b1 = [[0.4, -0.3], [1.2, 0.5], [-0.7, 0.9]], [0.1, -0.2, 0.3]
    w2, b2 = [-0.6, 0.8, 1.1], 0.2
    model.load_state_dict({"layers.0.weight": W1, "layers.0.bias": b1, "layers.1.weight": [w2], "layers.1.bias": [b2]})
    nn.binary_cross_entropy(model(x), y).backward()
    a = [logistic(row[0] * x[0] + row[1] * x[1] + b) for row, b in zip(W1, b1, strict=True)]
    delta_2 = logistic(sum(w * ai for w, ai in zip(w2, a, strict=True)) + b2) - y
    hidden, (output,) = model.layers[0].neurons, model.layers[1].neurons
    assert output.bias.grad == pytest.approx(delta_2, rel=1e-12)
    for j in range(3):
        delta_1 = delta_2 * w2[j] * a[j] * (1.0 - a[j])
        assert output.weights[j].grad == pytest.approx(delta_2 * a[j], rel=1e-12)
        assert hidden[j].bias.grad == pytest.approx(delta_1, rel=1e-12)
        assert [w.grad for w in hidden[j].weights] == pytest.approx([delta_1 * xi for xi in x], rel=1e-12)


def test_cross_entropy_on_the_score_gives_the_same_deltas_as_on_the_probability():
    example = Example(0.3)
    nn.binary_cross_entropy_with_logits(example.z2, 0.3).backward()
    below = {name: node.grad for name, node in example.nodes().items() if name != "ŷ"}
    assert below == pytest.approx({name: example.delta[name] for name in below}, rel=1e-12)
