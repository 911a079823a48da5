"""The house: imports run downwards only, without circles, and importing the package stays cheap."""

import ast
from pathlib import Path

import pytest

import autograd_mini

PACKAGE = Path(autograd_mini.__file__).resolve().parent

# From the ground up: a room may import from those that come before it, never from later ones. Inside a room any order
# will do that has no circle. A file at the package's top is a room of its own.
ROOMS = [
    *("errors", "checks", "files", "elsewhere", "pickling", "progress"),
    "engine",
    "graph",  # the public door to engine/graph
    "formulas",
    "explanations",
    "nn",
    "micrograd",  # its programs import these names
    "optim",
    "lectures",
    "native",
    "vectorizer",
    "training",
    "estimators",  # imported by itself alone: it needs scikit-learn
    "views",
    "teaching",
    *("datasets", "serialization", "interchange"),
    "",  # the public names
    "cli",
    "__main__",
]
MODULES = sorted(PACKAGE.rglob("*.py"))


def dotted(path):
    """The name of a module inside the package: "engine.value", "nn" for a room's own file, "" for the top."""
    *rooms, name = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join([*rooms, *([] if name == "__init__" else [name])])


NAMES = {dotted(path): path for path in MODULES}
FACES = {dotted(path) for path in MODULES if path.name == "__init__.py"}


def room(name):
    return name.partition(".")[0]


def inside(name):
    """The module of the package in which an absolute name lies; None outside of the package."""
    if name.split(".")[0] != "autograd_mini":
        return None
    here = name.partition(".")[2]
    while here and here not in NAMES:
        here = here.rpartition(".")[0]
    return here


def imported_by(source, module):
    """The modules that a source text imports: also for type checkers only, inside functions, and by import_module."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                rooms = module.split(".") if module in FACES else module.split(".")[:-1]
                base = ".".join(["autograd_mini", *rooms[: len(rooms) - node.level + 1], *([base] if base else [])])
            found += [f"{base}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module":
            found += [part.value for part in node.args[:1] if isinstance(part, ast.Constant)]
    return [place for place in map(inside, found) if place is not None and place != module]


IMPORTS = {name: set(imported_by(path.read_text(encoding="utf-8"), name)) for name, path in NAMES.items()}


def test_every_file_lies_in_a_room():
    assert {room(name) for name in NAMES} <= set(ROOMS), (
        "put a new room into ROOMS, and into the house in CONTRIBUTING.md"
    )


def test_imports_run_downwards_only():
    upwards = [
        f"{name} imports {imported}"
        for name, found in IMPORTS.items()
        for imported in found
        if ROOMS.index(room(imported)) > ROOMS.index(room(name))
    ]
    assert upwards == []


def test_no_files_import_each_other_in_a_circle():
    # What a room's own file hands on is imported where it is defined; and all of them run the package's.
    waiting = {name: found - FACES for name, found in IMPORTS.items() if name not in FACES}
    while waiting:
        ready = {name for name, needs in waiting.items() if not needs & set(waiting)}
        assert ready, f"these import each other in a circle, or hang on one: {sorted(waiting)}"
        for name in ready:
            del waiting[name]


@pytest.mark.parametrize(
    ("source", "module", "found"),
    [
        ("from autograd_mini.engine.value import Value", "graph", ["engine.value"]),
        ("import autograd_mini.engine.value as v", "graph", ["engine.value"]),
        ("from autograd_mini import graph, Value", "files", ["graph", ""]),
        ("def f():\n    from autograd_mini.nn import MLP", "graph", ["nn"]),
        ("from autograd_mini.nn import module", "graph", ["nn.module"]),
        ("from .value import Value", "engine.graph", ["engine.value"]),
        ("from . import value", "engine.graph", ["engine.value"]),
        ("from ..graph import edges", "nn.module", ["graph"]),
        ("from .module import Module", "nn", ["nn.module"]),
        ("try:\n    import autograd_mini\nexcept ImportError:\n    pass", "graph", [""]),
        ("if TYPE_CHECKING:\n    from autograd_mini.engine.value import Value", "graph", ["engine.value"]),
        ("import_module('autograd_mini.views.digraph')", "graph", ["views.digraph"]),
        ("importlib.import_module('autograd_mini.views')", "graph", ["views"]),
        ("import numpy\nfrom os import path", "graph", []),
    ],
)
def test_the_imports_of_a_module_are_read_from_its_source(source, module, found):
    assert imported_by(source, module) == found


def test_value_is_short_enough_for_newcomers():
    lines = len(NAMES["engine.value"].read_text(encoding="utf-8").splitlines())
    assert lines <= 300, f"value.py has {lines} lines; it is what newcomers open first"


def test_the_table_of_primitives_imports_nothing_of_the_package():
    assert IMPORTS["engine.primitives"] == set()


HEAVY = [
    "graphviz",
    "tqdm",
    "matplotlib",
    "anywidget",
    "sklearn",
    "scipy",
    "IPython",
    "jax",
    "torch",
    "pandas",
    "networkx",
]


def test_importing_the_package_imports_no_heavy_module(run_python):
    code = f"import autograd_mini, sys; print([name for name in {HEAVY} if name in sys.modules])"
    assert run_python(code).strip() == "[]"


def test_every_public_name_is_there():
    assert [name for name in autograd_mini.__all__ if not hasattr(autograd_mini, name)] == []
    assert sorted(autograd_mini.__all__) == list(autograd_mini.__all__)
    assert len(set(autograd_mini.__all__)) == len(autograd_mini.__all__)


def test_what_completion_lists_is_public():
    listed = [name for name in dir(autograd_mini) if not name.startswith("__")]
    assert set(listed) == {*autograd_mini.__all__, "abs", "pow", "sum", "derivatives", "functions"}
    assert "__version__" in dir(autograd_mini)


def test_star_import_hides_no_function_of_pythons():
    import builtins

    assert [name for name in autograd_mini.__all__ if hasattr(builtins, name)] == []
