"""Where the parts of a drawing lie, without Graphviz: layers, their order, the routes of edges, the widths of text."""
