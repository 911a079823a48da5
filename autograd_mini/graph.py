"""The public door to the questions about a graph: ``from autograd_mini import graph``."""

from autograd_mini.engine.graph import (
    Edge,
    Path,
    count_paths,
    edges,
    leaves,
    outgoing_edges,
    paths,
    successors,
    topological_order,
)

__all__ = [
    "Edge",
    "Path",
    "count_paths",
    "edges",
    "leaves",
    "outgoing_edges",
    "paths",
    "successors",
    "topological_order",
]
