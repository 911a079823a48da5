"""Graphs in files and forms that other programs read."""

from autograd_mini.interchange.graph_files import load_graph, save_graph

__all__ = ["load_graph", "save_graph"]
