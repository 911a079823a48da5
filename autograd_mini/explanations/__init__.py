"""What a graph says in words: its nodes' names, the steps of both passes, LaTeX, Python, the table of derivatives."""
