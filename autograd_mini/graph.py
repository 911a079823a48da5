"""What one can ask about a graph, such as its order, edges and paths: ``from autograd_mini import graph``."""

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
