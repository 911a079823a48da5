"""A graph in words: names of nodes, the steps of both passes, LaTeX, Python, the table of derivatives, notebook cards.

Everything here only reads graphs. It needs no NumPy.
"""
