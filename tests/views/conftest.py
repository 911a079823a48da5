"""What the tests of drawings share: the three renderers, and a reader of the SVG that they write."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

import pytest

from autograd_mini.views import renderers

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"


@dataclass
class Group:
    """A node or an edge of an SVG."""

    id: str
    kind: str
    title: str
    texts: list[str]
    shapes: list[ET.Element]
    tooltip: str

    @property
    def fills(self) -> set[str]:
        return {shape.get("fill", "").lower() for shape in self.shapes}


@dataclass
class Parsed:
    """An SVG: its groups by id."""

    root: ET.Element
    nodes: dict[str, Group] = field(default_factory=dict)
    edges: dict[str, Group] = field(default_factory=dict)


def parse_svg(text: str | bytes) -> Parsed:
    parsed = Parsed(ET.fromstring(text))
    for element in parsed.root.iter(f"{SVG}g"):
        kind = element.get("class")
        if kind in ("node", "edge"):
            group = _group(element, kind)
            groups = parsed.nodes if kind == "node" else parsed.edges
            assert group.id not in groups, f"two {kind}s have the id {group.id}"
            groups[group.id] = group
    return parsed


def _group(element: ET.Element, kind: str) -> Group:
    drawn = [e for e in element.iter() if e.tag.removeprefix(SVG) in ("polygon", "path", "ellipse", "rect", "polyline")]
    # Graphviz writes no-break spaces where there are several in a row.
    texts = ["".join(e.itertext()).replace("\xa0", " ") for e in element.iter(f"{SVG}text")]
    tooltips = [e.get(f"{XLINK}title", "") for e in element.iter(f"{SVG}a")]
    title = element.find(f"{SVG}title")
    assert title is not None
    return Group(
        element.get("id", ""), kind, title.text or "", texts, drawn, (tooltips or [""])[0].replace("\xa0", " ")
    )


@pytest.fixture
def parse():
    return parse_svg


@pytest.fixture(params=[n if n == "builtin" else pytest.param(n, marks=pytest.mark.needs(n)) for n in renderers.NAMES])
def renderer(request, monkeypatch):
    """Each of the three renderers in turn, chosen by the environment variable."""
    monkeypatch.setenv(renderers.VARIABLE, request.param)
    return request.param


@pytest.fixture
def builtin(monkeypatch):
    monkeypatch.setenv(renderers.VARIABLE, "builtin")
