"""Write figures.json, what micrograd finds in these programs: ``python tests/programs/micrograd/record.py``."""

import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIGURES = HERE / "figures.json"


def programs():
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(HERE.glob("*.py")) if path.stem != "record"}


def figures(source):
    scope = {"__name__": "program"}
    exec(compile(source, "<program>", "exec"), scope)
    return scope["figures"]()


if __name__ == "__main__":
    found = {
        name: figures(source.replace("autograd_mini.micrograd", "micrograd")) for name, source in programs().items()
    }
    FIGURES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
