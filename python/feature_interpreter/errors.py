"""What goes wrong, with the exit code that the command line tool would give."""


class Error(RuntimeError):
    """The text says what, where, what was expected and what to do.

    exit_code: 2 usage, 3 not found, 6 damaged input, 7 unsupported, 8 unfitting pair, 9 memory, 10 disk, ...
    code: the same as a word, such as "not_found".
    """

    def __init__(self, message: str, exit_code: int = 1, code: str = "internal"):
        super().__init__(message)
        self.exit_code = exit_code
        self.code = code
