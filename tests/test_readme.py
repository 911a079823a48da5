"""README and the pages of docs/: their Python runs as it stands there, links lead somewhere, claims are true."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from autograd_mini import Value, elsewhere
from autograd_mini.engine.primitives import PRIMITIVES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_SCREEN = README.partition("\n## ")[0]
MEASURED = README.partition("\n## What was measured\n")[2].partition("\n## ")[0]
EVENING = README.partition("\n## Read it in an evening\n")[2].partition("\n## ")[0]
FILES = re.findall(r"^\d+\. `([\w/]+\.py)`", EVENING, flags=re.M)
FURTHER = re.findall(r"`(\w+)\.(\w+)` in `([\w/]+\.py)`", EVENING)


def written(path):
    """Whether somebody wrote a page: not a copy that building the site makes."""
    inside = path.relative_to(ROOT / "docs").parts
    return inside[0] != "lessons" and not any(part.startswith("_") for part in inside)


PAGES = [ROOT / "README.md", *filter(written, sorted((ROOT / "docs").rglob("*.md")))]
WRITTEN = {"README.md": "graph.svg", "docs/tour.md": "backprop.html"}  # what a run leaves behind
OTHERS = [ROOT / "CONTRIBUTING.md", *(ROOT / folder / "README.md" for folder in ("notebooks", "benchmarks"))]


def name(path):
    return path.relative_to(ROOT).as_posix()


def tree(file):
    return ast.parse((ROOT / "autograd_mini" / file).read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------------- what stands in all


def blocks(page):
    """The Python of a page, each with what a line before it says that it needs: <!-- needs: onnx onnxruntime -->."""
    text = page.read_text(encoding="utf-8")
    return re.findall(r"(?:^<!-- needs: ([\w -]+) -->\n)?^```python\n(.*?)^```", text, flags=re.M | re.S)


def runs():
    """Each page without what needs a package of its own, and with what needs each of them."""
    for page in PAGES:
        needs = {need for need, _ in blocks(page)}
        for need in sorted(needs):
            marks = [pytest.mark.needs(*need.split())] if need else []
            if "" in needs or need:
                yield pytest.param(page, {"", need}, marks=marks, id=" ".join([name(page), need]).strip())


@pytest.mark.parametrize(("page", "needs"), list(runs()))
def test_the_blocks_of_a_page_run_in_their_order(page, needs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    variables = {"__name__": "__main__"}
    for need, block in blocks(page):
        if need in needs:
            exec(compile(block, name(page), "exec"), variables)
    if name(page) in WRITTEN:
        assert "∂L/∂w" in capsys.readouterr().out
        assert (tmp_path / WRITTEN[name(page)]).exists()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_code_in_a_page_is_no_wider_than_the_page(page):
    shown = re.findall(r"^```(?:python|pycon|text)\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    assert [line for block in shown for line in block.splitlines() if len(line) > 84] == []


def anchors(path):
    """What the headings of a page are called in links, as code hosts and MyST make it of them."""
    headings = re.findall(r"^#+ (.*)", path.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=name)
def test_the_links_of_a_page_lead_to_files_and_headings_that_are_there(page):
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("https://", "http://")):
            path, _, anchor = target.partition("#")
            aim = (page.parent / path).resolve() if path else page
            assert aim.exists(), target
            assert aim.is_relative_to(ROOT)
            assert not anchor or anchor in anchors(aim), target


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_a_page_includes_is_there_and_not_empty(page):
    text = page.read_text(encoding="utf-8")
    for path, options in re.findall(r"^```\{(?:include|literalinclude)\} (\S+)\n((?::.*\n)*)```", text, flags=re.M):
        if not path.startswith("_generated/"):
            included = (page.parent / path).read_text(encoding="utf-8")
            marks = re.findall(r'^:(?:start|end)-(?:after|before|at): "(.*)"', options, flags=re.M)
            for mark in marks:  # each is looked for behind the one before it
                before, found, included = included.partition(mark)
                assert found, mark
            assert len(marks) < 2 or len(before) > 100, "little stands between the marks"


# ---------------------------------------------------------------------------------------------------------- README


def test_the_first_screen_has_the_animation_the_two_commands_and_ten_lines():
    assert "](notebooks/images/backprop.svg)" in FIRST_SCREEN
    (commands,) = re.findall(r"^```\n(.*?)^```", FIRST_SCREEN, flags=re.M | re.S)
    assert commands.splitlines() == ["pip install . && python -m autograd_mini", 'pip install ".[test]" && pytest']
    (code,) = re.findall(r"^```python\n(.*?)^```", FIRST_SCREEN, flags=re.M | re.S)
    assert len([line for line in code.splitlines() if line and not line.startswith("from ")]) == 10


def test_it_is_short():
    assert len(README.split()) <= 1150


@pytest.mark.needs("scikit-learn")
def test_what_it_names_for_other_programs_is_there():
    from autograd_mini import estimators, interchange

    (line,) = re.findall(r"^- \*\*Other programs\.\*\*(.*?)^- ", README, flags=re.M | re.S)
    names = re.findall(r"`(\w+)`", line)
    assert {"MLPClassifier", "save_graph", "from_torch", "to_torch", "export_onnx", "from_sklearn"} <= set(names)
    assert [name for name in names if not hasattr(interchange, name) and not hasattr(estimators, name)] == []


def test_all_is_all_extras_for_users_but_torch():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = re.search(r'^all = \["autograd-mini\[(.*?)\]"\]', project, flags=re.M)[1].split(",")
    told = re.findall(r"`(\w+)`", README.partition("Extras: ")[2].partition("`all`")[0])
    assert set(told) == {*extras, "torch"}


def numbers(text):
    return {number.rstrip(".,") for number in re.findall(r"\d[\d,.]*", text)}


@pytest.mark.parametrize("row", re.findall(r"^\| [^w|-].*", MEASURED, flags=re.M))
def test_each_figure_of_the_measured_stands_in_the_files_that_it_names(row):
    _, _, figures, where, _ = row.split("|")
    files = re.findall(r"\]\((.*?)\)", where)
    measured = [numbers((ROOT / file).read_text(encoding="utf-8").replace("+", " ")) for file in files]
    assert numbers(figures)
    for figure in numbers(figures):
        assert any(figure in found for found in measured), f"{figure} isn't in {files}"


def told(row):
    return re.search(rf"^\| {row}.*?\|(.*?)\|", MEASURED, flags=re.M)[1]


def test_what_is_at_most_is_the_most_of_what_was_measured():
    ulp = re.findall(
        r"^ulp of .*?  (.*)≤", (ROOT / "benchmarks/reliability.txt").read_text(encoding="utf-8"), flags=re.M
    )
    assert len(ulp) > 30
    assert f"{max(float(number) for line in ulp for number in re.findall(r'[0-9.]+', line)):.2f}" in told(
        "one operation"
    )
    held_out = re.findall(
        r"([+-]\d+\.\d+)$", (ROOT / "benchmarks/held_out.txt").read_text(encoding="utf-8"), flags=re.M
    )
    assert len(held_out) == 3
    assert f"{max(abs(float(difference)) for difference in held_out):.2f}" in told("accuracy")


def test_the_files_for_an_evening_have_as_many_lines_as_it_says():
    said = int(re.search(r"about ([\d,]+) lines", EVENING)[1].replace(",", ""))
    lines = sum(len((ROOT / "autograd_mini" / file).read_text(encoding="utf-8").splitlines()) for file in FILES)
    assert len(FILES) >= 5
    assert abs(lines - said) <= 50, f"they have {lines} lines now"
    assert said <= 1500, "too many for an evening"


def test_a_third_of_their_lines_are_docstrings():
    assert "a third of them\ndocstrings" in EVENING
    lines = sum(len((ROOT / "autograd_mini" / file).read_text(encoding="utf-8").splitlines()) for file in FILES)
    found = 0
    for file in FILES:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
                found += node.body[0].end_lineno - node.body[0].lineno + 1
    assert found / lines == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize("file", FILES)
def test_a_file_for_an_evening_imports_none_that_is_read_after_it(file):
    later = {name.removesuffix(".py").replace("/", ".") for name in FILES[FILES.index(file) + 1 :]}
    imported = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.ImportFrom):
            room = node.module.removeprefix("autograd_mini.")
            imported |= {room, *(f"{room}.{alias.name}" for alias in node.names)}
    assert imported & later == set()


@pytest.mark.parametrize(("owner", "method", "file"), FURTHER)
def test_what_to_read_next_is_there(owner, method, file):
    classes = [node for node in tree(file).body if isinstance(node, ast.ClassDef) and node.name == owner]
    assert method in [part.name for part in classes[0].body if isinstance(part, ast.FunctionDef)]


def test_there_is_something_to_read_next():
    assert len(FURTHER) == 2


# ------------------------------------------------------------------------------------------- beside other libraries

MICROGRAD = (ROOT / "docs/howto/from_micrograd.md").read_text(encoding="utf-8")
DIFFERENT = re.findall(
    r"^\| `(.*?)` \| `(.*?)`.*? \| `(.*?)`", MICROGRAD.partition("\n## What is different\n")[2], flags=re.M
)


def outcome(line, kind):
    """What a line gives with a class of Values, or what it raises."""

    def chain(length):
        node = kind(1.0)
        for _ in range(length):
            node = node + 1.0
        return node

    def twice(number):
        x = kind(number)
        y = x * x * x
        y.backward()
        y.backward()
        return x.grad

    try:
        return repr(eval(line, {"Value": kind, "chain": chain, "twice": twice}))
    except (RecursionError, AssertionError, AttributeError) as error:
        return type(error).__name__


@pytest.mark.needs("micrograd")
@pytest.mark.parametrize(("line", "theirs", "ours"), DIFFERENT)
def test_what_is_told_of_micrograd_and_of_this_library_is_so(line, theirs, ours):
    from micrograd.engine import Value as Other

    assert (outcome(line, Other), outcome(line, Value)) == (theirs, ours)


def test_several_differences_are_told():
    assert len(DIFFERENT) >= 5
    assert "RecursionError" in {theirs for _, theirs, _ in DIFFERENT}


# ------------------------------------------------------------------------------- what the build prints into the pages


@pytest.fixture
def generated(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    return importlib.import_module("generated")


def test_the_table_of_derivatives_has_a_row_for_each_operand_of_each_operation(generated):
    head, _, *rows = generated.derivatives().splitlines()
    assert {row.count("|") for row in [head, *rows]} == {3}
    assert re.findall(r"^\| `(\w+)`<br>", "\n".join(rows), flags=re.M) == list(PRIMITIVES)
    assert len(rows) == sum(primitive.arity or 3 for primitive in PRIMITIVES.values())
    assert all(re.search(r" \$[^$]+ = [^$]+\$ \|$", row) for row in rows)


def test_links_to_the_lessons_lead_to_their_copies_and_others_stay(generated):
    source = [
        "[a](../notebooks/README.md#b) [c](../../notebooks/01_x.ipynb) [d](tour.md) ![e](../notebooks/images/e.svg)"
    ]
    generated.linked(None, "tour", source)
    assert source == ["[a](lessons/index.md#b) [c](../lessons/01_x.ipynb) [d](tour.md) ![e](../notebooks/images/e.svg)"]


def test_the_table_of_names_has_each_name_that_an_error_tells_about(generated):
    rows = [row.split(" | ") for row in generated.names().splitlines() if row.startswith("| `")]
    told = {(name, advice.removesuffix(" |")) for names, advice in rows for name in re.findall(r"`(\S+?)`", names)}
    assert told == {(name, advice) for rows in elsewhere.ADVICE.values() for name, advice in rows.items()}
