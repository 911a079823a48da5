"""Graphs in files and forms that other programs read."""

from autograd_mini.interchange.graph_files import load_graph, save_graph
from autograd_mini.interchange.networkx_graphs import to_networkx

__all__ = ["load_graph", "save_graph", "to_networkx"]
