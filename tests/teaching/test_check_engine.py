"""`check_engine`: what passes, which faults it sees and in how few lines, and code that doesn't come back."""

import os
import types
import warnings

import pytest
from student_engines import RIGHT, Micrograd, engine

from autograd_mini import Value
from autograd_mini.cli import main as cli
from autograd_mini.micrograd import engine as micrograd_names
from autograd_mini.teaching import check_engine, sandbox
from autograd_mini.teaching.conformance import ROWS, ask


def wrong(kind, *names):
    """Ask some rows, in this process; return for each that fails the lines, without the leaf's and backward's."""
    found = {}
    for row in ROWS:
        if row.name in names:
            events = []
            ask(kind, row, lambda *event, events=events: events.append(event))
            for event, *what in events:
                if event == "wrong":
                    lines = [line for line in what[0].splitlines() if line != "a = Value(2.0)"]
                    found.setdefault(row.name, []).append(("; ".join(lines), *what[1:]))
    return found


# ------------------------------------------------------------------------------------------------ what passes


def test_this_librarys_own_value_passes_in_full():
    report = check_engine(Value)
    assert report.passed, str(report)
    assert set(report.results.values()) == {"passed"}, "nothing may be missing, optional or not"
    assert report.failures == ()


def test_a_module_stands_for_the_value_in_it():
    assert sandbox.find_class(micrograd_names) is Value
    scalars = types.ModuleType("scalars")
    scalars.Number, scalars.Scalar = int, Value
    assert sandbox.find_class(scalars) is Value, "the only class with a backward"


def test_a_right_engine_in_few_lines_passes_and_is_told_what_is_not_there():
    report = check_engine(engine())
    assert report.passed, str(report)
    missing = {name for name, result in report.results.items() if result == "not there"}
    assert missing == {"a ** b", "log", "sigmoid", "sqrt", "sin", "cos", "abs"}
    assert "student.Value: all 13 checks passed" in str(report)


# ------------------------------------------------------------------------------- what micrograd's is known to fail


def test_micrograds_value_fails_by_what_it_is_known_for_and_by_nothing_else():
    report = check_engine(Micrograd)
    assert not report.passed
    assert [failure.check for failure in report.failures] == [
        *("reflections", "repeated backward", "deep chains", "hard points", "hard points")
    ], str(report)
    power, twice, deep, zero, tanh = report.failures
    assert power.expression.splitlines()[1] == "y = 2 ** a"
    assert power.got.startswith("TypeError: unsupported operand")
    assert twice.expression == "a = Micrograd(2.0)\ny = a * a * a\ny.backward()\ny.backward()"
    assert (twice.quantity, twice.expected, twice.got) == ("a.grad", "24.0", "32.0")
    assert "RecursionError" in deep.got
    assert 100 < int(deep.expression.split("range(")[1].split(")")[0]) < 1000, "the shortest chain is searched"
    assert zero.expression == "a = Micrograd(0.0)\ny = a ** 0\ny.backward()"
    with pytest.raises(ZeroDivisionError) as raised:
        0.0**-1
    assert zero.got.startswith(f"ZeroDivisionError: {raised.value} (line "), "in the words of this Python"
    assert "y = a.tanh()" in tanh.expression
    assert "OverflowError" in tanh.got


@pytest.mark.slow
@pytest.mark.needs("micrograd")
def test_the_micrograd_that_is_installed_fails_in_the_same_rows():
    from micrograd.engine import Value as Original

    failed = {failure.check for failure in check_engine(Original).failures}
    assert failed == {"reflections", "repeated backward", "deep chains", "hard points"}


@pytest.mark.parametrize(
    "changes",
    [
        [("self.grad = data, 0.0", "self.grad = np.float64(data), np.float64(0)")],
        [("self.grad = data, 0.0", "self.grad = np.array(data, dtype=float), 0.0")],
        [("class Value:\n", "class Value:\n    __slots__ = ('data', 'grad', 'parents', 'local_grads')\n")],
        [("    def _with", "    def __eq__(self, other): return self.data == other.data\n    def _with")],
        [("(self, data, parents=()", "(self, data, label='', parents=()"), (", (self", ", '', (self")],
        [
            ("self.grad = data, 0.0", "self.grad = data, None"),
            ("parent.grad +=", "parent.grad = (parent.grad or 0) +"),
            ("self.grad + 1.0", "(self.grad or 0) + 1.0"),
        ],
    ],
    ids=["NumPy's floats", "NumPy's arrays", "slots", "no hash", "a label", "gradients of None"],
)
def test_right_engines_of_other_habits_pass(changes):
    kind = engine(("import math\n", "import math\nimport numpy as np\n"), *changes)
    rows = [
        "a leaf",
        "arithmetic",
        "reflections",
        "reuse of a node",
        "repeated backward",
        "freed memory",
        "hard points",
    ]
    assert wrong(kind, *rows) == {}


def test_the_report_shows_the_table_and_each_failure_with_its_lines():
    report = check_engine(engine(("1 - t * t", "1 - t")))
    text = str(report)
    assert text == repr(report)
    assert "tanh               FAILED" in text
    assert "    y = a.tanh()\n    y.backward()\n    a.grad: expected 0.0706508248531644" in text
    assert "tanh: The value of tanh, and its derivative times the upstream gradient." in text
    assert "a ** b             not there      0" in text


# ---------------------------------------------------------------------------------------------- faults, one at a time

ACCUMULATE = "parent.grad += node.grad * local"
ORDER = """            if ready:
                order.append(node)
            elif id(node) not in visited:
                visited.add(id(node))
                stack.append((node, True))
                stack.extend((parent, False) for parent in node.parents)"""
RECURSIVE = """        order, visited = [], set()
        def build(v):
            if id(v) not in visited:
                visited.add(id(v))
                for parent in v.parents:
                    build(parent)
                order.append(v)
        build(self)
"""
FAULTS = {
    "= instead of +=": (
        [(ACCUMULATE, "parent.grad = node.grad * local")],
        "reuse of a node",
        ("y = a + a; y.backward()", "a.grad", "2.0", "1.0"),
    ),
    "x*x counted once": (
        [
            ("for parent, local in zip(", "for parent, local in dict(zip("),
            ("node.local_grads)", "node.local_grads)).items()"),
        ],
        "reuse of a node",
        ("y = a + a; y.backward()", "a.grad", "2.0", "1.0"),
    ),
    "parents in a set": (
        [("= parents, local_grads", "= tuple(set(parents)), local_grads")],
        "reuse of a node",
        ("y = a + a; y.backward()", "a.grad", "2.0", "1.0"),
    ),
    "equal numbers are one node": (
        [
            (
                "    def _with",
                "    def __eq__(self, o): return self.data == o.data\n    def __hash__(self): return hash(self.data)"
                "\n    def _with",
            ),
            ("for parent, local in zip(", "for parent, local in dict(zip("),
            ("node.local_grads)", "node.local_grads)).items()"),
        ],
        "reuse of a node",
        ("y = a + a; y.backward()", "a.grad", "2.0", "1.0"),
    ),
    "visited by number": (
        [("id(node)", "node.data")],
        "diamonds",
        ("y = (a + a) + (a + a); y.backward()", "a.grad", "4.0", "2.0"),
    ),
    "no topological order": (
        [
            (
                ORDER,
                "            if id(node) not in visited:\n                visited.add(id(node))\n"
                "                order.insert(0, node)\n                stack.extend((p, False) for p in node.parents)",
            )
        ],
        "diamonds",
        None,
    ),
    "the order is not reversed": (
        [("in reversed(order)", "in order")],
        "reuse of a node",
        ("y = (a + a) + a; y.backward()", "a.grad", "3.0", "1.0"),
    ),
    "each path walked anew": (
        [("elif id(node) not in visited:", "else:")],
        "reuse of a node",
        None,
    ),
    "tanh' = 1 - t": ([("1 - t * t", "1 - t")], "tanh", ("y = a.tanh(); y.backward()", "a.grad", None, None)),
    "exp' without the upstream": (
        [(ACCUMULATE, "parent.grad += local")],
        "arithmetic",
        ("b = Value(3.0); y = (a + b) * (a + b); y.backward()", "a.grad", "10.0", "2.0"),
    ),
    "no __rsub__": ([("__rsub__", "_rsub")], "reflections", ("y = 3 - a; y.backward()", "y.data", "1.0", None)),
    "__rsub__ the wrong way round": (
        [("Value(other) - self", "self - other")],
        "reflections",
        ("y = 3 - a; y.backward()", "y.data", "1.0", "-1.0"),
    ),
    "__rtruediv__ the wrong way round": (
        [("Value(other) / self", "self / other")],
        "reflections",
        ("y = 3 / a; y.backward()", "y.data", "1.5", "0.6666666666666666"),
    ),
    "no __radd__, so no sum()": (
        [("__radd__", "_radd")],
        "reflections",
        ("y = 3 + a; y.backward()", "y.data", "5.0", None),
    ),
    "no __neg__": ([("__neg__", "_neg")], "arithmetic", ("y = -a; y.backward()", "y.data", "-2.0", None)),
    "a minus that adds gradients": (
        [("(1.0, -1.0)", "(1.0, 1.0)")],
        "arithmetic",
        ("b = Value(3.0); y = a - b; y.backward()", "b.grad", "-1.0", "1.0"),
    ),
    "inner gradients are left": (
        [
            ("            if node.parents:\n                node.grad = 0.0", "            pass"),
            ("self.grad + 1.0", "1.0"),
        ],
        "repeated backward",
        ("y = a * a * a; y.backward(); y.backward()", "a.grad", "24.0", "32.0"),
    ),
    "leaves are set to 0 as well": (
        [("            if node.parents:\n", "            if True:\n")],
        "repeated backward",
        ("y = a * a; y.backward(); y.backward()", "a.grad", "8.0", "4.0"),
    ),
    "gradients begin at 1": (
        [("self.data, self.grad = data, 0.0", "self.data, self.grad = data, 1.0")],
        "a leaf",
        ("", "a.grad", "0.0", "1.0"),
    ),
    "a base case of 0": ([("self.grad + 1.0", "0.0")], "a leaf", ("a.backward()", "a.grad", "1.0", "0.0")),
    "0 ** 0 by the rule for powers": (
        [(" if n != 0 else 0.0,", ",")],
        "hard points",
        ("a = Value(0.0); y = a ** 0; y.backward()", "y.data", "1.0", None),
    ),
    "relu hides a nan": (
        [("0.0 if self.data < 0 else self.data", "self.data if self.data > 0 else 0.0")],
        "hard points",
        ('a = Value(float("nan")); y = a.relu(); y.backward()', "y.data", "nan", "0.0"),
    ),
    "a list of all nodes": (
        [("        self.parents, self.local", "        kept.append(self)\n        self.parents, self.local")],
        "freed memory",
        ("before = alive(); y = a * a; del y; after = alive()", "after-before", "0", "1"),
    ),
    "a list of the last order": (
        [("in reversed(order):", "in kept.append(order) or reversed(order):")],
        "freed memory",
        ("before = alive(); y = a * a; y.backward(); del y; after = alive()", "after-before", "0", "1"),
    ),
    "a recursive order": (
        [
            (
                "        for node in order:\n            if node.parents:",
                RECURSIVE + "        for node in order:\n            if node.parents:",
            )
        ],
        "deep chains",
        None,
    ),
    "+= changes the node itself": (
        [
            (
                "    def __radd__",
                "    def __iadd__(self, o):\n        self.data += o.data\n        return self\n\n    def __radd__",
            )
        ],
        "reuse of a node",
        ("b = a; b += a; y = b * a; y.backward()", "a.data", "2.0", "4.0"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_typical_fault_is_seen_in_the_smallest_lines(fault):
    changes, row, expected = FAULTS[fault]
    found = wrong(engine(*changes), row).get(row)
    assert found, f"{fault}: nothing seen in {row!r}"
    lines, quantity, wanted, got = found[0]
    if expected:
        assert (lines, quantity) == expected[:2]
        assert wanted == (expected[2] or wanted)
        assert got == (expected[3] or got)
        assert expected[3] or "Error" in got or row == "tanh"
    else:
        assert len(lines.split("; ")) <= 5, lines


def test_the_right_engine_has_none_of_these_faults():
    assert wrong(engine(), *{row for _, row, _ in FAULTS.values()}) == {}


def test_the_smallest_lines_are_searched_in_random_graphs_too():
    kind = engine(("self.grad = self.grad + 1.0", "self.grad += 1.0 if self.data >= 0 else -1.0"))  # of the root
    ((lines, quantity, expected, got),) = wrong(kind, "random graphs")["random graphs"]
    assert lines.count(" = ") <= 2, lines
    assert quantity.endswith(".grad")
    assert float(expected) == -float(got) != 0


# ------------------------------------------------------------------------------------ code that doesn't come back


def student(tmp_path, before="", **methods):
    """Write the right engine as student.py, with a line before it and the first line of some methods replaced."""
    text = RIGHT
    for name, line in methods.items():
        text = text.replace(f"def {name}(self):\n", f"def {name}(self):\n        {line}\n")
    file = tmp_path / "student.py"
    file.write_text(f"{before}\n{text}", encoding="utf-8")
    return f"{file}:Value"


class Endless:
    """A class whose first object never comes."""

    def __init__(self, data):
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass


def test_an_endless_loop_is_a_failure_with_the_lines_that_were_asked():
    report = check_engine(Endless, time_limit=0.2)
    (failure,) = report.failures
    assert (failure.check, failure.expression) == ("a leaf", "a = Endless(2.0)")
    assert (failure.quantity, failure.expected, failure.got) == ("a.data", "2.0", "no answer within 0.2 s")
    assert not report.passed
    assert "19 could not be run" in str(report)


def test_what_ends_its_process_fails_one_row_and_the_others_go_on():
    kind = engine(("def exp(self):\n", "def exp(self):\n        import os; os._exit(3)\n"))
    report = check_engine(kind)
    assert {name for name, result in report.results.items() if result == "FAILED"} == {"exp", "hard points"}
    assert report.results["relu"] == "passed"
    assert report.results["abs"] == "not there", "the rows after it are asked as well"
    assert report.failures[-1].got == "the process ended, with exit code 3"
    assert report.failures[-1].expression.splitlines()[1:] == ["y = a.exp()", "y.backward()"]


@pytest.mark.parametrize(
    "change",
    [
        ("data, parents=()", "data, name, parents=()"),
        ("def backward", "def back"),
        ("def __init__", "__slots__ = ('data', 'parents', 'locals_')\n\n    def __init__"),
    ],
)
def test_a_class_without_a_leaf_its_gradient_or_backward_is_asked_nothing_more(change):
    report = check_engine(engine(change))
    assert {failure.check for failure in report.failures} == {"a leaf"}
    assert "1 of 20 checks failed, 19 could not be run" in str(report)
    assert not report.passed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "methods", "got"),
    [
        ("while True: pass", {}, "no answer within 2 s"),
        ("import sys; sys.exit(0)", {}, "SystemExit: 0 (line 1)"),
        ("import os; os._exit(0)", {}, "the process ended, with exit code 0"),
        ("import ctypes; ctypes.string_at(0)", {}, "the process crashed, by the signal SIGSEGV"),
        ("raise ValueError('no')", {}, "ValueError: no (line 1)"),
        ("raise KeyboardInterrupt", {}, "KeyboardInterrupt (line 1)"),
        ("def f(:", {}, "SyntaxError: "),
        ("x = input('?')", {}, "EOFError: "),
        ("x = [0] * 10**11", {}, "MemoryError"),
        ("def f(): f()\nf()", {}, "RecursionError: "),
        ("", {"exp": "while True: pass"}, "no answer within 2 s"),
        ("", {"exp": "import sys; sys.exit('bye')"}, "SystemExit: bye"),
        ("", {"exp": "return self.exp()"}, "RecursionError: "),
        ("", {"exp": "input()"}, "EOFError: "),
        ("", {"exp": "x = bytearray(10**11)"}, "MemoryError"),
        ("", {"exp": "import os; os.kill(os.getpid(), 9)"}, "the process crashed, by the signal SIGKILL"),
    ],
)
def test_code_that_does_not_come_back_is_a_failure(tmp_path, before, methods, got):
    report = check_engine(student(tmp_path, before, **methods), time_limit=2)
    assert not report.passed
    assert report.failures[-1].got.startswith(got)
    assert report.failures[-1].check == ("exp" if methods else "loading")
    assert report.results["cos"] == ("not there" if methods else "not run")


@pytest.mark.slow
@pytest.mark.parametrize(
    "before",
    [
        "print('∂' * 100_000)",
        "import os; os.write(1, b'[\"end\"]\\n')",
        "import threading, time; threading.Thread(target=time.sleep, args=(99,)).start()",
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'])",
        "import random; import helper",
    ],
)
def test_prints_threads_and_neighbouring_files_do_no_harm(tmp_path, before):
    (tmp_path / "helper.py").write_text("x = 1\n")
    assert check_engine(student(tmp_path, before)).passed


def test_where_no_process_can_be_copied_a_thread_runs_it(monkeypatch):
    monkeypatch.delattr("os.fork", raising=False)
    monkeypatch.setattr(sandbox, "_PATIENCE", 0.2)
    kind = type("Slow", (), {"__init__": lambda self, data: [None for _ in iter(int, 1)]})
    assert sandbox.starter(kind, 1)[1].startswith("in this process")
    report = check_engine(kind, time_limit=0.2)
    assert report.failures[0].got == "no answer within 0.2 s"
    assert check_engine(engine()).passed


# -------------------------------------------------------------------------------------------------- the command line


def test_check_exits_with_0_where_all_passed_and_1_where_something_failed(tmp_path, capsys):
    assert cli.main(["check", student(tmp_path)]) == 0
    assert "student.Value: all 13 checks passed, in a process of its own" in capsys.readouterr().out
    assert cli.main(["check", student(tmp_path, "def f(:")]) == 1
    assert "Value: expected a class, got SyntaxError" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.py:Value"], "nowhere.py: no such file"),
        (["nowhere.py"], "nowhere.py: no such file"),
        (["."], "'.': expected a file of Python, whose name ends in .py"),
        (["empty.py:a b"], "expected \"student.py:Value\", a file and the name of a class, got 'empty.py:a b'"),
        (["empty.py:Node"], "there is no class 'Node' in empty; classes there: none"),
        (["empty.py", "--time-limit", "0"], "argument --time-limit: expected seconds above 0, got '0'"),
    ],
)
def test_what_cannot_be_checked_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys, words, said):
    (tmp_path / "empty.py").write_text("Value = 3 if False else None\ndel Value\n")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["check", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {said}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("checked", "error", "said"),
    [
        (3, TypeError, 'expected a class, a module or "student.py:Value", got 3'),
        (Value(2.0), TypeError, "pass the class itself"),
        (types.ModuleType("empty"), ValueError, "there is no class 'Value' in empty"),
    ],
)
def test_what_is_no_class_is_refused(checked, error, said):
    with pytest.raises(error, match=said):
        check_engine(checked)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"time_limit": 0}, "time_limit: expected a finite number above 0, got 0"),
        ({"time_limit": "5"}, "time_limit: expected a finite number above 0, got '5'"),
        ({"memory_limit": 0}, "memory_limit: expected a whole number of at least 1, got 0"),
    ],
)
def test_limits_that_are_none_are_refused(limits, said):
    with pytest.raises(ValueError, match=said):
        check_engine(Value, **limits)


def test_limits_may_be_as_large_as_one_likes():
    assert check_engine(Endless, time_limit=0.1, memory_limit=10**40).failures[0].got == "no answer within 0.1 s"
    assert check_engine(type("None_", (), {}), time_limit=1e300).results["a leaf"] == "FAILED"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="without fork a class is checked in another way")
def test_what_is_warned_of_at_a_fork_does_not_end_a_check(monkeypatch):
    fork = os.fork

    def warning_fork():
        warnings.warn("incompatible with multithreaded code", RuntimeWarning, stacklevel=2)  # as JAX does
        return fork()

    monkeypatch.setattr(os, "fork", warning_fork)
    assert check_engine(Value).passed
