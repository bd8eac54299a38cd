"""The command line within the test's own process: as ``processes.softclose``, without its start."""

import asyncio
import os
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from structlog.testing import capture_logs

from softclose import cli
from tests.processes import Ended, environment


def here(*words: str | Path, **variables: str) -> Ended:
    """Run it to its end with only these SOFTCLOSE variables; what it logs is left out.

    A fault that would be a traceback is raised. Not to be called from a coroutine.
    """
    out, err = StringIO(), StringIO()
    with (
        patch.dict(os.environ, environment(variables), clear=True),
        patch("softclose.command_line.configure_logs"),
        patch("softclose.commands.replay.configure_logs"),
        redirect_stdout(out),
        redirect_stderr(err),
        capture_logs(),
    ):
        code = cli.run([str(word) for word in words])
    return Ended(code, out.getvalue(), err.getvalue())


async def here_beside(*words: str | Path, **variables: str) -> Ended:
    """The same beside a running loop, for tests that have one; without an embedded server."""
    return await asyncio.to_thread(here, *words, **variables)
