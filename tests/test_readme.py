"""The README's Python runs as it stands there, one block after the other."""

import re
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def test_the_blocks_run(tmp_path, monkeypatch, capsys):
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), flags=re.M | re.S)
    assert len(blocks) >= 3
    monkeypatch.chdir(tmp_path)
    variables = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), variables)
    assert "∂L/∂w" in capsys.readouterr().out
    assert (tmp_path / "backprop.html").exists()
