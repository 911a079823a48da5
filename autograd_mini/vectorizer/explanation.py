"""`Program.explain`: how many scalar nodes became how many array statements, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograd_mini.vectorizer.compiled import Compiled


class Explanation:
    """What became of a graph; prints itself as a table.

    Attributes
    ----------
    nodes, statements : int
        Scalar nodes in the graph, and array statements in both passes.
    groups : list of (str, int, str)
        The name of each group's array, its rows, and why it is what it is.
    """

    def __init__(self, compiled: Compiled) -> None:
        self.nodes, self.statements = compiled.n_nodes, compiled.statements
        self.groups = [] if compiled.straight is not None else compiled.program.notes

    def __repr__(self) -> str:
        return f"<Explanation: {self.nodes} nodes, {len(self.groups)} arrays>"

    def __str__(self) -> str:
        if not self.groups:
            return (
                f"{self.nodes} scalar nodes became {self.statements} statements of straight-line Python: there is no "
                f"batch, and too little in it is alike for arrays to pay"
            )
        width = max([len(name) for name, _, _ in self.groups], default=0)
        lines = [f"{self.nodes} scalar nodes became {len(self.groups)} arrays and {self.statements} array statements"]
        lines += [
            f"  {name:<{width}}  {rows:>6} row{'s' if rows > 1 else ' '}  {why}" for name, rows, why in self.groups
        ]
        return "\n".join(lines)
