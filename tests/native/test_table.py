"""Instruction tables: named as the C has them, and refused before they run where they would leave their memory."""

import re
from pathlib import Path

import numpy as np
import pytest
from machines import LIBRARY, bound, needs_machine, table_of

import autograd_mini as ag
from autograd_mini import Value, nn, vectorize
from autograd_mini.native import table as t
from autograd_mini.native.build import HERE
from autograd_mini.vectorizer.native_printer import NativeTable

HEADER = Path(HERE, "machine.h").read_text(encoding="utf-8")


def enumerated(first):
    """The names of the enum that begins with this one, in their order."""
    body = re.search(rf"enum \{{\s*({first}\b[^}}]*)\}}", re.sub(r"/\*.*?\*/", "", HEADER, flags=re.S))[1]
    return [name.partition("=")[0].strip() for name in body.split(",") if name.strip()]


def test_functions_are_numbered_as_in_the_header():
    found = re.findall(r"F\((\w+), (\d)\)", HEADER)
    assert {name.lower(): int(count) for name, count in found} == t.FUNCTIONS
    assert [name.lower() for name, _ in found] == list(t.FUNCTIONS)


def test_sorts_of_instructions_and_arrays_are_numbered_as_in_the_header():
    assert [getattr(t, name) for name in enumerated("ASSIGN")] == list(range(1, 12))
    assert [getattr(t, name) for name in enumerated("THETA")] == list(range(5))
    assert enumerated("H_MAGIC").index("HEAD") == t.HEAD
    for name in ("STEP_BYTES", "MOST_SLOTS", "MAGIC"):
        assert int(re.search(rf"\b{name} = (\w+)", HEADER)[1], 0) == getattr(t, name)


def programs():
    """Tables that have every sort of instruction."""
    model, letters = nn.MLP(3, [4, 3], rng=0), [[Value(0.1 * k) for k in range(2)] for _ in range(5)]

    def f(x, token, label):
        row = ag.pick(token, letters)
        mixed = ag.sum([x[2], x[0], row[1], x[1], row[0]])
        scores = model([ag.tanh(mixed), ag.logsumexp(x), x[0] * x[1]])
        return nn.losses.cross_entropy(scores, label) + ag.maximum(x) + 0.1 * sum(p * p for p in model.parameters())

    program = vectorize(f, backend="native", check=False)
    rng = np.random.default_rng(0)
    program.value_and_grad(rng.normal(size=(7, 3)), rng.integers(0, 5, 7), rng.integers(0, 3, 7))
    yield NativeTable(program._latest.program, True)
    yield NativeTable(program._latest.program, True, "float32")
    norm = nn.BatchNorm(2)
    program = vectorize(lambda x: ag.sum([ag.tanh(z) for z in norm(x)]), backend="native", check=False)
    program.value_and_grad(rng.normal(size=(70, 2)))
    yield NativeTable(program._latest.program, True)


@needs_machine
def test_a_table_that_was_changed_is_refused_or_stays_inside_of_its_memory():
    assert_changed_tables_do_no_harm(13)


@needs_machine
@pytest.mark.slow
def test_a_table_that_was_changed_anywhere_is_refused_or_stays_inside_of_its_memory():
    assert_changed_tables_do_no_harm(1)


def assert_changed_tables_do_no_harm(every):
    rng = np.random.default_rng(3)
    refused = ran = 0
    for made in programs():
        LIBRARY.check(made.words)
        rows = [array.rows for array in made.program.inputs]
        inputs = [rng.integers(0, 3, (5, width)).astype(float) for width in rows]
        for k in range(0, len(made.words), every):
            for other in (-1, 0, 1, 2, 7, 513, 2**31, -(2**63), 2**63 - 1):
                words = made.words.copy()
                words[k] = other
                try:
                    LIBRARY.check(words)
                except ValueError:
                    refused += 1
                    continue
                if words[t.HEAD - 1] > 10_000 or LIBRARY.memory(words, 5)[0] > 10**6:
                    continue  # too large to be tried
                if list(words[: t.HEAD][[4, 5, -2, -1]]) != list(made.words[: t.HEAD][[4, 5, -2, -1]]):
                    continue  # it asks for more inputs, constants or parameters than it is given, or for other numbers
                arrays = words[t.HEAD : t.HEAD + 3 * words[2]].reshape(-1, 3)
                read = [i for i in range(len(words) - 1) if words[i] == t.READ and words[i + 1] == 4]
                wide = [arrays[words[i + 3]][1] > rows[words[i + 2]] for i in read if 0 <= words[i + 2] < len(rows)]
                if any(wide):
                    continue  # an input has as many columns as the array that it is read into has rows
                machine, kept = bound(words, 5, inputs, int(words[t.HEAD - 1]), made.table.dtype)
                assert LIBRARY.run(machine.ctypes.data, 0) == 0
                assert kept[0][-1] == kept[3][-1] == 0.0, "something was written behind the memory"
                ran += 1
    assert refused > ran > 10


@needs_machine
@pytest.mark.parametrize("words", [[], [1], [t.MAGIC], [t.MAGIC, 3, 0], [t.MAGIC, t.HEAD, *[0] * (t.HEAD - 2)]])
def test_what_is_no_table_is_refused(words):
    with pytest.raises(ValueError, match="no instruction table: word"):
        LIBRARY.check(np.array(words, np.int64))


@needs_machine
def test_numbers_of_another_sort_are_no_table():
    with pytest.raises(ValueError, match="array of int64"):
        LIBRARY.check(table_of("exp").astype(float))


@needs_machine
def test_too_little_memory_no_examples_or_an_unknown_instruction_set_are_refused():
    words = table_of("exp")
    machine, _kept = bound(words, 8, [np.zeros(8)])
    for place, number in ((2, 3), (5, 0), (5, 2**40)):
        changed = machine.copy()
        changed[place] = number
        assert LIBRARY.run(changed.ctypes.data, 0) != 0
    assert LIBRARY.run(machine.ctypes.data, 99) != 0
    assert LIBRARY.run(machine.ctypes.data, -1) != 0
