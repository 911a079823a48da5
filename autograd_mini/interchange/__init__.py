"""Graphs and models in files and forms that other programs read."""

from autograd_mini.interchange.graph_files import load_graph, save_graph
from autograd_mini.interchange.networkx_graphs import to_networkx
from autograd_mini.interchange.onnx_models import export_onnx

__all__ = ["export_onnx", "load_graph", "save_graph", "to_networkx"]
