"""micrograd's two modules, `engine` and `nn`, with its names and its weights: for programs that import these."""
