"""Where the parts of a drawing lie: layers, their order, the routes of edges, the widths of text."""
