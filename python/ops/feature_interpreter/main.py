"""python -m ops.feature_interpreter.main --base-model A --target-model B: the whole comparison."""

import sys

from feature_interpreter import main

if __name__ == "__main__":
    sys.exit(main(["feature-interpreter", "compare", *sys.argv[1:]]))
