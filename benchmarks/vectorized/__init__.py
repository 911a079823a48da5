"""The works of ``benchmarks/vectorizer.py``, a module for each, and how they are timed and shown.

Importing the package holds every library to one thread; that has to happen before NumPy is imported.
"""

import os

quick = False  # whether it is only tried out that all of it works

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[_variable] = "1"
