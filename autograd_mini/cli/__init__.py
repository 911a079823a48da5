"""The command line: ``autograd-mini draw``, ``step``, ``train``, ``predict`` and ``table``, and the demonstration."""
