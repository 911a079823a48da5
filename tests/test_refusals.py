"""What can't be done is refused before work is done, and the message says what was expected, what came and what to do.

The table "What raises what" in CONTRIBUTING.md is run here, row by row, and so are the examples of docs/errors.md.
"""

import builtins
import doctest
import itertools
import logging
import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Value, draw, errors, explain, nn, optim, scope, step_through, to_latex, to_python
from autograd_mini.checks import needed
from autograd_mini.cli.table_models import CsvModel
from autograd_mini.cli.tables import TableError, read_table
from autograd_mini.formulas.expression import printable
from autograd_mini.formulas.parse import FormulaError, parse
from autograd_mini.serialization import load_training
from autograd_mini.training import EarlyStopping, History, NonFiniteLossError, StoppingRule, Trainer
from autograd_mini.views.stepper.terminal import text_steps

ROOT = Path(__file__).resolve().parent.parent
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ERRORS = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")

# --------------------------------------------------------------------------------------------- graphs that are large


@pytest.fixture(scope="module")
def large():
    """A root with 100,000 nodes, most of them below each other."""
    node = Value(0.5, label="x")
    for _ in range(99_999):
        node = -node
    return node


VIEWS = {"to_latex": to_latex, "to_python": to_python, "step_through": step_through, "text_steps": text_steps}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_every_node_refuses_a_graph_that_takes_minutes_and_says_how_to_go_on(large, view):
    message = rf"{view}: expected a graph of at most \d+ nodes and \d+ edges, .* got 100000 nodes and 99999 edges; "
    with pytest.raises(ValueError, match=message + r"take the graph of fewer examples, .* pass a larger max_nodes"):
        VIEWS[view](large)


@pytest.mark.parametrize("view", VIEWS)
def test_the_limit_of_a_view_can_be_changed(view):
    x = Value(3.0, label="x")
    graph = (x * x + 1.0) * x
    assert str(VIEWS[view](graph, max_nodes=5)) == str(VIEWS[view](graph))
    with pytest.raises(ValueError, match="got 5 nodes and 6 edges"):
        VIEWS[view](graph, max_nodes=4)
    for wrong in (0, 1.5, "many", True):
        with pytest.raises(ValueError, match="max_nodes: expected a whole number of at least 1"):
            VIEWS[view](graph, max_nodes=wrong)


@pytest.mark.parametrize("view", VIEWS)
def test_many_edges_count_as_many_nodes_do(view):
    x = Value(1.0)
    with pytest.raises(ValueError, match="got 2 nodes and 200000 edges"):
        VIEWS[view](ag.functions.sum([x] * 200_000))


def test_a_large_graph_is_not_drawn(large):
    with pytest.raises(ValueError, match=r"would have 100000 values, more than max_nodes=300; try"):
        draw(large)
    with pytest.raises(ValueError, match=r"draw: expected a graph of at most 1000 nodes .* got 100000 nodes"):
        draw(large, max_nodes=1)
    with pytest.raises(ValueError, match=r"explain: expected a graph of at most 99999 nodes .* got 100000 nodes"):
        explain(large, large, max_nodes=99_999)
    assert "<table" in large._repr_html_()


# ------------------------------------------------------------------------------------------------- the row of a label

X = np.linspace(-1.0, 1.0, 12).reshape(6, 2)
CLASSES = {0.0: 0.0, 1.0: 1.0}


def own_cross_entropy(output, target):
    return nn.cross_entropy(output, target)


def looked_up(output, target):
    return (output[0] - CLASSES[float(target)]) ** 2


def trainer(loss, engine="vectorized", outputs=3, **options):
    model = nn.MLP(2, [3, outputs], rng=0)
    options = {"epochs": 2, "batch_size": 2, "progress": False, **options}
    return Trainer(model, loss, optim.SGD(model.parameters(), 0.1), engine=engine, **options)


@pytest.mark.parametrize("engine", ["eager", "vectorized"])
@pytest.mark.parametrize(
    ("loss", "wrong", "message"),
    [
        ("cross_entropy", 7, r"y, row 4: expected a class from 0 to 2, got 7"),
        ("cross_entropy", -1, r"y, row 4: expected a class from 0 to 2, got -1"),
        ("cross_entropy", 1.5, r"y, row 4: expected a class from 0 to 2, got 1\.5"),
        ("cross_entropy", math.nan, r"y: expected finite numbers, got nan at \[4\] .*; drop or fill row 4 first"),
        ("cross_entropy", math.inf, r"y: expected finite numbers, .* drop or fill row 4 first"),
        ("cross_entropy", "a", r"y: expected real numbers, .* \('a' in row 4\)"),
        ("cross_entropy", None, r"y: expected finite numbers, .* drop or fill row 4 first"),
        (
            "cross_entropy",
            [1, 0],
            r"y: expected real .* \(\[1, 0\] in row 4, and rows of shape \(\) before",
        ),
        ("cross_entropy", 1j, r"y: expected real numbers, .* \(1j in row 4\)"),
        (own_cross_entropy, 7, r"y, row 4: expected a class from 0 to 2, got 7"),
        (own_cross_entropy, 1.5, r"y, row 4: expected a class from 0 to 2, got 1\.5"),
        (looked_up, 2, r"y, row 4: 2\.0"),
    ],
)
def test_a_target_that_is_none_is_named_by_its_row(loss, wrong, message, engine):
    right, targets = [0, 1, 0, 1, 1, 0], [0, 1, 0, 1, wrong, 0]
    kind = KeyError if loss is looked_up else ValueError
    with pytest.raises(kind, match=message):
        trainer(loss, engine).fit(X, targets)
    with pytest.raises(kind, match=f"validation {message}"):
        trainer(loss, engine, validation=(X, targets)).fit(X, right)
    with pytest.raises(kind, match=message):
        trainer(loss, engine).evaluate(X, targets)


@pytest.mark.parametrize("wrong", [math.nan, "a", None, 1j, [1, 2]])
def test_a_feature_that_is_none_is_named_by_its_row(wrong):
    rows = X.tolist()
    rows[4][1] = wrong
    with pytest.raises(ValueError, match=r"X: expected .* row 4"):
        trainer("cross_entropy").fit(rows, [0] * 6)
    with pytest.raises(ValueError, match=r"validation X: expected .* row 4"):
        trainer("cross_entropy", validation=(rows, [0] * 6)).fit(X, [0] * 6)


def test_dates_are_no_targets():
    with pytest.raises(ValueError, match=r"y: expected real numbers, .* in row 0"):
        trainer("squared_error", outputs=1).fit(X, np.array(["2020-01-01"] * 6, "M8[D]"))


# ---------------------------------------------------------------------------------- what raises while a model trains


def raising_at(epoch, calls):
    """Return a function of anything that raises at a call."""

    def function(*_):
        calls.append(None)
        if len(calls) == epoch:
            raise ZeroDivisionError("mine")
        return 0.5

    return function


class Raising(StoppingRule):
    def __init__(self, function):
        self.function = function

    def should_stop(self, epoch, loss, parameters):
        self.function()
        return False


@pytest.mark.parametrize("what", ["metric", "second metric", "rule", "callback", "schedule", "text"])
@pytest.mark.parametrize("engine", ["eager", "vectorized"])
def test_whatever_raises_histories_are_equally_long_and_the_training_goes_on(engine, what):
    calls, plain = [], lambda y, outputs: 1.0
    raising = raising_at(3 if what != "schedule" else 8, calls)
    metrics = {
        "metric": {"a": raising, "b": plain},
        "second metric": {"a": plain, "b": raising},
        "text": {"a": plain, "b": lambda y, outputs: "much" if len(calls) else calls.append(None) or 1.0},
    }.get(what, {"a": plain})
    options = {"metrics": metrics, "validation": (X, [0] * 6), "epochs": 4}
    options |= {"stopping": Raising(raising)} if what == "rule" else {}
    options |= {"callbacks": [raising]} if what == "callback" else {}
    one, other = (trainer("cross_entropy", engine, **options) for _ in range(2))
    if what == "schedule":
        one.optimizer.lr = raising
    with pytest.raises((ZeroDivisionError, TypeError), match=r"mine|metrics\['b'\]: expected a number, got 'much'"):
        one.fit(X, [0] * 6)
    done = {"callback": 3, "text": 1}.get(what, 2)
    assert {len(column) for column in one.history.columns().values()} == {done}
    if what in ("metric", "second metric", "rule"):  # and everything is as it was after the last epoch
        one.epochs = 2
        one.fit(X, [0] * 6)
        calls[:] = [None] * 10
        assert other.fit(X, [0] * 6).loss == one.history.loss
        assert (
            one.model.state_dict()["layers.0.weight"].tolist() == other.model.state_dict()["layers.0.weight"].tolist()
        )
    elif what != "text":
        one.fit(X, [0] * 6)
        assert len({len(column) for column in one.history.columns().values()}) == 1


def test_a_training_that_a_nan_has_ended_says_so(caplog):
    class Blind(EarlyStopping):
        monitor = "m"

    seen = iter([0.5, math.nan, math.nan, math.nan, math.nan])
    stopped = trainer(
        "cross_entropy", epochs=9, metrics={"m": lambda *_: next(seen)}, stopping=Blind(patience=3, mode="min")
    )
    with caplog.at_level(logging.INFO, "autograd_mini"):
        stopped.fit(X, [0] * 6)
    assert len(stopped.history) == 4
    assert stopped.stopping[0].best_epoch == 1
    reason = "after epoch 4: m is nan, which is never an improvement; detect_anomaly() finds where it begins"
    assert stopped.stop_reason.endswith(reason)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", f"Stopped by {stopped.stop_reason}")
    ]
    assert trainer("cross_entropy").stop_reason == ""


def test_a_history_with_nan_has_its_best_epoch_elsewhere():
    assert History([1.0] * 3, [math.nan, 0.5, 0.4]).best_epoch == 3
    assert History([1.0], [math.nan]).best_epoch is None


def test_a_rule_that_watches_what_is_not_recorded_hears_what_there_is():
    rule = EarlyStopping()
    rule.monitor = "f1"
    with pytest.raises(
        ValueError, match=r"watches 'f1', which isn't recorded; choose of loss, validation_loss, accuracy"
    ):
        trainer("cross_entropy", stopping=rule, metrics=["accuracy"], validation=(X, [0] * 6))


# -------------------------------------------------------------------------------------------------------- operators

NO_NUMBERS = ["a", b"a", None, [1], (1,), {}, 1j, object(), np.str_("a")]
OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "//": lambda a, b: a // b,
    "@": lambda a, b: a @ b,
    "divmod()": divmod,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
}


@pytest.mark.parametrize("symbol", OPERATORS)
@pytest.mark.parametrize("other", NO_NUMBERS, ids=lambda other: type(other).__name__)
def test_an_operator_names_both_types_on_either_side_and_says_what_to_do(symbol, other):
    kind, v = type(other).__name__, Value(1.0)
    with pytest.raises(TypeError) as caught:
        OPERATORS[symbol](v, other)
    assert str(caught.value).startswith(f"unsupported operand type(s) for {symbol}: 'Value' and '{kind}'; ")
    with pytest.raises(TypeError) as caught:
        OPERATORS[symbol](other, v)
    if symbol in ("<", ">="):  # Python turns them round
        assert re.match(rf"unsupported operand type\(s\) for [<>]=?: 'Value' and '{kind}'; ", str(caught.value))
    else:
        assert str(caught.value).startswith(f"unsupported operand type(s) for {symbol}: '{kind}' and 'Value'; ")


def test_an_operator_in_place_and_one_on_arrays_name_both_types():
    v = Value(1.0)
    with pytest.raises(TypeError, match=r"for \+: 'Value' and 'str'; expected a real number, got str 'a'; if it holds"):
        v += "a"
    with pytest.raises(TypeError, match=r"for \*: 'Value' and 'ndarray'; .* put Values into the array instead"):
        v * np.array([1.0])
    with pytest.raises(TypeError, match=r"for \*: 'str' and 'Value'"):
        np.array(["a"]) * v
    with pytest.raises(
        TypeError, match=r"for %: 'Value' and 'int'; there is no such operation on a Value: compute with"
    ):
        v % 2
    with pytest.raises(TypeError, match=r"for max: 'Value' and 'str'"):
        ag.maximum(v, "a")
    assert (v + np.float32(1.0)).data == 2.0


# ------------------------------------------------------------------------------------------------- labels and scopes

AWKWARD = [
    "a\0b",
    "\ud800",
    "x\udfff",
    "a\nb",
    "<b>&\"'",
    "]]>",
    "\x1b[31m",
    "\uffff",
    "</script>",
    '"""',
    "\\N",
    "\x85",
]


def shown(name, root):
    """Yield what each view makes of a graph, as text."""
    leaf = ag.graph.leaves(root)[0]
    yield from (draw(root).source, str(to_latex(root)), to_python(root), str(explain(leaf, root)))
    yield from (explain(leaf, root).latex(), str(step_through(root)), leaf._repr_html_(), root._repr_html_())
    yield from (step_through(root).html(), text_steps(root))


@pytest.mark.parametrize("where", ["label", "scope"])
@pytest.mark.parametrize("name", AWKWARD)
def test_any_label_and_scope_is_shown_as_text_in_every_view(tmp_path, monkeypatch, name, where):
    monkeypatch.setenv("AUTOGRAD_MINI_RENDERER", "builtin")
    with scope(name if where == "scope" else "part"):
        w = Value(0.5, label=name if where == "label" else "w")
        z = w * 2.0
        root = ag.tanh(z)
        z.label = root.label = "z"  # so that the scope is shown, too
    for text in shown(name, root):
        text.encode("utf-8")  # raises for half of a surrogate pair
        assert not set(text) & {"\0", "\x1b", "\uffff"}
    compile(to_python(root), "program", "exec")
    ET.fromstring(draw(root).pipe())
    ET.fromstring(draw(root, collapse="neuron").pipe())
    for ending in ("html", "svg"):
        step_through(root).save(tmp_path / f"page.{ending}")
    ET.parse(tmp_path / "page.svg")
    assert "</script>]" not in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert printable(name).replace("\n", " ").strip()


# -------------------------------------------------------------------------------------------- what raises what

PAGE = CONTRIBUTING.partition("## What raises what\n")[2].partition("\n## ")[0]
LINES = [
    (line, name)
    for row in PAGE.splitlines()
    if row.startswith("| `")
    for line in re.findall(r"`([^`]+)`", row.split("|")[1])
    for name in re.findall(r"`(\w+)`", row.split("|")[2])
]
OWN = [thing.__name__ for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Exception)]


@pytest.fixture
def at_hand(tmp_path, monkeypatch):
    """What the lines of the page use."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("autograd_mini.vectorizer.checks.SpotCheck.SHARE", 1e6)  # so that a row is compared at once
    ag.save(nn.MLP(2, [1], rng=0), "damaged.npz")
    Path("damaged.npz").write_bytes(Path("damaged.npz").read_bytes()[:-300])
    x, model, lost = Value(2.0, label="x"), nn.MLP(2, [1], rng=0), nn.Neuron(2, rng=0)
    lost.bias.data = math.nan
    drift = itertools.chain([1.0] * 60, itertools.repeat(3.0))

    def watched(function):
        with ag.detect_anomaly():
            function()

    def made(loss, lr=0.01, epochs=2, outputs=1):
        model = nn.MLP(2, [outputs], rng=0)
        return Trainer(model, loss, optim.SGD(model.parameters(), lr), epochs=epochs, progress=False)

    return {
        "ag": ag,
        "np": np,
        "nn": nn,
        "optim": optim,
        "Value": Value,
        "Trainer": Trainer,
        "Path": Path,
        "load_training": load_training,
        "CsvModel": CsvModel,
        "parse": parse,
        "read_table": read_table,
        "needed": needed,
        "x": x,
        "y": x * x,
        "model": model,
        "lost": lost,
        "watched": watched,
        "X": X,
        "t": np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0]),
        "trainer": made("squared_error"),
        "classifier": made("cross_entropy", outputs=3),
        "steep": made("squared_error", lr=1e200, epochs=9),
        "drifting": made(lambda output, target: next(drift) * (output - target) ** 2, epochs=100_000),
    }


@pytest.mark.parametrize(("line", "name"), LINES, ids=[line for line, _ in LINES])
def test_each_line_of_the_page_raises_what_it_says(at_hand, line, name):
    with pytest.raises(Exception) as caught:  # noqa: PT011 (the page says which)
        eval(line, at_hand)
    kinds = [kind.__name__ for kind in type(caught.value).__mro__]
    assert kinds[0] == name or (name in kinds and name not in OWN)
    assert str(caught.value)


def test_every_exception_of_the_package_is_on_the_page():
    assert {*OWN, "NonFiniteLossError", "FormulaError", "TableError"} <= {name for _, name in LINES}
    assert len(OWN) == 6


def test_the_messages_that_the_page_of_errors_shows_are_those_that_come():
    sessions = re.findall(r"^```pycon\n(.*?)^```", ERRORS, flags=re.M | re.S)
    assert len(sessions) >= 5
    shown = doctest.DocTestParser().get_doctest("\n".join(sessions), {}, "docs/errors.md", "docs/errors.md", 0)
    runner, said = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE), []
    runner.run(shown, out=said.append)
    assert said == []


def test_the_page_of_errors_has_the_packages_own_exceptions_with_what_else_they_are():
    page = ERRORS.partition("## The package's own exceptions")[2]
    rows = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page, flags=re.M))
    own = [*(getattr(errors, name) for name in OWN), NonFiniteLossError, FormulaError, TableError]
    assert {kind.__name__ for kind in own} == set(rows)
    for kind in own:
        assert issubclass(kind, getattr(builtins, rows[kind.__name__]))
