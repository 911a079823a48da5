"""`step_through`: the forward and the backward pass of a graph, to be stepped through in a notebook or in a page."""

from __future__ import annotations

import errno
import operator
import os
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from autograd_mini.checks import checked_choice
from autograd_mini.engine.own import OwnOperation
from autograd_mini.engine.reals import as_float
from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import NamedGraph, Names, named
from autograd_mini.files import check_folder, replacing, write_text
from autograd_mini.views import page
from autograd_mini.views.stepper import pictures, widgets
from autograd_mini.views.stepper.exercise import Exercise, masked
from autograd_mini.views.stepper.exercise import exercise as exercise_of
from autograd_mini.views.stepper.payload import payload, step_count

_COLLAPSE = (None, "neuron", "layer")
_GRAINS = ("node", "edge")


class Stepper:
    """The two stages of backpropagation, step by step; made by `step_through`.

    A notebook shows it. Its numbers are those of the graph at the time when it was made; as text, and as an animation,
    those of the graph at that time. Where anywidget is installed,
    the pages in a live notebook share their step with `step`: ``stepper.step = 7`` moves the pages, and `observe` calls
    a function when the reader moves.

    Attributes
    ----------
    root : Value
        L, the root of the graph.
    """

    def __init__(
        self,
        graph: NamedGraph,
        what_if: list[Value],
        collapse: str | None,
        lr: float,
        grain: str,
        exercise: Exercise | None = None,
    ) -> None:
        self.root = graph.root
        self._graph, self._collapse, self._exercise = graph, collapse, exercise
        self._records = payload(graph)
        order = graph.order
        position = {node: k for k, node in enumerate(order)}
        moved = [position[leaf] for leaf in what_if]
        has_own = any(isinstance(node.primitive, OwnOperation) for node in order)  # then a page can't compute it anew
        parameters = [position[node] for node in order if node.kind == "parameter" and not has_own]
        self._step = 0
        self._joint: Any = None
        self._options: dict[str, Any] = {
            "whatIf": moved,
            "sgd": sorted({*moved, *parameters}),
            "lr": lr,
            "grain": grain,
        }

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or another process needs: the widgets belong to this kernel's pages."""
        state = {name: thing for name, thing in vars(self).items() if name != "widget"}
        if self._joint is not None:
            state["_step"], state["_options"] = self.step, {**self._options, "grain": self._joint.grain}
        return {**state, "_joint": None}

    @cached_property
    def payload(self) -> dict[str, Any]:
        """The data of the page, ready for JSON: the records, the drawings and the options; of an exercise, masked."""
        views = pictures.views(self._graph, self._records)
        if self._exercise is not None:
            shown = {"views": [vars(views[0])], "opened": [], "view": 0, "exercise": self._exercise.data()}
            return {"note": "", **masked({**self._records, **self._options, **shown})}
        opened = pictures.opened_views(self._graph, self._records, views)
        return {
            **self._records,
            **self._options,
            "views": [vars(view) for view in views],
            "opened": [vars(view) for view in opened],
            "view": pictures.first(views, self._collapse),
        }

    # ------------------------------------------------------------------------------------------------- the step

    @property
    def step(self) -> int:
        """The step that is shown, from 0, which is before the forward pass, to `count`; at first where the page begins.

        Examples
        --------
        >>> from autograd_mini import Value
        >>> x = Value(3.0, label="x")
        >>> stepper = step_through(x * x)
        >>> stepper.step = stepper.count
        >>> stepper.step
        4
        """
        return self._step if self._joint is None else int(self._joint.step)

    @step.setter
    def step(self, step: int) -> None:
        self._step = self._checked(step)
        if self._joint is not None:
            self._joint.step = self._step

    @property
    def count(self) -> int:
        """How many steps there are, in the grain of the page: by node or by edge."""
        return step_count(self._records, self._grain)

    @property
    def _grain(self) -> str:
        return str(self._options["grain"] if self._joint is None else self._joint.grain)

    def _checked(self, step: Any) -> int:
        try:
            number = operator.index(step)
        except TypeError:
            raise TypeError(f"step: expected a whole number, got {type(step).__name__}") from None
        if not 0 <= number <= self.count:
            raise ValueError(f"step: expected a number from 0 to {self.count}, the last step, got {number}")
        return number

    def observe(self, handler: Callable[[Any], Any], names: Any = "step") -> None:
        """Call a function whenever the step changes, be it by the reader or by ``stepper.step = …``.

        Parameters
        ----------
        handler : callable
            Takes a change as `traitlets` has it: ``change["new"]`` is the step, ``change["old"]`` the one before.
        names : str or list of str, optional
            ``"step"``, or ``"grain"``, which is "node" or "edge".

        Raises
        ------
        MissingDependencyError
            If anywidget isn't installed.
        """
        self._joined.observe(handler, names=names)

    def unobserve(self, handler: Callable[[Any], Any], names: Any = "step") -> None:
        """Call a function no more that was given to `observe`."""
        self._joined.unobserve(handler, names=names)

    def on_step(self, callback: Callable[[int], Any]) -> None:
        """Call a function with the number of the step whenever it changes; as `observe`, but simpler.

        Raises
        ------
        MissingDependencyError
            If anywidget isn't installed.
        """
        self.observe(lambda change: callback(change["new"]))

    @property
    def _joined(self) -> Any:
        """The widget that the pages join themselves to."""
        if self._joint is None:
            self._joint = widgets.joint(self._step, self._options["grain"])
        return self._joint

    @cached_property
    def widget(self) -> Any:
        """The stepper as an anywidget, to be put beside others: into an ``ipywidgets.VBox``, or ``mo.ui.anywidget``.

        It is also for notebooks that keep each output apart from the page, as Colab does: what is shown there by itself
        is interactive, but finds no kernel.

        Raises
        ------
        MissingDependencyError
            If anywidget isn't installed.
        """
        if self._exercise is not None:
            raise ValueError("widget: an exercise isn't one; show the stepper by itself, or .save a page")
        return widgets.view(self._joined, page.packed(self.payload), self.html())

    # ------------------------------------------------------------------------------------------------ the outputs

    @property
    def _title(self) -> str:
        root = self._records["nodes"][-1]["name"]
        return f"Backpropagation, step by step: the computational graph of {root}"

    def html(self) -> str:
        """Return the stepper as a piece of HTML that needs nothing else; each call has an id of its own.

        Examples
        --------
        >>> from autograd_mini import Value
        >>> x = Value(3.0, label="x")
        >>> step_through(x * x).html().count("<script>")
        1
        """
        return self._page()

    def _page(self, joined: str = "") -> str:
        """Return the page; `joined` is the name of the widget that it joins itself to."""
        payload = self.payload
        data = {**payload, "step": self.step, "joined": joined}
        if self._exercise is not None:
            return page.fragment("exercise", pictures.blank(self._graph, self._records), self._title, data)
        return page.fragment("stepper", payload["views"][payload["view"]]["svg"], self._title, data)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the stepper into a file: an interactive page, or a drawing that plays by itself.

        Parameters
        ----------
        path : str or path
            ``"….html"`` for a page that needs no network; ``"….svg"`` for an animated drawing, as for a README.

        Returns
        -------
        Path
            Where it was written.

        Raises
        ------
        ValueError
            If the name ends otherwise.
        FileNotFoundError
            If there is no such folder.
        """
        target = Path(path)
        ending = target.suffix.lower()
        check_folder(target)
        if ending in (".html", ".htm"):
            text = page.document(self._title, self._page())
        elif ending == ".svg" and self._exercise is not None:
            raise ValueError('path: an animation would show what the exercise asks; save it as "….html"')
        elif ending == ".svg":
            from autograd_mini.views.stepper.animation import animated_svg

            text = animated_svg(self._graph.now())
        else:
            raise ValueError(
                f'path: expected a name that ends in .html (an interactive page) or .svg (an animation), got "{target}"'
            )
        write_text(target, text)
        return target

    def save_steps(self, folder: str | os.PathLike[str], format: str = "pdf", scale: float | None = None) -> list[Path]:
        """Write one picture for each step into a folder: ``step-001.pdf``, ``step-002.pdf``, …, as for slides.

        All are of one size and have one layout. Each shows the values and the gradients that are known by then, what
        the step computes, and the arithmetic of it. The steps are those of the page, by node or by edge as its
        ``grain`` says, and what is folded is what ``collapse`` said; the numbers are those of the graph at this time.

        Parameters
        ----------
        folder : str or path
            Is made where there is none. Pictures of the same names in it are replaced.
        format : {"pdf", "png", "svg", "tex"}, optional
            Of the pictures; PDF and PNG need Matplotlib, and "tex" is TikZ, as of ``draw(root).save``.
        scale : float, optional
            Of PNGs: how many pixels there are for one of a screen with 96 to the inch; 2 by default.

        Returns
        -------
        list of Path
            The files, in the order of the steps.

        Raises
        ------
        ValueError
            If there is no such format, `scale` doesn't fit it, the graph has too many nodes to be read, or it is an
            exercise.
        FileExistsError
            If pictures of more steps are in the folder, which would be taken for steps of this graph.
        MissingDependencyError
            If Matplotlib is needed and isn't installed.

        Examples
        --------
        >>> import tempfile
        >>> from autograd_mini import Value
        >>> x = Value(3.0, label="x")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     paths = step_through(x * x).save_steps(folder, format="svg")
        >>> [path.name for path in paths]
        ['step-001.svg', 'step-002.svg', 'step-003.svg', 'step-004.svg']
        """
        from autograd_mini.views import figures
        from autograd_mini.views.stepper.step_pictures import step_pictures

        if self._exercise is not None:
            raise ValueError('pictures of the steps would show what the exercise asks; .save("….html") writes its page')
        checked_choice("format", format, figures.FORMATS)
        scale = figures.checked_scale(scale, format)
        place = Path(folder)
        width = max(3, len(str(self.count)))
        paths = [place / f"step-{i:0{width}}.{format}" for i in range(1, self.count + 1)]
        others = sorted({*place.glob(f"step-*.{format}")} - {*paths})
        if others:
            raise FileExistsError(
                errno.EEXIST,
                f"is no picture of these {len(paths)} steps; remove it, or choose another folder",
                str(others[0]),
            )
        if place.exists() and not place.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "is no folder; choose another name", str(place))
        pictures, layout = step_pictures(self._graph.now(), self._grain, self._collapse)
        drawn = [figures.write(picture, layout, format, scale) for picture in pictures]
        place.mkdir(parents=True, exist_ok=True)
        for path, content in zip(paths, drawn, strict=True):
            with replacing(path) as file:
                file.write(content)
        return paths

    def __str__(self) -> str:
        if self._exercise is not None:
            return f"{self!r}; a notebook shows it, and .save writes a page"
        from autograd_mini.views.stepper.terminal import text_steps

        return text_steps(self._graph.now(), colour=False)

    def __repr__(self) -> str:
        nodes = self._records["nodes"]
        count = f"{len(nodes)} node{'' if len(nodes) == 1 else 's'}"
        asked = "" if self._exercise is None else f", an exercise with {len(self._exercise.questions)} to fill in"
        return f"<Stepper of {nodes[-1]['name']}: {count}{asked}>"

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        joined = self._joined.name if self._joint is not None or widgets.is_possible_here() else ""
        return {"text/html": self._page(joined), "text/plain": repr(self)}

    def _mime_(self) -> tuple[str, str]:
        # What marimo asks for: it puts HTML into its page without running scripts.
        return "text/html", page.frame(self._title, self._page())


def step_through(
    root: Value,
    names: Names | None = None,
    what_if: Iterable[Value] = (),
    collapse: str | None = None,
    lr: float = 0.1,
    grain: str = "node",
    max_nodes: int = 95_000,
    exercise: bool = False,
    hide: str = "gradients",
    tries: int = 3,
    seed: int | None = None,
) -> Stepper:
    """Step through the forward and the backward pass of a graph, with the arithmetic of every step.

    A notebook shows the graph with buttons, a slider and keys to step with. A click on a node gives all of its chain
    rule, its finite difference, and the reason where its gradient is zero; a click on an edge gives its local
    derivative in names and in numbers, and its contribution. "Predict" asks for each gradient before it is shown. No
    ``.grad`` is touched. If leaves have changed since the graph was computed, a line says so, and old results stand
    alone; sliders begin at the graph computed again.

    Parameters
    ----------
    root : Value
        L, the root of the graph.
    names : mapping, optional
        Variables, as in ``names=locals()``, to name the nodes that have no label.
    what_if : list of Value, optional
        Leaves that get a slider: the page computes both passes again when one is moved.
    collapse : {"neuron", "layer"}, optional
        What is folded into boxes to begin with; by default nothing, or what must be for the graph to be readable.
    lr : float, optional
        The learning rate η of the button that takes one step θ ← θ − η ∇L on all parameters and leaves in `what_if`.
    grain : {"node", "edge"}, optional
        Whether a step of the backward pass is a node with the sum of all its contributions, or one contribution.
    max_nodes : int, optional
        The most nodes, and half of the most edges, of a graph that is stepped through; larger ones take long.

    exercise : bool, optional
        Whether the reader fills in what `hide` says, in the order of the steps: a number, or an expression such as
        ``1-0.6044^2``, right within half a percent. What is wrong is diagnosed; after the last try the number is given.
        At the end the page shows a score and a code, which `teaching.check_code` verifies. Numbers that aren't finite
        are given. Cards and what-if come when all is filled in. The page holds its numbers masked.
    hide : {"gradients", "local", "both"}, optional
        What an exercise asks: gradients, with the local derivatives given; or local derivatives, in the forward pass,
        with the gradients then given step by step; or first the one, then the other.
    tries : int, optional
        How many answers to a question an exercise takes, from 1 to 15.
    seed : int, optional
        An exercise with numbers of its own, for one student each: each leaf's number times 0.5 to 1.5, in two digits,
        signs, zeros and constants kept. The graph itself doesn't change. By default its own numbers.

    Returns
    -------
    Stepper
        A notebook shows it; ``.save("backprop.html")`` writes a page, ``.save("backprop.svg")`` an animation,
        ``.save_steps("folder")`` a picture for each step, and ``print`` gives the same steps as text.

    Raises
    ------
    TypeError
        If `root` isn't a Value, or an option has the wrong type.
    ValueError
        If a node in `what_if` isn't a leaf of the graph, an option has no such value, or the graph is too large.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> step_through(a * b + a, what_if=[a])
    <Stepper of L: 4 nodes>
    """
    if not isinstance(root, Value):
        raise TypeError(
            f"step_through takes a Value, the root of a graph such as a loss, not {type(root).__name__}; "
            "of a module, step through what it returns for an example"
        )
    if collapse not in _COLLAPSE:
        raise ValueError(f'collapse: expected "neuron", "layer" or None, got {collapse!r}')
    if grain not in _GRAINS:
        raise ValueError(f'grain: expected "node" or "edge", got {grain!r}')
    rate = _learning_rate(lr)
    graph = named(root, names, max_nodes, "step_through")
    leaves = _leaves(graph, what_if)
    if exercise:
        if leaves or collapse is not None or grain != "node":
            option = "what_if" if leaves else "collapse" if collapse is not None else "grain"
            raise ValueError(f"{option}: an exercise has none; it asks node by node, on numbers that stay")
        pictures.check_open(graph)
        asked = exercise_of(graph, hide, tries, seed)
        return Stepper(asked.graph, [], None, rate, grain, asked)
    if (hide, tries, seed) != ("gradients", 3, None):
        raise ValueError("hide, tries and seed are options of an exercise; add exercise=True")
    if collapse is not None:
        pictures.check_fold(graph, collapse)
    return Stepper(graph, leaves, collapse, rate, grain)


def _learning_rate(lr: Any) -> float:
    rate = as_float(lr)
    if not 0.0 < rate < float("inf"):
        raise ValueError(f"lr: expected a positive number, got {lr!r}")
    return rate


def _leaves(graph: NamedGraph, what_if: Any) -> list[Value]:
    """Return the leaves to move, each once.

    Raises
    ------
    TypeError
        If it is no list of Values.
    ValueError
        If one of them isn't a leaf of the graph.
    """
    if isinstance(what_if, (Value, str)) or not isinstance(what_if, Iterable):
        raise TypeError(f"what_if: expected a list of leaves, as in what_if=[w, b], got {type(what_if).__name__}")
    chosen = list(what_if)
    inside = set(graph.order)
    own = next((node.primitive for node in graph.order if isinstance(node.primitive, OwnOperation)), None)
    if chosen and own is not None:
        raise TypeError(f"what_if: {own.refusal()}")
    for node in chosen:
        if not isinstance(node, Value):
            raise TypeError(f"what_if: expected Values, leaves of the graph, got {type(node).__name__} in the list")
        called = f"{node.label!r}" if node.label else f"one with data {node.data!r}"
        if node.primitive is not None:
            raise ValueError(f"what_if: only leaves can be moved, and {called} was computed by {node.primitive.name}")
        if node not in inside:
            raise ValueError(f"what_if: no path leads from {called} to the root; choose leaves of this graph")
    return list(dict.fromkeys(chosen))
