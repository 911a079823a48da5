"""Penalties: values and gradients by hand, what counts as a weight, and L2 as a Gaussian prior."""

from fractions import Fraction

import numpy as np
import pytest

from autograd_mini import Value, hessian, vectorize
from autograd_mini.engine.graph import topological_order
from autograd_mini.nn import MLP, Neuron
from autograd_mini.nn.containers import Sequential
from autograd_mini.nn.convolution import Conv1d
from autograd_mini.nn.freezing import freeze
from autograd_mini.nn.losses import gaussian_nll
from autograd_mini.nn.normalization import BatchNorm, LayerNorm
from autograd_mini.nn.penalties import L1, L2, Penalty, PenaltySum, WeightElimination, penalised
from autograd_mini.nn.recurrent import RNN
from autograd_mini.optim import SGD
from autograd_mini.training import Trainer

POINTS = np.array([-1000.0, -2.0, -0.5, 0.0, 1e-9, 0.5, 3.0, 1000.0])
FORMULAS = [
    (L1, lambda w: abs(w), np.sign),
    (L2, lambda w: w**2, lambda w: 2 * w),
    (WeightElimination, lambda w: w**2 / (1 + w**2), lambda w: 2 * w / (1 + w**2) ** 2),
]


@pytest.mark.parametrize(("kind", "formula", "derivative"), FORMULAS)
def test_value_and_gradient_are_those_of_the_formula(kind, formula, derivative):
    w = [Value(x) for x in POINTS]
    penalty = kind(0.3)(w)
    penalty.backward()
    assert penalty.data == pytest.approx(0.3 * formula(POINTS).sum(), rel=1e-14)
    np.testing.assert_allclose([x.grad for x in w], 0.3 * derivative(POINTS), rtol=1e-14, atol=1e-300)


EXTREMES = [
    *(0.0, 5e-324, 1e-160, 1e-9, 0.3, 1.0 - 2.0**-53, 1.0, 1.0 + 2.0**-52),
    *(3.0, 1e9, 1e100, 1e154, 1e200, 1.7e308),
]


@pytest.mark.parametrize("w", EXTREMES + [-w for w in EXTREMES])
def test_weight_elimination_has_all_its_digits_however_large_or_small_a_weight_is(w):
    value, derivative = Fraction(w) ** 2 / (1 + Fraction(w) ** 2), 2 * Fraction(w) / (1 + Fraction(w) ** 2) ** 2
    x = Value(w)
    penalty = WeightElimination(1.0)([x])
    penalty.backward()
    assert penalty.data == pytest.approx(float(value), rel=5e-16, abs=1e-323)
    assert x.grad == pytest.approx(float(derivative), rel=1e-15, abs=1e-323)
    second = hessian(lambda w: WeightElimination(1.0)([w]))(w)
    if abs(w) < 1e70:
        expected = (2 - 6 * Fraction(w) ** 2) / (1 + Fraction(w) ** 2) ** 3
        assert second == pytest.approx(float(expected), rel=1e-14)


def test_the_vectorized_reading_of_weight_elimination_is_the_same():
    weights = np.array([*EXTREMES, *(-w for w in EXTREMES)])
    program = vectorize(lambda w: WeightElimination(1.0)([w]))
    values, gradients = program.value_and_gradients(weights)
    for w, value, gradient in zip(weights, values, gradients, strict=True):
        x = Value(w)
        penalty = WeightElimination(1.0)([x])
        penalty.backward()
        assert (value, gradient) == (penalty.data, x.grad)


@pytest.mark.parametrize("engine", ["eager", "vectorized"])
@pytest.mark.parametrize("kind", [L1, L2, WeightElimination])
def test_a_huge_weight_is_trained_with_a_penalty(kind, engine):
    model = MLP(2, [1], initializer="zeros")
    model.layers[0].neurons[0].weights[0].data = 1e200
    for penalty in (kind(1e-3) if kind is not L2 else L2(0.0), kind(0.0)):
        trainer = Trainer(
            model, "absolute_error", SGD(model.parameters(), lr=0.1), epochs=2, penalty=penalty, engine=engine
        )
        assert np.isfinite(trainer.fit([[0.0, 1.0], [0.0, 2.0]], [1.0, 2.0]).loss).all()
    assert model.parameters()[0].data == 1e200


def test_l2_is_one_dot_node_whatever_the_number_of_weights():
    w = [Value(float(i)) for i in range(50)]
    assert len(topological_order(L2(0.1)(w))) == len(w) + 3  # the dot, λ and their product


@pytest.mark.parametrize("kind", [L1, L2, WeightElimination])
def test_biases_count_only_if_asked_for(kind):
    model = MLP(2, [2, 1], rng=0)
    for parameter in model.parameters():
        parameter.data = 1.0
    share = kind(1.0)([Value(1.0)]).data
    assert kind(1.0)(model).data == 6 * share
    assert kind(1.0, include_biases=True)(model).data == 9 * share


def test_a_list_of_parameters_counts_as_their_model_does():
    model = MLP(2, [2, 1], rng=0)
    assert L2(0.1)(model.parameters()).data == L2(0.1)(model).data
    assert (L1(0.1) + L2(0.1))(iter(model.parameters())).data == (L1(0.1) + L2(0.1))(model).data


@pytest.mark.parametrize(
    ("model", "n_weights", "n_all"),
    [
        (Conv1d(2, 3, 2), 12, 15),
        (RNN(2, 3), 15, 21),
        (Sequential(LayerNorm(2), Neuron(2), BatchNorm(1)), 2, 9),
        (Neuron(3), 3, 4),
    ],
)
def test_what_counts_as_a_weight(model, n_weights, n_all):
    assert len(penalised(model)) == n_weights
    assert len(penalised(model, include_biases=True)) == n_all
    assert len(penalised(model.parameters())) == n_weights


def test_frozen_weights_do_not_count():
    model = MLP(2, [2, 1], rng=0)
    freeze(model.layers[0])
    assert penalised(model) == model.layers[1].neurons[0].weights
    freeze(model)
    nothing = L2(1.0)(model)
    assert isinstance(nothing, Value)
    assert nothing.data == 0.0


def test_penalties_add_up():
    w = [Value(2.0), Value(-3.0)]
    together = L1(0.5) + L2(0.25) + WeightElimination(0.1)
    assert len(together.parts) == 3
    assert together(w).data == pytest.approx(2.5 + 3.25 + 0.1 * (4 / 5 + 9 / 10), rel=1e-14)
    together(w).backward()
    assert w[0].grad == pytest.approx(0.5 + 1.0 + 0.1 * 4 / 25, rel=1e-14)
    assert repr(together) == "L1(0.5) + L2(0.25) + WeightElimination(0.1)"
    assert repr(sum([L1(0.5), L2(0.25, include_biases=True)])) == "L1(0.5) + L2(0.25, include_biases=True)"
    assert repr(L1(1.0) + PenaltySum(L1(2.0), L1(3.0))) == "L1(1) + L1(2) + L1(3)"


def test_only_penalties_add_to_penalties():
    with pytest.raises(TypeError, match="unsupported operand"):
        L1(1.0) + 2.0
    with pytest.raises(TypeError, match="unsupported operand"):
        2.0 + L1(1.0)


@pytest.mark.parametrize("kind", [L1, L2, WeightElimination])
@pytest.mark.parametrize("lam", [-0.1, float("nan"), float("inf"), True, "0.1", None])
def test_impossible_strengths_are_refused(kind, lam):
    with pytest.raises(ValueError, match=r"lam: expected a finite number of at least 0, got .*; 0 is no penalty"):
        kind(lam)


def test_zero_is_no_penalty():
    w = [Value(3.0)]
    penalty = L2(0.0)(w)
    penalty.backward()
    assert (penalty.data, w[0].grad) == (0.0, 0.0)


def test_what_is_no_model_is_refused():
    with pytest.raises(TypeError, match="expected a module or a list of its parameters, got float in a list"):
        L2(0.1)([1.0])


def test_a_penalty_without_a_measure_says_so():
    with pytest.raises(NotImplementedError, match=r"Penalty has no measure; define measure\(self, weights\)"):
        Penalty(1.0)([Value(1.0)])


class TestMaximumAPosteriori:
    """A prior w ~ N(0, τ²) on each weight adds Σ w²/(2τ²) to the negative log-likelihood: L2 with λ = 1/(2τ²)."""

    tau2, sigma2 = 0.5, 0.25

    def test_the_penalty_is_the_negative_log_prior_up_to_a_constant(self):
        gradients, values = [], []
        for w in ([0.3, -2.0, 0.0], [1.0, 0.5, -0.7]):
            prior, penalty = [Value(x) for x in w], [Value(x) for x in w]
            log_prior = gaussian_nll(prior, [0.0] * 3, variance=self.tau2, full=True)
            l2 = L2(1.0 / (2.0 * self.tau2))(penalty)
            log_prior.backward()
            l2.backward()
            values.append(log_prior.data - l2.data)
            gradients.append(([x.grad for x in prior], [x.grad for x in penalty]))
        assert values[0] == pytest.approx(1.5 * np.log(2 * np.pi * self.tau2), rel=1e-12)
        assert values[1] == pytest.approx(values[0], rel=1e-12)
        for ours, theirs in gradients:
            assert ours == pytest.approx(theirs, rel=1e-12)

    def test_training_with_it_finds_the_mode_of_the_posterior(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(40, 2))
        y = X @ [1.5, -0.7] + rng.normal(scale=0.5, size=40)
        # The posterior's mode in closed form: (XᵀX/σ² + I/τ²) w = Xᵀy/σ².
        mode = np.linalg.solve(X.T @ X / self.sigma2 + np.eye(2) / self.tau2, X.T @ y / self.sigma2)
        model = Neuron(2, "identity", rng=0)
        weights = model.weights  # without the bias, as in the formula
        n = len(X)

        def loss(prediction, target):
            return gaussian_nll(prediction, target, variance=self.sigma2)

        # The trainer takes the mean over the examples, so the prior's share is 1/n too.
        penalty = L2(1.0 / (2.0 * self.tau2) / n)
        trainer = Trainer(
            model, loss, SGD(weights, lr=0.1), batch_size=None, epochs=200, penalty=penalty, progress=False
        )
        trainer.fit(X, y)
        np.testing.assert_allclose([w.data for w in weights], mode, rtol=1e-9)
        assert np.abs(mode - np.linalg.lstsq(X, y, rcond=None)[0]).max() > 1e-3
