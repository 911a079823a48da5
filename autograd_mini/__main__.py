"""``python -m autograd_mini``: the command line; without arguments, the demonstration."""

import sys

from autograd_mini.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
