"""The command line, ``autograd-mini``: draw and step through a formula, train on a CSV file, predict, check an engine.

Every mistake of a user is one line on the error stream and exit code 2; files are written whole or not at all.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any, NoReturn

from autograd_mini import __version__
from autograd_mini.cli import console, stepping
from autograd_mini.engine.value import Value
from autograd_mini.errors import MissingDependencyError

PROGRAM = "autograd-mini"
_EXIT_MISTAKE, _EXIT_INTERRUPTED, _EXIT_BROKEN_PIPE = 2, 130, 141
_PICTURES = (".svg", ".png", ".pdf", ".tex", ".ps", ".eps", ".jpg", ".jpeg", ".gif", ".gv", ".dot")
_OTHER_PICTURE = f"unknown kind of picture; end the name in one of {', '.join(_PICTURES)}"


class Mistake(ValueError):
    """Something in the command that its user can put right."""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(_EXIT_MISTAKE, f"error: {_one_line(message)}; see {self.prog} --help\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 where a check failed, 2 for a mistake, 130 when interrupted.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.

    Examples
    --------
    >>> main(["--version"])
    autograd-mini ...
    0
    """
    console.spell_what_cannot_be_shown()
    try:
        arguments = _read_arguments(sys.argv[1:] if argv is None else argv)
        code: int | None = arguments.run(arguments)
        print(end="", flush=True)
    except SystemExit as stop:  # argparse's: help, version, a mistake
        return int(stop.code or 0)
    except BrokenPipeError:  # `| head` has read enough
        _drop_output()
        return _EXIT_BROKEN_PIPE
    except KeyboardInterrupt:
        return _say("interrupted", _EXIT_INTERRUPTED)
    except OSError as error:
        return _say(f"error: {_in_words(error)}", _EXIT_MISTAKE)
    except (ValueError, MissingDependencyError) as error:
        return _say(f"error: {getattr(error, 'one_line', None) or _one_line(str(error))}", _EXIT_MISTAKE)
    return code or 0


def _say(line: str, code: int) -> int:
    print(line, file=sys.stderr)
    return code


def _one_line(message: str) -> str:
    return re.sub(r"\s*\n\s*", " ", message)


def _in_words(error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    return f"{error.filename}: {reason}" if error.filename else reason


def _drop_output() -> None:
    """Make Python's own last flush go nowhere, as its documentation advises after a broken pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# ------------------------------------------------------------------------------------------------ the arguments


def _read_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Return the command and its options; exit with one line if they can't be understood."""
    parser = _parser()
    arguments, left_over = parser.parse_known_args(_with_formulas_marked(argv))
    # argparse takes no more name=number after an option; a reader of commands does.
    values = [word for word in left_over if re.match(r"[^-=][^=]*=", word)] if "values" in arguments else []
    unknown = [word for word in left_over if word not in values]
    if unknown:
        parser.error(f"unknown argument {unknown[0]!r}")
    if values:
        arguments.values += values
    return arguments


def _with_formulas_marked(argv: Sequence[str]) -> list[str]:
    """Return the arguments with a blank before a formula such as -x**2, which argparse takes for an option."""
    words = list(argv)
    if words and words[0] in ("draw", "step"):
        formula = re.compile(r"-(?!-[A-Za-z][\w-]*(=.*)?$)(?!o|h$|-$).+")
        words = [f" {word}" if formula.fullmatch(word) else word for word in words]
    return words


def _parser() -> _Parser:
    parser = _Parser(
        prog=PROGRAM,
        description="Watch the chain rule happen. Without a command: a demonstration that writes autograd_mini_demo/.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.add_argument("--no-progress", action="store_true", help="show no progress bar")
    parser.set_defaults(run=_demo)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    _add_formula_commands(commands)
    _add_table_commands(commands)
    check = _command(
        commands, "check", _check, "check an engine that a student wrote; the exit code is 0 if it passed, else 1"
    )
    check.add_argument("engine", metavar="FILE.py:CLASS", help="such as student.py:Value")
    check.add_argument(
        "--time-limit", metavar="SECONDS", type=_seconds, default=10.0, help="for each row of the table (10)"
    )
    return parser


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int | None], summary: str, **more: Any
) -> Any:
    """Add a command and return its parser."""
    described = summary[0].upper() + summary[1:] + "."
    parser = commands.add_parser(name, help=summary, description=described, **more)
    parser.set_defaults(run=run)
    return parser


def _add_formula_commands(commands: Any) -> None:
    draw = _command(commands, "draw", _draw, "draw the graph of a formula, with its gradients")
    step = _command(commands, "step", _step, "step through both passes of a formula")
    for parser in (draw, step):
        parser.add_argument("formula", metavar="FORMULA", help='such as "tanh(w*x + b)"')
        parser.add_argument("values", metavar="NAME=NUMBER", nargs="*", help="a value for each name in it")
    stepping.add_options(step)
    draw.add_argument(
        "-o", "--output", metavar="FILE", default="graph.svg", help="the picture; its ending is the format (graph.svg)"
    )
    draw.add_argument("--theme", choices=["screen", "print", "dark"], default="screen", help="its colours (screen)")
    numbers = ["data", "grad", "local"]
    draw.add_argument("--show", choices=numbers, action="append", help="numbers that there are; repeat it (all)")
    draw.add_argument(
        "--blank", choices=numbers, action="append", default=[], help="numbers that are left blank; repeat it"
    )
    draw.add_argument("--digits", metavar="N", type=_count, help="significant digits of the numbers (4)")
    draw.add_argument("--rankdir", choices=["LR", "TB", "RL", "BT"], default="LR", help="where edges point (LR)")
    draw.add_argument("--scale", metavar="S", type=_rate, help="pixels of a .png for one of a screen (2)")
    derivatives = _command(commands, "table", _table, "print the table of all operations and their derivatives")
    derivatives.add_argument("--format", choices=["text", "markdown", "latex"], default="text", help="(text)")


def _add_table_commands(commands: Any) -> None:
    train = _command(commands, "train", _train, "train a network on a CSV file")
    train.add_argument("data", metavar="DATA.csv", help="a table with column names and numbers")
    train.add_argument("--target", metavar="COLUMN", required=True, help="the column to predict")
    train.add_argument("-o", "--output", metavar="FILE", default="model.npz", help="the model (model.npz)")
    train.add_argument("--task", choices=["classification", "regression"], help="by default as the target looks")
    train.add_argument(
        "--ignore", metavar="COLUMNS", action="append", default=[], help="columns to leave out, with commas between"
    )
    train.add_argument("--hidden", metavar="WIDTHS", type=_widths, default=[16, 16], help="hidden layers (16,16)")
    train.add_argument("--activation", metavar="NAME", default="relu", help="of the hidden layers (relu)")
    train.add_argument("--epochs", metavar="N", type=_count, default=200, help="(200)")
    train.add_argument("--lr", metavar="RATE", type=_rate, default=0.01, help="the learning rate (0.01)")
    train.add_argument("--batch-size", metavar="N", type=_count, default=16, help="(16)")
    train.add_argument(
        "--test-fraction", metavar="PART", type=_fraction, default=0.2, help="held out for the score (0.2)"
    )
    train.add_argument("--seed", metavar="N", type=_seed, default=0, help="(0)")
    train.add_argument("--no-progress", action="store_true", help="show no progress bar")
    predict = _command(commands, "predict", _predict, "predict the rows of a CSV file with a trained network")
    predict.add_argument("model", metavar="MODEL.npz", help="what train wrote")
    predict.add_argument("data", metavar="NEW.csv", help="a table with the columns that the model reads")
    predict.add_argument("-o", "--output", metavar="FILE", help="write the predictions here, not to the terminal")
    for parser in (train, predict):
        parser.add_argument(
            "--header", choices=["yes", "no"], help="whether the first line names the columns; without: 1, 2, …"
        )


def _number(kind: type, least: float, expected: str, below: float = float("inf")) -> Callable[[str], Any]:
    """Return a function that reads the number of an option, and refuses one that is out of its range."""

    def read(text: str) -> Any:
        try:
            number = kind(text)
            if least <= number < below:
                return number
        except (ValueError, OverflowError):
            pass
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")

    return read


_count = _number(int, 1, "a whole number of at least 1")
_seed = _number(int, 0, "a whole number of at least 0")
_rate = _number(float, 5e-324, "a number above 0")
_fraction = _number(float, 5e-324, "a number between 0 and 1", below=1.0)
_seconds = _number(float, 5e-324, "seconds above 0")
_width = _number(int, 1, "widths such as 16,16, or none")


def _widths(text: str) -> list[int]:
    return [] if text in ("", "0", "none") else [_width(part) for part in text.split(",")]


# ------------------------------------------------------------------------------------------------- the commands


def _demo(arguments: argparse.Namespace) -> None:
    from autograd_mini.cli import demo

    demo.run(False if arguments.no_progress else None)


def _root(arguments: argparse.Namespace) -> Value:
    """Return the graph of the formula in the arguments."""
    from autograd_mini.formulas.parse import parse

    values: dict[str, float] = {}
    for assignment in arguments.values:
        name, equals, number = (part.strip() for part in assignment.partition("="))
        if not equals or not name:
            raise Mistake(f"expected NAME=NUMBER, such as x=2, got {assignment!r}")
        if name in values:
            raise Mistake(f"{name!r} has two values: {values[name]:g} and {number}")
        try:
            values[name] = float(number.replace("−", "-"))
        except ValueError:
            raise Mistake(f"the value of {name!r} isn't a number: {number!r}") from None
    return parse(arguments.formula, **values)


def _draw(arguments: argparse.Namespace) -> None:
    from autograd_mini.cli.demo import draw_to

    path = _output_path(arguments.output, endings=_PICTURES, otherwise=_OTHER_PICTURE)
    root = _root(arguments)
    root.backward()
    try:
        style = {name: getattr(arguments, name) for name in ("theme", "show", "blank", "digits", "rankdir")}
        draw_to(path, root, arguments.scale, **style)
    except CalledProcessError as error:  # dot's own word, such as that it has no such format
        raise Mistake(f"{path}: drawing failed: {error.stderr or error}") from None
    print(f"wrote {path}")


def _step(arguments: argparse.Namespace) -> None:
    paths = []
    for kind, endings in stepping.ENDINGS.items():
        if name := getattr(arguments, kind):
            advice = f"--{kind} writes {kind.upper()}; end the name in {endings[0]}"
            paths.append(_output_path(name, endings=endings, otherwise=advice))
    if arguments.format and not arguments.figures:
        raise Mistake("--format is that of the figures; say where to write them: --figures FOLDER")
    if arguments.exercise and (arguments.svg or arguments.grain or arguments.figures or not arguments.html):
        raise Mistake("--exercise goes with --html alone, as in: --exercise gradients --html page.html")
    root = _root(arguments)
    if paths or arguments.figures:
        figures = (arguments.figures, arguments.format or "pdf") if arguments.figures else None
        stepping.save(root, paths, arguments.grain or "node", arguments.exercise, figures)
    else:
        stepping.print_steps(root, arguments.grain)


def _table(arguments: argparse.Namespace) -> None:
    from autograd_mini.explanations.table import derivative_table

    print(derivative_table(arguments.format))


def _check(arguments: argparse.Namespace) -> int:
    from autograd_mini.teaching import check_engine

    report = check_engine(arguments.engine, time_limit=arguments.time_limit)
    print(report)
    return 0 if report.passed else 1


def _train(arguments: argparse.Namespace) -> None:
    from autograd_mini.cli import table_models
    from autograd_mini.cli.tables import listed, read_table
    from autograd_mini.training import NonFiniteLossError

    path = _output_path(arguments.output, reading=[arguments.data])
    table = read_table(arguments.data, _HAS_HEADER[arguments.header])
    target, ignored = (
        table.column(arguments.target),
        [name for typed in arguments.ignore for name in table.columns(typed)],
    )
    problem = table_models.problem(table, target, arguments.task, ignored, arguments.test_fraction, arguments.seed)
    network = table_models.network_for(problem.columns, arguments.hidden, arguments.activation, arguments.seed)
    sizes = "-".join(str(size) for size in [network.n_inputs, *network.widths])
    rows, held_out, features = len(table.rows), len(problem.y_test), len(problem.columns.features)
    _show(
        data=f"{arguments.data}: {rows} rows, {_counted(features, 'feature')}; {_target_in_words(problem.columns)}",
    )
    notes = [f"columns left out: {listed(ignored)}"] if ignored else []
    for note in (*table.notes, *notes, *problem.notes):
        _show(note=note)
    _show(
        network=f"{sizes}, {network.activation}, {len(network.parameters())} parameters",
        training=f"{rows - held_out} rows, {_counted(arguments.epochs, 'epoch')}; {_counted(held_out, 'row')} held out",
    )
    options = {name: getattr(arguments, name) for name in ("epochs", "lr", "batch_size", "seed")}
    try:
        model = table_models.train(network, problem, **options, progress=False if arguments.no_progress else None)
    except NonFiniteLossError as error:
        raise Mistake(str(error)) from None
    score = table_models.score(problem.columns.task, model.predict(problem.X_test), problem.y_test)
    guess, baseline = problem.baseline()
    model.save(path)
    _show(score=f"{score.text} on held-out rows", baseline=f"{baseline.text}, {guess}", wrote=str(path))
    scaled = "features and the target" if problem.columns.task == "regression" else "features"
    _show(scaled=f"{scaled}, by mean and standard deviation of the training rows; the model does it by itself")


_HAS_HEADER = {"yes": True, "no": False, None: None}


def _show(**facts: str) -> None:
    print("\n".join(f"{name:<9} {fact}" for name, fact in facts.items()), flush=True)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("s" if number != 1 else "")


def _target_in_words(columns: Any) -> str:
    if columns.task == "regression":
        return f"{columns.target} is a number"
    shown = ", ".join(columns.classes[:6]) + (", …" if len(columns.classes) > 6 else "")
    return f"{columns.target} is one of {len(columns.classes)} classes ({shown})"


def _predict(arguments: argparse.Namespace) -> None:
    from autograd_mini.cli.table_models import CsvModel
    from autograd_mini.cli.tables import TableError, read_table
    from autograd_mini.files import write_text

    # Predictions must not take the place of the model either.
    path = _output_path(arguments.output, reading=[arguments.data, arguments.model]) if arguments.output else None
    model = CsvModel.load(arguments.model)
    table = read_table(arguments.data, _HAS_HEADER[arguments.header])
    for note in table.notes:
        print(f"note: {note}", file=sys.stderr)
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows([["prediction"], *[[name] for name in model.predictions(table)]])
    if path is None:
        print(lines.getvalue(), end="")
    else:
        write_text(path, lines.getvalue())
        print(f"wrote {path}")
    if model.columns.target in table.header:
        try:
            print(f"score: {model.score_on(table).text}", file=sys.stderr)
        except TableError as error:
            print(f"no score: {error}", file=sys.stderr)


def _output_path(name: str, reading: Sequence[str] = (), endings: Sequence[str] = (), otherwise: str = "") -> Path:
    """Return where to write, having made sure, before any work, that one can.

    Parameters
    ----------
    name : str
        The file.
    reading : sequence of str
        The files that are to be read, and so mustn't be written.
    endings : sequence of str
        How the name may end; any way by default.
    otherwise : str
        What to say if it has another ending.

    Raises
    ------
    Mistake
        If there is no such folder, nothing can be written there, it is the file that is to be read, or its name ends
        in another way.
    """
    path = Path(name)
    if path.is_dir():
        raise Mistake(f"{name} is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise Mistake(f"{name}: there is no folder {str(path.parent)!r}")
    if not os.access(path.parent, os.W_OK):
        raise Mistake(f"{name}: the folder {str(path.parent)!r} can't be written to")
    if path.exists() and any(os.path.exists(other) and path.samefile(other) for other in reading):
        raise Mistake(f"{name} is the file to be read; give another name to write to")
    if endings and path.suffix.lower() not in endings:
        raise Mistake(f"{name}: {otherwise}")
    return path
