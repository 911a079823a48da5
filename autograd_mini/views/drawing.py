r"""`Drawing`: a picture as a `graphviz.Digraph` that renders on every machine. Importing it imports graphviz.

Every text of a picture is shown literally. In the DOT language two things stand for other text: escape sequences
(``\N`` is the node's name) and entities (``&lt;``); both are escaped here. Nodes have HTML-like labels, so that names
can be bold; in these, too, both have to be escaped.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import graphviz

from autograd_mini.files import replacing
from autograd_mini.views import figures, page, renderers, svg
from autograd_mini.views.layout.layout import arrange
from autograd_mini.views.layout.measure import node_size
from autograd_mini.views.picture import FONT_SIZE, LABEL_SIZE, DrawnEdge, DrawnNode, Line, Picture
from autograd_mini.views.restyle import KNOWN, Attributes, restyled

_EXTENSION = ".gv"
# The one font whose widths every Graphviz knows, also one without a font library. The SVG names fallbacks for it.
_FONT = "Helvetica"
_POINTS_PER_INCH = 72.0


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """A picture in the DOT language: a `graphviz.Digraph` with all its methods.

    It is rendered by the first of these that is there: Graphviz's ``dot``, the ``graphviz-pure`` program, the layout of
    our own, which writes SVG and, where Matplotlib is installed, PDF and PNG. The environment variable
    ``AUTOGRAD_MINI_RENDERER`` chooses one of ``dot``, ``graphviz-pure`` and ``builtin``. The format is SVG unless
    another one is asked for. What `save` draws is in the layout of our own on every machine.

    Attributes
    ----------
    seconds : float or None
        How long a program may take to render it; None for as long as it needs.
    title : str
        What it shows, in words, for those who can't see it.

    Examples
    --------
    >>> from autograd_mini import Value, draw
    >>> x = Value(3.0, label="x")
    >>> drawing = draw(x * x)
    >>> drawing.source.startswith("digraph")
    True
    >>> drawing.pipe(encoding="utf-8").count('class="edge"')
    3
    """

    seconds: float | None = 10.0
    title: str = "a graph"
    _picture: Picture | None = None
    _drawn_body: Sequence[str] = ()
    _drawn_attributes: Mapping[str, dict[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # subgraph() and copy() of the graphviz package hand over format=None or what the drawing has.
        kwargs["format"] = kwargs.get("format") or "svg"
        super().__init__(*args, **kwargs)

    @classmethod
    def of(cls, picture: Picture, title: str) -> Drawing:
        """Return the drawing of a picture, whose labels stand on a ground of their own: the page's isn't known."""
        backed = (replace(e, backing=e.backing or picture.label_paper) if e.label else e for e in picture.edges)
        picture = replace(picture, edges=tuple(backed))
        drawing = cls(
            graph_attr={
                "rankdir": picture.rankdir,
                "bgcolor": picture.paper or "transparent",
                "fontname": _FONT,
                "nodesep": _inches(picture.node_gap),
                "ranksep": _inches(picture.rank_gap),
                "splines": "line" if picture.straight else "true",
                "pad": "0.1",
                "outputorder": "edgesfirst",
                # Titles become tooltips of the whole picture otherwise.
                "tooltip": " ",
                **_note(picture),
            },
            node_attr={
                "fontname": _FONT,
                "fontsize": svg.short(FONT_SIZE),
                "margin": "0.12,0.05",
                "width": "0",
                "height": "0",
            },
            edge_attr={
                "fontname": _FONT,
                "fontsize": svg.short(LABEL_SIZE),
                "arrowsize": "0.65",
                "labeldistance": "3.6",
                "labelangle": "0",
            },
        )
        drawing._add(picture, {})
        drawing._drawn_body = list(drawing.body)
        drawing._drawn_attributes = {kind: dict(getattr(drawing, f"{kind}_attr")) for kind in KNOWN}
        drawing._picture, drawing.title = picture, title
        return drawing

    def _add(self, picture: Picture, changed: Attributes) -> None:
        """Add all nodes and edges; what was set for all of them isn't said of each."""

        def without(attributes: dict[str, Any], kind: str) -> dict[str, Any]:
            dropped = set(changed.get(kind, ())) - {"id", "label", "headlabel", "margin", "tooltip", "labeltooltip"}
            return {name: value for name, value in attributes.items() if name not in dropped}

        for node in picture.nodes:
            label = f"<{'<BR/>'.join(_html(line, node.font_size) for line in node.lines)}>"
            self.node(node.id, label=label, **without(_node(node), "node"))
        for column in _columns(picture):
            self._keep_together(column)
        for edge in picture.edges:
            self.edge(edge.source, edge.target, **without(_edge(edge, picture.straight), "edge"))

    def attr(self, kw: str | None = None, _attributes: Any = None, **attrs: Any) -> None:
        """Set attributes of the graph, or of all nodes or edges, also of those that there are, as `node_attr` does.

        Parameters
        ----------
        kw : {"graph", "node", "edge"}, optional
            What they belong to; by default the graph.
        **attrs
            Attributes as in the graphviz package. The layout of our own honours colours (``color``, ``fillcolor``,
            ``fontcolor``, ``bgcolor``, ``style``), fonts (``fontname``, ``fontsize``), the direction (``rankdir``) and
            spacing (``nodesep``, ``ranksep``, ``margin``, ``pad``), and raises for others.

        Examples
        --------
        >>> from autograd_mini import Value, draw
        >>> drawing = draw(Value(3.0, label="x") * 2)
        >>> drawing.attr("node", fillcolor="white")
        >>> drawing.attr(rankdir="TB")
        >>> drawing.pipe(encoding="utf-8").count('fill="white"')
        4
        """
        kind = "graph" if kw is None else kw.lower() if isinstance(kw, str) else kw
        if self._picture is None or kind not in KNOWN:
            super().attr(kw, _attributes, **attrs)
        else:
            getattr(self, f"{kind}_attr").update({**(_attributes or {}), **attrs})

    def _changed(self) -> dict[str, dict[str, str]]:
        """Return the attributes that were set, or removed, after `draw` had made the drawing."""
        found = {}
        for kind, drawn in self._drawn_attributes.items():
            now = getattr(self, f"{kind}_attr")
            names = [name for name in {**drawn, **now} if now.get(name) != drawn.get(name)]
            if names:
                found[kind] = {name: now.get(name, "") for name in names}
        return found

    def __iter__(self, subgraph: bool = False) -> Iterator[str]:
        """Iterate over the lines of the source."""
        changed = self._changed()
        if self._picture is None or not changed or not self._is_as_drawn():
            yield from super().__iter__(subgraph=subgraph)
            return
        styled = graphviz.Digraph.copy(self)
        styled.body, styled._picture = [], None
        styled._add(restyled(self._picture, changed, is_strict=False), changed)
        yield from graphviz.Digraph.__iter__(styled, subgraph=subgraph)

    def _keep_together(self, column: list[str]) -> None:
        """Put nodes into one column in the order given, by a chain of edges that aren't drawn."""
        self.body.append("\t{\n\t\trank=same\n" + "".join(f'\t\t"{name}"\n' for name in column) + "\t}\n")
        for above, below in pairwise(column):
            self.edge(above, below, style="invis")

    def copy(self) -> Drawing:
        """Return a copy of the drawing."""
        copied: Drawing = super().copy()
        copied._picture, copied._drawn_body = self._picture, self._drawn_body
        copied._drawn_attributes = self._drawn_attributes
        copied.seconds, copied.title = self.seconds, self.title
        return copied

    def _repr_html_(self) -> str:
        return page.drawing(self._repr_image_svg_xml(), self.title)

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None, **options: Any
    ) -> dict[str, Any]:
        # A notebook that isn't trusted shows no SVG, but it shows an image in HTML.
        bundle: dict[str, Any] = super()._repr_mimebundle_(include, exclude, **options)
        # The graphviz package may have been told to show other formats.
        wanted = self._jupyter_mimetype == "image/svg+xml" if include is None else "text/html" in include
        if wanted and "text/html" not in (exclude or ()):
            drawn = bundle.get("image/svg+xml") or self._repr_image_svg_xml()
            bundle["text/html"] = page.drawing(drawn, self.title)
        return bundle

    def pipe(
        self,
        format: str | None = None,
        renderer: str | None = None,
        formatter: str | None = None,
        neato_no_op: bool | int | None = None,
        quiet: bool = False,
        *,
        engine: str | None = None,
        encoding: str | None = None,
    ) -> Any:
        """Return the rendered picture, as `graphviz.Digraph.pipe` does.

        Parameters
        ----------
        format : str, optional
            ``"svg"`` (the default), ``"png"``, ….
        encoding : str, optional
            Return text decoded by this and not bytes, e.g. ``"utf-8"``.
        renderer, formatter, neato_no_op, quiet, engine
            As in the graphviz package.

        Returns
        -------
        bytes or str

        Raises
        ------
        ValueError
            If the format or the engine is unknown, or isn't one of the program's that is there; or if the program isn't
            ready after `seconds`.
        graphviz.CalledProcessError
            If the program fails; its message is shown.
        """
        options = {"renderer": renderer, "formatter": formatter, "neato_no_op": neato_no_op}
        rendered = self._rendered(format or self.format, engine or self.engine, quiet, options)
        return rendered if encoding is None else rendered.decode(encoding)

    def render(
        self,
        filename: Any = None,
        directory: Any = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        renderer: str | None = None,
        formatter: str | None = None,
        neato_no_op: bool | int | None = None,
        quiet: bool = False,
        quiet_view: bool = False,
        *,
        outfile: Any = None,
        engine: str | None = None,
        raise_if_result_exists: bool = False,
        overwrite_source: bool = False,
    ) -> str:
        """Save the source, render it to a file beside it, and return that file's path.

        Parameters, files and errors are those of `graphviz.Digraph.render`.
        """
        options = {"renderer": renderer, "formatter": formatter, "neato_no_op": neato_no_op}
        checks = {"raise_if_result_exists": raise_if_result_exists, "overwrite_source": overwrite_source}
        if outfile is not None:
            format = self._get_format(Path(outfile), format=format)
        written_as = format or self.format
        rendered = self._rendered(written_as, engine or self.engine, quiet, options)
        target = None if outfile is None else os.path.join(self.directory if directory is None else "", outfile)
        saved_as = filename or (self.filename if target is None else os.path.splitext(target)[0] + _EXTENSION)
        source = os.path.join(self.directory if directory is None else directory, saved_as)
        if target is None:
            target = ".".join([source, *(part for part in (formatter, renderer, written_as) if part)])
        _check_target(source, target, **checks)
        super().save(saved_as, directory=directory, skip_existing=None)
        Path(target).write_bytes(rendered)
        if cleanup:
            os.remove(source)
        if view or quiet_view:
            self._view(target, format=written_as, quiet=quiet_view)
        return target

    def save(
        self,
        filename: Any = None,
        directory: Any = None,
        *,
        skip_existing: bool | None = False,
        scale: float | None = None,
    ) -> str:
        r"""Draw into a file whose name ends in .svg, .pdf, .png or .tex; write the DOT source into any other.

        The layout is our own, so that a figure is the same with and without Graphviz, and the same file, to the byte,
        when it is drawn again. A PDF consists of curves and of text that can be selected, on a page as large as the
        picture. Matplotlib makes PDF and PNG; where it isn't installed, and for a drawing that was changed after `draw`
        had made it, a program draws as in `render`. So does one that ``AUTOGRAD_MINI_RENDERER`` names.

        A .tex file is TikZ, always by our own layout: ``pdflatex`` makes a page of it, as large as the picture, and
        ``\input`` puts it into a document that has ``\usepackage{tikz}``.

        Parameters
        ----------
        filename : str or path, optional
            The file; by default the attribute ``filename``.
        directory : str or path, optional
            The folder of the file, which is made where there is none; by default the attribute ``directory``.
        skip_existing : bool, optional
            Whether to leave a file alone that is there already.
        scale : float, optional
            Of a PNG: how many pixels there are for one of a screen with 96 to the inch; 2 by default.

        Returns
        -------
        str
            The path of the file.

        Raises
        ------
        MissingDependencyError
            If a PDF or a PNG is asked for, and there is no program for it; it says what to install.
        ValueError
            If `scale` isn't a number above 0, isn't for a PNG, or makes one that is too large.
        IsADirectoryError
            If the file is a folder.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from autograd_mini import Value, draw
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = draw(Value(3.0) * 2).save("figure.svg", directory=folder)
        ...     pathlib.Path(path).read_text(encoding="utf-8").count('class="node"')
        4
        """
        name = self.filename if filename is None else os.fsdecode(filename)
        format = os.path.splitext(name)[1][1:].lower()
        scale = figures.checked_scale(scale, format)
        if format not in figures.FORMATS:
            path: str = super().save(filename, directory=directory, skip_existing=skip_existing)
            return path
        target = os.path.join(self.directory if directory is None else os.fsdecode(directory), name)
        if skip_existing and os.path.exists(target):
            return target
        if os.path.isdir(target):
            raise IsADirectoryError(errno.EISDIR, "is a folder; give the name of a file", target)
        drawn = self._figure(format, scale)
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
        with replacing(target) as file:
            file.write(drawn)
        return target

    def _figure(self, format: str, scale: float) -> bytes:
        """Return what `save` writes."""
        if format == "tex":
            return self._tikz(self.engine)
        program = renderers.choose(format)
        is_ours = self._is_as_drawn() and self.engine == "dot" and (program.name == "builtin" or not renderers.wanted())
        if is_ours and (format not in figures.BY_MATPLOTLIB or find_spec("matplotlib") is not None):
            return self._own(format, scale)
        asked = self.copy()
        if format == "png" and program.name != "builtin":
            asked.attr(dpi=svg.short(figures.PIXELS_PER_INCH * scale, 2))
        return asked._rendered(format, self.engine, False, {})

    def _rendered(self, format: str, engine: str, quiet: bool, options: dict[str, Any]) -> bytes:
        """Return the picture as bytes."""
        if format == "tex":  # which no program has
            return self._tikz(engine)
        program = renderers.choose(format)
        self._get_parameters(format=format, engine=engine, verify=True, quiet=quiet, **options)
        if not renderers.has(program, format):
            raise ValueError(
                f"{program.name}, which {renderers.VARIABLE} names, has no format {format!r}; "
                f"unset {renderers.VARIABLE}, or {renderers.advice(format)}"
            )
        if program.name != "builtin":
            return renderers.run(
                program, self.source, format, engine, quiet, self.encoding, seconds=self.seconds, **options
            )
        if format not in figures.FORMATS:
            raise ValueError(
                f"the builtin renderer writes {', '.join(figures.FORMATS)}, not {format!r}; "
                f"for {format} {renderers.advice(format)}"
            )
        if engine != "dot":
            raise ValueError(
                f"the builtin renderer has one engine, 'dot', not {engine!r}; for {engine} {renderers.advice()}"
            )
        return self._own(format)

    def _tikz(self, engine: str) -> bytes:
        if not self._is_as_drawn() or engine != "dot":
            raise ValueError(
                "this drawing, or its engine, was changed after draw() had made it, and TikZ is made only of what "
                "draw() made; change the .tex file instead, which has its colours at its top, or save the drawing as "
                ".pdf"
            )
        return self._own("tex")

    def _is_as_drawn(self) -> bool:
        return self._picture is not None and self.body == self._drawn_body

    def _own(self, format: str, scale: float = figures.SCALE) -> bytes:
        """Return the picture in the layout of our own."""
        if self._picture is None or not self._is_as_drawn():
            raise ValueError(
                "this drawing was changed after draw() had made it, and the builtin renderer draws only what draw() "
                f"made; to render the changed source {renderers.advice()}"
            )
        picture = restyled(self._picture, self._changed())
        return figures.write(picture, arrange(picture), format, scale)


def _check_target(source: str, target: str, raise_if_result_exists: bool, overwrite_source: bool) -> None:
    """Raise where the graphviz package would: for a result that exists or that would overwrite the source."""
    if raise_if_result_exists and overwrite_source:
        raise ValueError("overwrite_source cannot be combined with raise_if_result_exists; choose one of them")
    if os.path.abspath(source) == os.path.abspath(target) and not overwrite_source:
        raise ValueError(
            f"outfile {target!r} must be different from the source file; choose another name, or pass "
            "overwrite_source=True"
        )
    if raise_if_result_exists and os.path.exists(target):
        raise graphviz.FileExistsError(f"output file exists: {target!r}")


# ------------------------------------------------------------------------------------------------ the DOT language


def _html(line: Line, font_size: float) -> str:
    """Return a line of an HTML-like label; an empty tag is a syntax error there."""
    text, size = escape(line.text, quote=False).replace("\\", "\\\\"), line.size(font_size)
    text = f"<B>{text}</B>" if line.bold and text else text
    return text if size == font_size else f'<FONT POINT-SIZE="{svg.short(size)}">{text}</FONT>'


def _literal(text: str) -> Any:
    """Return a text as a string in which DOT finds neither escape sequences nor entities."""
    return graphviz.nohtml(graphviz.escape(text.replace("&", "&amp;")).replace("\n", "\\n"))


def _tooltip(text: str) -> Any:
    """Return a tooltip, in which Graphviz looks for escape sequences twice; an empty one would be the node's name."""
    return _literal(text.replace("\\", "\\\\") or " ")


def _note(picture: Picture) -> dict[str, Any]:
    if not picture.note:
        return {}
    text = {"label": _literal("\n".join(picture.note_lines())), "fontsize": svg.short(FONT_SIZE)}
    return {**text, "fontcolor": picture.note_ink, "labelloc": "b", "labeljust": "l"}


def _node(node: DrawnNode) -> dict[str, Any]:
    styles = ["filled", *(["rounded"] * (node.shape == "rounded")), *(["dashed"] * node.dashed)]
    width, height = node_size(node)
    attributes = {
        "id": node.id,
        "shape": "box" if node.shape == "rounded" else node.shape,
        "style": ",".join(styles),
        "fillcolor": node.fill,
        "color": node.stroke,
        "fontcolor": node.ink,
        "penwidth": svg.short(node.stroke_width, 2),
        "fontsize": svg.short(node.font_size),
        "width": _inches(width),
        "height": _inches(height),
        "tooltip": _tooltip(node.tooltip),
    }
    if node.shape in ("ellipse", "circle"):
        attributes["margin"] = "0"
    if node.doubled:
        attributes["peripheries"] = "2"
    return attributes


def _edge(edge: DrawnEdge, straight: bool) -> dict[str, Any]:
    attributes = {
        "id": edge.id,
        "color": edge.colour,
        "penwidth": svg.short(edge.width, 2),
        "tooltip": _tooltip(edge.tooltip),
    }
    if edge.label:
        attributes |= {"fontcolor": edge.ink, "labeltooltip": attributes["tooltip"]}
        # A label in the middle would bend a line that is to be straight.
        attributes |= {"headlabel" if straight else "label": _backed(edge)}
    if edge.dashed:
        attributes["style"] = "dashed"
    if not edge.arrow:
        attributes["arrowhead"] = "none"
    return attributes


def _backed(edge: DrawnEdge) -> str:
    """Return a label on a ground of its own."""
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0" BGCOLOR="{edge.backing}">'
    return f"<{table}<TR><TD>{escape(edge.label, quote=False)}</TD></TR></TABLE>>"


def _columns(picture: Picture) -> list[list[str]]:
    """Return the ids of the nodes that were given a rank, by rank."""
    columns: dict[int, list[str]] = {}
    for node in picture.nodes:
        if node.rank is not None:
            columns.setdefault(node.rank, []).append(node.id)
    return [columns[rank] for rank in sorted(columns)]


def _inches(points: float) -> str:
    return svg.short(points / _POINTS_PER_INCH, 4)
