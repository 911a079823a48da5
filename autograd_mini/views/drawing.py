"""`Drawing`, a `graphviz.Digraph` that renders on every machine. It is imported when something is drawn, not before."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import graphviz

from autograd_mini.views import dot_source, renderers
from autograd_mini.views.picture import Picture

_EXTENSION = ".gv"


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """A picture in the DOT language: a `graphviz.Digraph` with all its methods.

    It is rendered by the first of these that is there: Graphviz's ``dot``, the ``graphviz-pure`` program, the layout of
    our own, which writes SVG only. The environment variable ``AUTOGRAD_MINI_RENDERER`` chooses one of ``dot``,
    ``graphviz-pure`` and ``builtin``. The format is SVG unless another one is asked for.

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

    _picture: Picture | None = None
    _drawn_source = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # subgraph() and copy() of the graphviz package hand over format=None or what the drawing has.
        kwargs["format"] = kwargs.get("format") or "svg"
        super().__init__(*args, **kwargs)

    @classmethod
    def of(cls, picture: Picture) -> Drawing:
        """Return the drawing of a picture."""
        drawing = cls(
            graph_attr=dot_source.graph_attributes(picture),
            node_attr=dot_source.node_attributes(),
            edge_attr=dot_source.edge_attributes(),
        )
        dot_source.add_to(drawing, picture)
        drawing._picture, drawing._drawn_source = picture, drawing.source
        return drawing

    def copy(self) -> Drawing:
        """Return a copy of the drawing."""
        copied: Drawing = super().copy()
        copied._picture, copied._drawn_source = self._picture, self._drawn_source
        return copied

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
            If the format or the engine is unknown, or isn't one of the program's that is there.
        graphviz.CalledProcessError
            If the program fails; its message is shown.
        """
        program = renderers.choose()
        options = {"renderer": renderer, "formatter": formatter, "neato_no_op": neato_no_op}
        if program.name == "dot":
            return super().pipe(format=format, quiet=quiet, engine=engine, encoding=encoding, **options)
        rendered = self._rendered(program, format or self.format, engine or self.engine, quiet, options)
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
        program = renderers.choose()
        if program.name == "dot":
            rest = {"quiet": quiet, "quiet_view": quiet_view, "outfile": outfile, "engine": engine, **options, **checks}
            path = super().render(
                filename=filename, directory=directory, view=view, cleanup=cleanup, format=format, **rest
            )
            return str(path)
        if outfile is not None:
            format = self._get_format(Path(outfile), format=format)
        written_as = format or self.format
        rendered = self._rendered(program, written_as, engine or self.engine, quiet, options)
        target = None if outfile is None else _outfile(outfile, self.directory if directory is None else None)
        saved_as = filename or (self.filename if target is None else os.path.splitext(target)[0] + _EXTENSION)
        source = os.path.join(self.directory if directory is None else directory, saved_as)
        if target is None:
            target = ".".join([source, *(part for part in (formatter, renderer, written_as) if part)])
        _check_target(source, target, **checks)
        self.save(saved_as, directory=directory, skip_existing=None)
        _write(target, rendered)
        if cleanup:
            os.remove(source)
        if view or quiet_view:
            self._view(target, format=written_as, quiet=quiet_view)
        return target

    def _rendered(
        self, program: renderers.Program, format: str, engine: str, quiet: bool, options: dict[str, Any]
    ) -> bytes:
        """Return the picture as bytes, from a program other than ``dot``."""
        self._get_parameters(format=format, engine=engine, verify=True, quiet=quiet, **options)
        if program.name == "builtin":
            return renderers.draw_builtin(self._own_picture(), format, engine)
        return renderers.run(program, self.source, format, engine, quiet, self.encoding, **options)

    def _own_picture(self) -> Picture:
        if self._picture is None or self.source != self._drawn_source:
            raise ValueError(
                "this drawing was changed after draw() had made it, and the builtin renderer draws only what draw() "
                f"made; to render the changed source {renderers.ADVICE}"
            )
        return self._picture


def _outfile(outfile: Any, directory: str | None) -> str:
    return os.fspath(outfile) if directory is None else os.path.join(directory, outfile)


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


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
