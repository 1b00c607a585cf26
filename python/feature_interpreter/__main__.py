"""python -m feature_interpreter compare BASE TARGET: the command line tool."""

import sys

from .pipeline import main

sys.exit(main(["feature-interpreter", *sys.argv[1:]]))
