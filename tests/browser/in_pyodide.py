"""What has to run in Pyodide beside `without_numpy.py`: files as others have them, drawing without programs."""

import os
import stat
import sys
import tempfile
from pathlib import Path


def main():
    from autograd_mini import Value, draw, step_through, tanh
    from autograd_mini.files import write_text
    from autograd_mini.interchange import load_graph, save_graph
    from autograd_mini.views import renderers

    assert sys.platform == "emscripten"
    assert renderers.choose().name == "builtin"
    w, x = Value(0.5, label="w"), Value(2.0, label="x")
    root = tanh(w * x)
    root.backward()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for mask in (0o777, 0o077, 0o022):
            os.umask(mask)
            (folder / "plain").write_text("x", encoding="utf-8")
            draw(root).save(folder / f"{mask}.svg")
            draw(root).save(folder / f"{mask}.tex")
            step_through(root, what_if=[w]).save(folder / f"{mask}.html")
            step_through(root).save(folder / f"{mask}-animated.svg")
            save_graph(root, folder / f"{mask}.json")
            assert load_graph(folder / f"{mask}.json").data == root.data
            step_through(root).save_steps(folder / f"{mask}-steps", format="svg")
            plain = (folder / "plain").stat().st_mode
            written = [path for path in folder.rglob(f"{mask}*") if path.is_file()]
            assert len(written) == 5
            for path in [*written, *(folder / f"{mask}-steps").iterdir()]:
                assert path.stat().st_mode == plain, f"{path.name}: {stat.filemode(path.stat().st_mode)}"
                assert path.read_text(encoding="utf-8"), path
            private = folder / f"{mask}-private"
            private.write_text("old", encoding="utf-8")
            private.chmod(0o600)
            write_text(private, "new")
            assert stat.S_IMODE(private.stat().st_mode) == 0o600
            assert private.read_text(encoding="utf-8") == "new"
    print("it runs in Pyodide")


if __name__ == "__main__":
    main()
