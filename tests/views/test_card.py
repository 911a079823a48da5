"""A `Value` in a notebook: a small table of what it is and how it was made."""

import math
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from autograd_mini import Parameter, Value
from autograd_mini.engine.functions import dot
from autograd_mini.engine.value import Constant


class Reader(HTMLParser):
    """Reads a table; remembers every tag."""

    def __init__(self):
        super().__init__()
        self.rows, self.tags, self.open = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag != "br":
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.rows[-1][-1] += data


def read(node):
    reader = Reader()
    reader.feed(node._repr_html_())
    assert not reader.open
    return reader


def rows(node):
    return read(node).rows


def test_a_node_shows_its_numbers_its_operands_and_its_formula():
    w, x = Value(0.5, label="w"), Value(-2.0, label="x")
    z = w * x
    z.label = "z"
    (z + 1.0).backward()
    assert rows(z) == [
        ["", "data", "grad", "local derivative"],
        ["z", "-1", "1", ""],
        ["w", "0.5", "-2", "∂(w·x)/∂w = x = -2"],
        ["x", "-2", "0.5", "∂(w·x)/∂x = w = 0.5"],
        ["z = w·x = 0.5·(-2) = -1draw(z) shows the graph"],
    ]


@pytest.mark.parametrize(
    ("leaf", "kind"),
    [(Value(2.0, "x"), "an input"), (Parameter(2.0, "x"), "a parameter"), (Constant(2.0, "x"), "a constant")],
)
def test_a_leaf(leaf, kind):
    assert rows(leaf) == [["", "data", "grad"], ["x", "2", "0"], [f"a leaf: {kind}"]]


def test_nodes_without_labels_get_names_that_no_other_has():
    a, b = Value(2.0), Value(3.0, label="v")
    assert rows((a + 1.0) * (b * b))[-1][0].startswith("v = v1·v2 = 3·9 = 27draw")
    assert rows(a * b)[-1][0].startswith("v' = v1·v = 2·3 = 6draw(v)")


def test_an_operand_used_twice_has_both_its_derivatives():
    x = Value(3.0, label="x")
    assert [row[0] for row in rows(x * x)[2:4]] == ["x", "x"]
    assert [row[3] for row in rows(x * x)[2:4]] == ["∂(x①·x②)/∂x① = x = 3", "∂(x①·x②)/∂x② = x = 3"]


def test_nobody_asks_for_a_derivative_by_a_constant():
    assert rows(Value(3.0, label="x") ** 2)[3] == ["2", "2", "", ""]
    assert rows(Value(-3.0) ** 2)[3] == ["2", "2", "", ""]  # where there isn't even one


def test_many_operands_are_counted():
    node = dot([Value(1.0)] * 1000, [Value(2.0)] * 1000, Value(0.0))
    table = rows(node)
    assert len(table) == 2 + 8 + 1 + 1
    assert table[-2][0] == "… 1993 more"
    assert table[-1][0].startswith("v = a weighted sum of 2001 operands = 2000")


def test_it_looks_no_further_than_the_operands():
    x = y = Value(0.5, label="x")
    for _ in range(100_000):
        y = y + x
    html = y._repr_html_()
    assert len(html) < 4000


@pytest.mark.parametrize(
    "label",
    ["</td><script>alert(1)</script>", '"><img onerror=x>', "a&b", "'", "x" * 500, "two\nlines", "\x00\x1b", "🎉", " "],
)
def test_labels_are_escaped(label):
    x = Value(2.0, label=label)
    reader, html = read(x * x), (x * x)._repr_html_()
    assert set(reader.tags) <= {"table", "tbody", "tr", "th", "td", "b", "code", "br"}
    assert all(sign == "\n" or sign.isprintable() for sign in html)
    assert len(html) < 4000
    shown = reader.rows[2][0]
    assert shown == label or shown.endswith("…") or len(shown) == len(label)


def test_infinities_nan_and_gradients_of_every_kind():
    assert rows(Value(math.inf) * math.nan)[1][1] == "nan"
    x = Value(3.0, label="x")
    (x * x).backward(create_graph=True)
    assert rows(x)[1] == ["x", "3", "6"]
    x.grad = None
    assert rows(x)[1] == ["x", "3", "0"]


def test_colours_are_the_pages():
    html = (Value(1.0) * 2)._repr_html_()
    colours = re.findall(r"(?:color|background):([^;\"]*)", html)
    assert set(colours) == {"inherit", "transparent"}
    assert unescape(html).isprintable()
