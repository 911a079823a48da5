"""The house: imports run downwards only, files stay short, and importing the package stays cheap."""

import ast
from pathlib import Path

import pytest

import autograd_mini

PACKAGE = Path(autograd_mini.__file__).resolve().parent

# From the ground up: a module may import from those that come before it in this list, never from later ones. A name
# that ends in a dot stands for all modules of that room; inside a room any order will do that has no cycle.
RANKING = [
    "errors",
    "reals",
    "files",
    "primitives",
    "readings.",
    "graph",
    "_anomaly",
    "modes",
    "_copying",
    "_protocol",
    "_differentiable",
    "node",
    "naming",
    "value",
    "tracing",
    "engine",
    "elementary",
    "functions",
    "backprop",
    "derivations",
    "python_source",
    "reference",
    "derivatives",
    "nn.",
    "optim.",
    "lectures",
    "vectorizer.",
    "training.",
    "views.",
    "datasets",
    "serialization",
    "estimators",
    "formulas",
    "tables",
    "csv_models",
    "console",
    "stepping",
    "demo",
    "",  # the public names
    "cli",
    "__main__",
]
MODULES = sorted(PACKAGE.rglob("*.py"))
IDS = [path.relative_to(PACKAGE).as_posix() for path in MODULES]


def dotted(path):
    """The name of a module inside the package: "value", "nn.layers", "nn." for a room itself, "" for the top."""
    *rooms, name = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join([*rooms, "" if name == "__init__" else name])


NAMES = {dotted(path): path for path in MODULES}


def rank(name):
    for place, entry in enumerate(RANKING):
        if name == entry or (entry.endswith(".") and name.startswith(entry)):
            return place
    return None


def is_type_checking(test):
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def import_statements(nodes):
    """All imports in a list of syntax trees, inside functions too, but not those for type checkers only."""
    for node in nodes:
        if isinstance(node, ast.If) and is_type_checking(node.test):
            yield from import_statements(node.orelse)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        else:
            yield from import_statements(ast.iter_child_nodes(node))


def inside(name):
    """Where an absolute name lies inside the package, if it does: "nn.module", "nn." for a room, "" for the top."""
    parts = name.split(".")
    if parts[0] != "autograd_mini":
        return None
    here = ".".join(parts[1:])
    return here if here in NAMES else f"{here}." if f"{here}." in NAMES else None


def imported_by(source, module):
    """The modules of the package that a module's source text imports."""
    found = []
    for statement in import_statements([ast.parse(source)]):
        if isinstance(statement, ast.Import):
            found += [inside(alias.name) for alias in statement.names]
            continue
        base = statement.module or ""
        if statement.level:
            room = module.split(".")[: -statement.level]
            base = ".".join(["autograd_mini", *room, *([base] if base else [])])
        for alias in statement.names:
            as_module = inside(f"{base}.{alias.name}")
            found.append(inside(base) if as_module is None else as_module)
    return [name for name in found if name is not None]


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_every_module_has_its_place_in_the_house(path):
    name = dotted(path)
    assert rank(name) is not None, (
        f"{path.name} has no place in the house: put {name!r} into RANKING in tests/test_architecture.py, after all it "
        f"imports and before all that import it, and into the house in CONTRIBUTING.md"
    )


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_imports_run_downwards_only(path):
    name = dotted(path)
    assert rank(name) is not None, f"{name} has no place in the house"
    for imported in imported_by(path.read_text(encoding="utf-8"), name):
        same_room = RANKING[rank(name)].endswith(".") and rank(imported) == rank(name)
        assert rank(imported) is not None, f"{imported} has no place in the house"
        assert same_room or rank(imported) < rank(name), f"{name} imports {imported}, which comes later in RANKING"


def test_no_two_modules_import_each_other_in_a_circle():
    waiting = {name: set(imported_by(path.read_text(encoding="utf-8"), name)) - {name} for name, path in NAMES.items()}
    while waiting:
        ready = {name for name, needs in waiting.items() if not needs & set(waiting)}
        assert ready, f"these import each other in a circle: {sorted(waiting)}"
        for name in ready:
            del waiting[name]


@pytest.mark.parametrize(
    ("source", "module", "found"),
    [
        ("from autograd_mini.value import Value", "graph", ["value"]),
        ("import autograd_mini.value as v", "graph", ["value"]),
        ("from autograd_mini import modes, Value", "graph", ["modes", ""]),
        ("def f():\n    from autograd_mini.nn import MLP", "graph", ["nn."]),
        ("from autograd_mini.nn import module", "graph", ["nn.module"]),
        ("from .value import Value", "graph", ["value"]),
        ("from . import value", "graph", ["value"]),
        ("from ..value import Value", "nn.module", ["value"]),
        ("from . import module", "nn.layers", ["nn.module"]),
        ("try:\n    import autograd_mini\nexcept ImportError:\n    pass", "graph", [""]),
        ("if TYPE_CHECKING:\n    from autograd_mini.value import Value", "graph", []),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    from autograd_mini.value import Value", "graph", ["value"]),
        ("import numpy\nfrom os import path", "graph", []),
    ],
)
def test_the_imports_of_a_module_are_read_from_its_source(source, module, found):
    assert imported_by(source, module) == found


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_no_file_is_longer_than_400_lines(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 400, f"{path.name} has {lines} lines: what in it could be a module of its own?"


def test_value_is_short_enough_for_newcomers():
    lines = len((PACKAGE / "value.py").read_text(encoding="utf-8").splitlines())
    assert lines <= 300, f"value.py has {lines} lines; it is what newcomers open first"


def test_the_table_of_primitives_imports_nothing_of_the_package():
    assert imported_by((PACKAGE / "primitives.py").read_text(encoding="utf-8"), "primitives") == []


HEAVY = ["graphviz", "tqdm", "matplotlib", "anywidget", "sklearn", "scipy", "IPython", "jax", "torch", "pandas"]


def test_importing_the_package_imports_no_heavy_module(run_python):
    code = f"import autograd_mini, sys; print([name for name in {HEAVY} if name in sys.modules])"
    assert run_python(code).strip() == "[]"


def test_every_public_name_is_there():
    assert [name for name in autograd_mini.__all__ if not hasattr(autograd_mini, name)] == []
    assert sorted(autograd_mini.__all__) == list(autograd_mini.__all__)
    assert len(set(autograd_mini.__all__)) == len(autograd_mini.__all__)


def test_star_import_hides_no_function_of_pythons():
    import builtins

    assert [name for name in autograd_mini.__all__ if hasattr(builtins, name)] == []
