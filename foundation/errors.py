"""What is told to the person at the terminal instead of a traceback."""

from typing import ClassVar


class OperatorError(Exception):
    """The world is not as it must be, and the person who runs Softclose can change that.

    The message is one line that names the thing and the way out; it holds no secret.
    """

    exit_code: ClassVar[int] = 1
