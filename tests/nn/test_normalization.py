"""LayerNorm and BatchNorm against the formulas in NumPy, their gradients against differences, and the state."""

import copy
import pickle

import numpy as np
import pytest

from autograd_mini import Value, no_grad
from autograd_mini.engine import functions
from autograd_mini.native.library import library
from autograd_mini.nn import Layer
from autograd_mini.nn.batches import batch
from autograd_mini.nn.containers import Sequential
from autograd_mini.nn.normalization import BatchNorm, LayerNorm
from autograd_mini.optim import SGD
from autograd_mini.vectorizer import vectorize

rng = np.random.default_rng(0)
ROWS = rng.normal(1.0, 2.0, (5, 3))
GAIN, BIAS = rng.normal(size=3), rng.normal(size=3)
UPSTREAM = rng.normal(size=(5, 3))


def data(nested):
    return [data(part) for part in nested] if isinstance(nested, list) else nested.data


def scaled(norm):
    norm.load_state_dict({**norm.state_dict(), "weight": GAIN, "bias": BIAS})
    return norm


def differences(f, x, h=1e-6):
    """The gradient of a function of an array, by central differences."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        gradient[i] = (f(up) - f(down)) / (2 * h)
    return gradient


def by_rows(X, gain=GAIN, bias=BIAS, eps=1e-5):
    """LayerNorm in NumPy, on one example a row."""
    return (X - X.mean(1, keepdims=True)) / np.sqrt(X.var(1, keepdims=True) + eps) * gain + bias


def by_columns(X, gain=GAIN, bias=BIAS, eps=1e-5):
    """BatchNorm in training in NumPy, on one example a row."""
    return (X - X.mean(0)) / np.sqrt(X.var(0) + eps) * gain + bias


@pytest.mark.parametrize(
    ("norm", "formula"),
    [
        (LayerNorm(3), by_rows),
        (BatchNorm(3), by_columns),
        (LayerNorm(3, 0.5), by_rows),
        (BatchNorm(3, 0.5), by_columns),
    ],
    ids=["LayerNorm", "BatchNorm", "LayerNorm, large eps", "BatchNorm, large eps"],
)
class TestFormulas:
    def test_outputs(self, norm, formula):
        np.testing.assert_allclose(data(batch(scaled(norm), ROWS)), formula(ROWS, eps=norm.eps), rtol=1e-12)

    def test_gradients(self, norm, formula):
        X = [[Value(x) for x in row] for row in ROWS]
        outputs = batch(scaled(norm), X)
        for p in norm.parameters():
            p.grad = 0.0
        functions.dot(UPSTREAM.ravel().tolist(), [y for row in outputs for y in row]).backward()

        def loss(X=ROWS, gain=GAIN, bias=BIAS):
            return (formula(X, gain, bias, norm.eps) * UPSTREAM).sum()

        np.testing.assert_allclose([[x.grad for x in row] for row in X], differences(loss, ROWS), atol=1e-8)
        np.testing.assert_allclose([p.grad for p in norm.gain], differences(lambda g: loss(gain=g), GAIN), atol=1e-8)
        np.testing.assert_allclose([p.grad for p in norm.bias], UPSTREAM.sum(0), rtol=1e-12)


class TestLayerNorm:
    def test_is_the_same_in_evaluation(self):
        norm = LayerNorm(3)
        trained = data(norm(ROWS[0]))
        norm.eval()
        assert data(norm(ROWS[0])) == trained

    def test_normalises_each_step_of_a_sequence(self):
        norm = LayerNorm(3)
        assert data(norm(ROWS)) == [data(norm(row)) for row in ROWS]

    def test_equal_features_give_zeros_and_finite_gradients(self):
        x = [Value(2.0) for _ in range(3)]
        out = LayerNorm(3)(x)
        assert data(out) == [0.0] * 3
        out[0].backward()
        np.testing.assert_allclose([a.grad for a in x], np.array([2 / 3, -1 / 3, -1 / 3]) / np.sqrt(1e-5), rtol=1e-12)

    @pytest.mark.parametrize("x", [[1.0, 2.0], [1.0] * 4, 1.0])
    def test_other_widths_are_refused(self, x):
        with pytest.raises(
            ValueError, match=r"LayerNorm\(3\): expected a list of 3 features, got .*; make it with n_fea"
        ):
            LayerNorm(3)(x)


class TestBatchNorm:
    def test_running_statistics_are_pytorchs(self):
        norm = BatchNorm(3, momentum=0.3)
        mean, var = np.zeros(3), np.ones(3)
        for rows in (ROWS, ROWS[:2] * 2.0):
            norm.batch(rows)
            mean = 0.7 * mean + 0.3 * rows.mean(0)
            var = 0.7 * var + 0.3 * rows.var(0, ddof=1)
        np.testing.assert_allclose(norm.running_mean, mean, rtol=1e-13)
        np.testing.assert_allclose(norm.running_var, var, rtol=1e-13)

    def test_evaluation_uses_them_and_leaves_them(self):
        norm = scaled(BatchNorm(3))
        norm.batch(ROWS)
        mean, var = np.array(norm.running_mean), np.array(norm.running_var)
        norm.eval()
        expected = (ROWS - mean) / np.sqrt(var + 1e-5) * GAIN + BIAS
        np.testing.assert_allclose(data(norm.batch(ROWS)), expected, rtol=1e-12)
        np.testing.assert_allclose(data(norm(ROWS[1])), expected[1], rtol=1e-12)
        assert (norm.running_mean, norm.running_var) == (mean.tolist(), var.tolist())

    def test_gradients_in_evaluation_do_not_go_through_the_statistics(self):
        norm = scaled(BatchNorm(3))
        norm.batch(ROWS)
        norm.eval()
        x = [Value(a) for a in ROWS[0]]
        functions.sum(norm(x)).backward()
        np.testing.assert_allclose([a.grad for a in x], GAIN / np.sqrt(np.array(norm.running_var) + 1e-5), rtol=1e-13)

    def test_statistics_are_kept_also_where_no_graph_is_built(self):
        norm, other = BatchNorm(3), BatchNorm(3)
        with no_grad():
            out = norm.batch(ROWS)
        other.batch(ROWS)
        assert out[0][0].parents == ()
        assert norm.running_mean == other.running_mean

    def test_normalises_a_channel_over_the_batch_and_its_positions(self):
        X = rng.normal(size=(4, 2, 3, 5))  # examples, channels, rows, columns
        norm = BatchNorm(2)
        out = norm.batch(X.tolist())
        mean, var = X.mean((0, 2, 3), keepdims=True), X.var((0, 2, 3), keepdims=True)
        np.testing.assert_allclose(data(out), (X - mean) / np.sqrt(var + 1e-5), rtol=1e-10)
        np.testing.assert_allclose(norm.running_var, 0.9 + 0.1 * X.var((0, 2, 3), ddof=1), rtol=1e-12)

    @pytest.mark.parametrize("x", [[1.0, 2.0, 3.0], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])
    def test_one_example_in_training_is_refused_with_advice(self, x):
        norm = BatchNorm(3)
        with pytest.raises(
            ValueError, match=r"training mode needs a batch, got one example: call batch\(model, rows\).*eval"
        ):
            norm(x)
        with pytest.raises(ValueError, match="got one example"):
            Sequential(Layer(2, 3), norm)([1.0, 2.0])
        assert norm.running_mean == [0.0] * 3
        norm.eval()
        assert np.shape(data(norm(x))) == np.shape(x)

    def test_a_program_refuses_a_single_example_in_training_too(self):
        norm = BatchNorm(3)
        words = r"needs at least 2 examples in a batch, got 1; choose a batch size that leaves"
        for backend in ("numpy", "native" if library() else "numpy"):
            program = vectorize(norm, backend=backend)
            with pytest.raises(ValueError, match=words):
                program([[1.0, 2.0, 3.0]])
            assert norm.running_mean == [0.0] * 3

    def test_a_batch_of_one_number_a_feature_is_refused_in_training(self):
        norm = BatchNorm(3)
        with pytest.raises(
            ValueError, match=r"needs at least 2 examples in a batch, got 1; choose a batch size that leaves"
        ):
            norm.batch(ROWS[:1])
        assert norm.running_mean == [0.0] * 3
        norm.eval()
        assert len(norm.batch(ROWS[:1])) == 1

    def test_other_widths_are_refused_before_any_statistic_is_changed(self):
        norm = BatchNorm(3)
        with pytest.raises(
            ValueError, match=r"BatchNorm\(3\): expected a list of 3 features, got 2 of them; make it with"
        ):
            norm.batch([[1.0, 2.0, 3.0], [1.0, 2.0]])
        assert norm.running_mean == [0.0] * 3

    def test_trains_inside_of_a_network(self):
        X, y = ROWS[:, :2], ROWS[:, 2]
        model = Sequential(Layer(2, 8, "identity", rng=0), BatchNorm(8), Layer(8, 1, "identity", rng=1))
        optimizer = SGD(model.parameters(), lr=0.1)
        losses = []
        for _ in range(200):
            optimizer.zero_grad()
            loss = functions.sum([(a - t) ** 2 for a, t in zip(batch(model, X), y.tolist(), strict=True)]) / len(y)
            loss.backward()
            optimizer.step()
            losses.append(loss.data)
        # Five points and two features: the best linear fit is what training must find.
        design = np.column_stack([X, np.ones(5)])
        best = np.mean((design @ np.linalg.lstsq(design, y, rcond=None)[0] - y) ** 2)
        assert losses[0] > best + 1.0
        assert losses[-1] == pytest.approx(best, rel=1e-3)


class TestState:
    def test_has_pytorchs_names_in_a_network_too(self):
        model = Sequential(Layer(2, 3), BatchNorm(3), LayerNorm(3))
        assert {name: array.shape for name, array in model.state_dict().items() if name[0] != "0"} == {
            **dict.fromkeys(["1.weight", "1.bias", "1.running_mean", "1.running_var"], (3,)),
            **dict.fromkeys(["2.weight", "2.bias"], (3,)),
        }

    def test_running_statistics_are_saved_and_loaded(self):
        model, other = Sequential(BatchNorm(3)), Sequential(BatchNorm(3))
        batch(model, ROWS)
        other.load_state_dict(model.state_dict())
        assert other[0].running_mean == model[0].running_mean
        assert other[0].running_var == model[0].running_var
        batch(model, ROWS)
        assert other[0].running_mean != model[0].running_mean

    def test_a_saved_state_does_not_change_with_the_model(self):
        norm = BatchNorm(3)
        saved = norm.state_dict()
        norm.batch(ROWS)
        assert (saved["running_mean"] == 0.0).all()

    def test_a_wrong_shape_is_refused_before_any_change(self):
        norm = BatchNorm(3)
        state = {**norm.state_dict(), "weight": np.full(3, 7.0), "running_var": np.ones(2)}
        with pytest.raises(ValueError, match=r"running_var: expected shape \(3,\), got \(2,\)"):
            norm.load_state_dict(state)
        assert [p.data for p in norm.weight] == [1.0] * 3

    def test_running_statistics_are_no_parameters(self):
        norm = BatchNorm(3)
        assert [name for name, _ in norm.named_parameters()] == [f"{n}.{i}" for n in ("gain", "bias") for i in range(3)]
        assert norm.weight is norm.gain

    def test_copies_and_pickles_have_their_own(self):
        norm = BatchNorm(3)
        norm.batch(ROWS)
        for twin in (copy.deepcopy(norm), pickle.loads(pickle.dumps(norm))):
            before = list(norm.running_mean)
            assert twin.running_mean == before
            twin.batch(ROWS)
            assert norm.running_mean == before


@pytest.mark.parametrize("kind", [LayerNorm, BatchNorm])
def test_impossible_arguments_are_refused(kind):
    for n_features in (0, -1, 2.0, True, "3"):
        with pytest.raises(ValueError, match="n_features: expected a whole number of at least 1, got"):
            kind(n_features)
    for eps in (0.0, -1e-5, float("nan"), float("inf"), True, None):
        with pytest.raises(ValueError, match="eps: expected a finite number above 0, got"):
            kind(3, eps=eps)


@pytest.mark.parametrize("momentum", [-0.1, 1.1, float("nan"), True, None])
def test_impossible_momenta_are_refused(momentum):
    with pytest.raises(
        ValueError, match=r"momentum: expected a number from 0 to 1, got .*share in the running statistics"
    ):
        BatchNorm(3, momentum=momentum)
