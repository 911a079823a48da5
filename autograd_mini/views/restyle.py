"""What a user sets in a drawing's `graph_attr`, `node_attr` and `edge_attr`, as a change of its picture.

The attributes that the layout of our own knows are in `KNOWN`; any other is an error there that names it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from autograd_mini.views.colours import ink_on
from autograd_mini.views.picture import DrawnEdge, DrawnNode, Picture

Attributes = Mapping[str, Mapping[str, str]]  # by "graph", "node", "edge"
_FONT = ("fontname", "fontsize", "fontcolor")
KNOWN = {
    "graph": ("rankdir", "bgcolor", *_FONT, "nodesep", "ranksep", "margin", "pad"),
    "node": ("color", "fillcolor", "style", *_FONT, "margin"),
    "edge": ("color", "style", *_FONT),
}
DIRECTIONS = ("LR", "TB", "RL", "BT")
_STYLES = {"node": ("filled", "rounded", "solid", "dashed", "bold"), "edge": ("solid", "dashed", "bold")}
_BOLD = 2.0
_POINTS_PER_INCH = 72.0
_MOST_INCHES, _MOST_POINTS = 100.0, 500.0


def restyled(picture: Picture, changed: Attributes, is_strict: bool = True) -> Picture:
    """Return a picture with attributes that its user has set.

    Parameters
    ----------
    picture : Picture
        What is drawn.
    changed : mapping
        The attributes that were set, for "graph", "node" and "edge".
    is_strict : bool, optional
        Raise for those that can't be honoured; otherwise leave them to Graphviz.

    Raises
    ------
    ValueError
        If there is no such attribute here, or it has no such value; the message lists what there is.
    """
    read: dict[str, dict[str, Any]] = {}
    for kind, attributes in changed.items():
        read[kind] = {}
        for name, value in attributes.items():
            try:
                read[kind][name] = _read(kind, name, str(value))
            except ValueError:
                if is_strict:
                    raise
    graph, node, edge = (read.get(kind, {}) for kind in ("graph", "node", "edge"))
    names = {
        "rankdir": "rankdir",
        "bgcolor": "paper",
        "fontname": "note_font",
        "fontsize": "note_size",
        "fontcolor": "note_ink",
        "nodesep": "node_gap",
        "ranksep": "rank_gap",
    }
    changes = {names[name]: value for name, value in graph.items() if name in names}
    if changes.get("paper") == "none":
        changes["paper"] = ""
    edges = tuple(_edge(drawn, edge) for drawn in picture.edges)
    if changes.get("paper"):  # labels stand on it, too
        old, changes["label_paper"] = picture.label_paper, changes["paper"]
        edges = tuple(replace(e, backing=changes["paper"]) if e.backing == old else e for e in edges)
    around = [graph[name] for name in ("margin", "pad") if name in graph]
    if around:
        changes["margin"] = (sum(x for x, _ in around), sum(y for _, y in around))
    return replace(
        picture,
        nodes=tuple(_node(drawn, node) for drawn in picture.nodes),
        edges=edges,
        **changes,
    )


def _node(drawn: DrawnNode, given: Mapping[str, Any]) -> DrawnNode:
    if not given:
        return drawn
    changes = _common(given)
    changes |= {new: given[old] for old, new in (("color", "stroke"), ("margin", "margin")) if old in given}
    if "fillcolor" in given:
        changes["fill"] = given["fillcolor"]
        changes.setdefault("ink", drawn.ink if given["fillcolor"] == "none" else ink_on(in_hex(given["fillcolor"])))
    if "style" in given:
        words = given["style"]
        if "filled" not in words:
            changes |= {"fill": "none", "ink": given.get("fontcolor", drawn.stroke)}
        if drawn.shape in ("box", "rounded"):
            changes["shape"] = "rounded" if "rounded" in words else "box"
        changes |= _lined(words, "stroke_width")
    return replace(drawn, **changes)


def _edge(drawn: DrawnEdge, given: Mapping[str, Any]) -> DrawnEdge:
    if not given:
        return drawn
    colour = {"colour": given["color"]} if "color" in given else {}
    return replace(drawn, **_common(given), **colour, **_lined(given.get("style", ()), "width"))


def _common(given: Mapping[str, Any]) -> dict[str, Any]:
    names = {"fontname": "font", "fontsize": "font_size", "fontcolor": "ink"}
    return {new: given[old] for old, new in names.items() if old in given}


def _lined(words: Any, width: str) -> dict[str, Any]:
    if not words:
        return {}
    return {"dashed": "dashed" in words, **({width: _BOLD} if "bold" in words else {})}


# ------------------------------------------------------------------------------------------------ the values


def _read(kind: str, name: str, value: str) -> Any:
    """Return the value of an attribute as the picture has it."""
    where = f"{kind}_attr[{name!r}]"
    if name not in KNOWN[kind]:
        raise ValueError(
            f"{where}: the builtin renderer has no such attribute; it has {', '.join(KNOWN[kind])} for {kind}; "
            "leave it out, or let Graphviz draw: install it (https://graphviz.org/download) and use render()"
        )
    if name in ("color", "fillcolor", "fontcolor", "bgcolor"):
        return _colour(where, value)
    if name == "rankdir":
        return _one_of(where, value, DIRECTIONS)
    if name == "style":
        return tuple(_one_of(where, word.strip(), _STYLES[kind]) for word in value.split(","))
    if name == "fontname":
        if not value.strip():
            raise ValueError(f"{where}: expected the name of a font, got {value!r}")
        return value.strip()
    if name == "fontsize":
        return _number(where, value, 1.0, _MOST_POINTS, "points")
    if name in ("margin", "pad"):
        parts = value.split(",")
        if len(parts) > 2:
            raise ValueError(f"{where}: expected one number of inches, or two with a comma between, got {value!r}")
        sides = [_number(where, part, 0.0, _MOST_INCHES, "inches") * _POINTS_PER_INCH for part in parts]
        return sides[0], sides[-1]
    return _number(where, value, 0.0, _MOST_INCHES, "inches") * _POINTS_PER_INCH


def _number(where: str, value: str, least: float, most: float, unit: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise ValueError(f"{where}: expected a number of {unit} from {least:g} to {most:g}, got {value!r}")
    return number


def _one_of(where: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError(f"{where}: expected one of {', '.join(choices)}, got {value!r}")
    return value


def _colour(where: str, value: str) -> str:
    colour = value.strip().lower()
    if colour in ("transparent", "none"):
        return "none"
    if colour in _NAMED or (len(colour) == 7 and colour[0] == "#" and not set(colour[1:]) - set("0123456789abcdef")):
        return colour
    raise ValueError(
        f'{where}: expected a colour such as "#0877bd", "transparent", or a name of SVG ({", ".join(_NAMED)}), '
        f"got {value!r}"
    )


def in_hex(colour: str) -> str:
    """Return a colour that may be a name as "#rrggbb"."""
    return colour if colour[0] == "#" else f"#{_NAMED[colour]}"


_WORDS = """
aliceblue f0f8ff antiquewhite faebd7 aqua 00ffff aquamarine 7fffd4 azure f0ffff beige f5f5dc bisque ffe4c4 black
000000 blanchedalmond ffebcd blue 0000ff blueviolet 8a2be2 brown a52a2a burlywood deb887 cadetblue 5f9ea0
chartreuse 7fff00 chocolate d2691e coral ff7f50 cornflowerblue 6495ed cornsilk fff8dc crimson dc143c cyan 00ffff
darkblue 00008b darkcyan 008b8b darkgoldenrod b8860b darkgray a9a9a9 darkgreen 006400 darkgrey a9a9a9 darkkhaki
bdb76b darkmagenta 8b008b darkolivegreen 556b2f darkorange ff8c00 darkorchid 9932cc darkred 8b0000 darksalmon
e9967a darkseagreen 8fbc8f darkslateblue 483d8b darkslategray 2f4f4f darkslategrey 2f4f4f darkturquoise 00ced1
darkviolet 9400d3 deeppink ff1493 deepskyblue 00bfff dimgray 696969 dimgrey 696969 dodgerblue 1e90ff firebrick
b22222 floralwhite fffaf0 forestgreen 228b22 fuchsia ff00ff gainsboro dcdcdc ghostwhite f8f8ff gold ffd700
goldenrod daa520 gray 808080 green 008000 greenyellow adff2f grey 808080 honeydew f0fff0 hotpink ff69b4
indianred cd5c5c indigo 4b0082 ivory fffff0 khaki f0e68c lavender e6e6fa lavenderblush fff0f5 lawngreen 7cfc00
lemonchiffon fffacd lightblue add8e6 lightcoral f08080 lightcyan e0ffff lightgoldenrodyellow fafad2 lightgray
d3d3d3 lightgreen 90ee90 lightgrey d3d3d3 lightpink ffb6c1 lightsalmon ffa07a lightseagreen 20b2aa lightskyblue
87cefa lightslategray 778899 lightslategrey 778899 lightsteelblue b0c4de lightyellow ffffe0 lime 00ff00
limegreen 32cd32 linen faf0e6 magenta ff00ff maroon 800000 mediumaquamarine 66cdaa mediumblue 0000cd
mediumorchid ba55d3 mediumpurple 9370db mediumseagreen 3cb371 mediumslateblue 7b68ee mediumspringgreen 00fa9a
mediumturquoise 48d1cc mediumvioletred c71585 midnightblue 191970 mintcream f5fffa mistyrose ffe4e1 moccasin
ffe4b5 navajowhite ffdead navy 000080 oldlace fdf5e6 olive 808000 olivedrab 6b8e23 orange ffa500 orangered
ff4500 orchid da70d6 palegoldenrod eee8aa palegreen 98fb98 paleturquoise afeeee palevioletred db7093 papayawhip
ffefd5 peachpuff ffdab9 peru cd853f pink ffc0cb plum dda0dd powderblue b0e0e6 purple 800080 rebeccapurple 663399
red ff0000 rosybrown bc8f8f royalblue 4169e1 saddlebrown 8b4513 salmon fa8072 sandybrown f4a460 seagreen 2e8b57
seashell fff5ee sienna a0522d silver c0c0c0 skyblue 87ceeb slateblue 6a5acd slategray 708090 slategrey 708090
snow fffafa springgreen 00ff7f steelblue 4682b4 tan d2b48c teal 008080 thistle d8bfd8 tomato ff6347 turquoise
40e0d0 violet ee82ee wheat f5deb3 white ffffff whitesmoke f5f5f5 yellow ffff00 yellowgreen 9acd32
""".split()
_NAMED = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True))
