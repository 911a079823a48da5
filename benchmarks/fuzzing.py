"""Fuzzing: coverage-guided inputs for all that reads what others wrote, by Google's ``atheris``.

Whatever the input, a file loads or is a `LoadError` that leaves everything as it was, a table is read or is a
`TableError`, a formula becomes a graph or is a `FormulaError`; in 10 s, and within 1 GB. Anything else is a finding.

Usage: ``python benchmarks/fuzzing.py [--seconds 1200] [--only READER …] [--findings FOLDER]``, with
``pip install ".[test]" atheris`` (it has wheels for Linux). The time is shared out among the readers; exit status 1 if
there are findings. The inputs found are kept in the folder, each named by its reader; once mended they become cases of
``tests/test_files.py`` or ``tests/test_parse.py``. An input alone: ``python benchmarks/fuzzing.py --try READER FILE``.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

FILES = ["model", "own", "training", "table"]
READERS = [*FILES, "csv", "formula"]
INSTRUMENTED = (
    "serialization archives checks cli training optim.base optim.schedules nn.module formulas.parse formulas.spelling"
)
WORDS = """null true NaN Infinity 1e999 -1 "array" "class" "MLP" "Layer" "widths" "state" PK\\x01\\x02 PK\\x05\\x06
\\x93NUMPY\\x01\\x00 'descr': (3,) '|O' '<M8[s]' ** // exp( where( maximum( softmax( 1e308 0x1f 1j lambda pi""".split()
TEXTS = {
    "csv": [
        "x; y\n1; 2\n3; 4\n",
        "a,b,c\n1,2,u\n3,4,u\n5,6,v\n,7,v\n",
        "\ufeffa\tb\n'1'\t\"2\n\"\n",
        "a|b\nnan|1e400\n",
    ],
    "formula": [
        "tanh(w*x + b)",
        "where(x > 0, x**2, -x) / (1 + exp(-w))",
        "softmax(x, w, b) + logsumexp(x, 1e3)",
        "max(x, 2) - pi*e**x",
        "σ(w·x) − 3e-4",
        "leaky_relu(x, 0.1) <= 1",
        "((((x))))**-2**-x",
    ],
}


def reader_of_files(kind: str, folder: Path) -> tuple[Callable[[bytes], object], list[bytes]]:
    """Return what reads a kind of file, and its seeds.

    An input begins with a byte that says whether it is the whole file, the JSON of its header, one of the parts of the
    archive, or changes to single bytes: inside of an archive with checksums, few random bytes would reach anything.
    """
    import test_files

    reader = test_files.Reader(folder, kind)
    with zipfile.ZipFile(io.BytesIO(reader.content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    names, header = sorted(parts), f"{test_files.HEADER}.npy"

    def content(data: bytes) -> bytes:
        how, rest, changed = data[0] % 4, data[1:], dict(parts)
        if how == 0:
            return rest
        if how == 3:
            patched = bytearray(reader.content)
            for i in range(0, len(rest) - 2, 3):
                patched[int.from_bytes(rest[i : i + 2], "little") % len(patched)] = rest[i + 2]
            return bytes(patched)
        if how == 1:
            file = io.BytesIO()
            np.save(file, np.array(rest.decode("utf-8", "replace")))
            changed[header] = file.getvalue()
        elif rest:
            changed[names[rest[0] % len(names)]] = rest[1:]
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name, part in changed.items():
                archive.writestr(zipfile.ZipInfo(name), part)
        return file.getvalue()

    def read(data: bytes) -> object:
        if not data:
            return None
        reader.path.write_bytes(content(data))
        return reader.found()

    seeds = [b"\0" + reader.content, b"\1" + str(np.load(io.BytesIO(parts[header]))).encode(), b"\3\0\1\0"]
    return read, seeds + [bytes([2, i]) + parts[name] for i, name in enumerate(names)]


def reader_of_csv(folder: Path) -> Callable[[bytes], object]:
    """Return what reads a table, its numbers and each of its columns as a target."""
    from autograd_mini.cli import tables

    path = folder / "table.csv"

    def read(data: bytes) -> object:
        path.write_bytes(data)
        with contextlib.suppress(tables.TableError):
            table = tables.read_table(path)
            for column in table.header[:8]:
                for task in (None, "classification", "regression"):
                    with contextlib.suppress(tables.TableError):
                        values = tables.read_target(table, column, task).values
                        assert len(values) == len(table.rows)
                        assert np.isfinite(values).all()
                with contextlib.suppress(tables.TableError):
                    assert np.isfinite(table.numbers([column])).all()
        return None

    return read


def reader_of_formulas() -> Callable[[bytes], object]:
    """Return what reads a formula, goes backward through it and prints it."""
    from autograd_mini.formulas.parse import FormulaError, parse

    def read(data: bytes) -> object:
        text = data.decode("utf-8", "surrogateescape")
        given = dict.fromkeys(re.findall(r"\b[wxb]\b", text), 0.5)
        try:
            root = parse(text, **given)
        except FormulaError as error:
            return str(error), error.one_line  # whatever it is about, the message can be written
        assert type(root.data) is float
        root.backward()
        before = root.data
        assert root.forward() == before or math.isnan(before)
        return root

    return read


def reader_and_seeds(name: str, folder: Path) -> tuple[Callable[[bytes], object], list[bytes]]:
    """Return the function that reads an input and raises at a finding, and what to begin with."""
    if name in FILES:
        return reader_of_files(name, folder)
    return reader_of_csv(folder) if name == "csv" else reader_of_formulas(), [t.encode() for t in TEXTS[name]]


def fuzz(name: str, seconds: int, findings: Path) -> None:
    """Fuzz one reader in this process, which ends with it."""
    try:
        import atheris
    except ImportError:
        sys.exit('atheris is not installed: pip install ".[test]" atheris')
    include = [f"autograd_mini.{module}" for module in INSTRUMENTED.split()]
    with atheris.instrument_imports(include=[*include, "zipfile"], enable_loader_override=False):
        import autograd_mini.cli.table_models
        import autograd_mini.formulas.parse
        import autograd_mini.serialization  # noqa: F401
    with tempfile.TemporaryDirectory() as made:
        read, seeds = reader_and_seeds(name, Path(made))
        corpus, dictionary = Path(made, "corpus"), Path(made, "words")
        corpus.mkdir()
        for i, seed in enumerate(seeds):
            (corpus / f"seed{i}").write_bytes(seed)
        dictionary.write_text("".join('"{}"\n'.format(word.replace('"', '\\"')) for word in WORDS), encoding="utf-8")
        limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1024", "-max_len=16000"]
        prefix = f"-artifact_prefix={findings}/{name}-"
        atheris.Setup([sys.argv[0], str(corpus), f"-dict={dictionary}", prefix, *limits, "-print_final_stats=1"], read)
        atheris.Fuzz()


def main() -> int:
    """Fuzz the readers one after the other, and return 1 if there are findings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=1200, help="in all")
    parser.add_argument("--only", nargs="+", choices=READERS, default=READERS, metavar="READER", help=" ".join(READERS))
    parser.add_argument("--findings", type=Path, default=Path("findings"), help="the folder to keep them in")
    parser.add_argument("--try", nargs=2, dest="input", metavar=("READER", "FILE"), help="one input, without atheris")
    parser.add_argument("--one", choices=READERS, help=argparse.SUPPRESS)  # in a process of its own
    options = parser.parse_args()
    if options.input:
        with tempfile.TemporaryDirectory() as made:
            reader_and_seeds(options.input[0], Path(made))[0](Path(options.input[1]).read_bytes())
        return 0
    options.findings.mkdir(exist_ok=True)
    if options.one:
        fuzz(options.one, options.seconds, options.findings)
    status = 0
    for name in options.only:
        seconds = str(max(1, options.seconds // len(options.only)))
        command = [sys.executable, __file__, "--one", name, "--seconds", seconds, "--findings", str(options.findings)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        runs = re.search(r"Done (\d+) runs|number_of_executed_units: (\d+)", done.stderr + done.stdout)
        found = sorted(path.name for path in options.findings.glob(f"{name}-*"))
        count = int(runs[1] or runs[2]) if runs else 0
        print(json.dumps({"reader": name, "seconds": int(seconds), "inputs": count, "findings": found}), flush=True)
        if done.returncode:
            print(done.stdout[-3000:] + done.stderr[-3000:], file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
