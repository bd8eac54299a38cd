"""The command line. A mistake or a broken world is one line and an exit code, no traceback.

To add a command: a module in ``softclose/commands`` with a click command of the same name, and
its name and line in `COMMANDS`. It is imported only when it is asked for, so that no command
pays for another's libraries.
"""

import errno
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import click

from foundation.errors import OperatorError

INTERRUPTED = 130

# Not faults of the program: a full disk, a file without permission, a missing folder.
_THE_SYSTEM_SAYS_NO = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
    }
)

COMMANDS = {
    "demo": "Show a live sale on this terminal; what ./run does by itself.",
    "serve": "Run the engine with its database until it is told to stop.",
    "accounts": "Make accounts, list them, help people who cannot get in.",
    "desk": "A liquidator's desk: read manifests, publish a sale, see what it brought.",
    "settlement": "What waits for a person, stories, books, bank files, days and months.",
    "replay": "Play recorded auctions through the real engine.",
    "log": "Look into the log, check it, export a sale's public chain.",
    "migrate": "Bring the database's tables up to this version.",
    "doctor": "Say what is right and wrong with this installation.",
    "settings": "Show the settings in force.",
    "openapi": "Print the description of the API.",
    "backup": "Copy the embedded data into one file.",
    "restore": "Put a backup in the place of the embedded data.",
}


class _Commands(click.Group):
    """A group whose commands are modules, found by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(import_module(f"softclose.commands.{name}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--data", type=click.Path(path_type=Path), help="The folder that keeps everything.")
@click.version_option(version("softclose"), message="softclose %(version)s")
@click.pass_context
def cli(context: click.Context, data: Path | None) -> None:
    """Live liquidation auctions."""
    context.obj = {"data": data}


def main() -> None:
    """Run the command line and exit; the entry point of the distribution."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line; returns the exit code."""
    try:
        result = cli.main(arguments, prog_name="softclose", standalone_mode=False)
    except OperatorError as error:
        return _say(str(error), error.exit_code)
    except ExceptionGroup as group:
        return _say_all(group)
    except click.ClickException as error:
        return _say(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except OSError as error:
        if error.errno not in _THE_SYSTEM_SAYS_NO:
            raise
        return _say(": ".join(filter(None, (error.filename, error.strerror))), 1)
    return result if isinstance(result, int) else 0


def _say(message: str, code: int) -> int:
    click.echo(f"softclose: {' '.join(message.split())}", err=True)
    return code


def _say_all(group: ExceptionGroup[Exception]) -> int:
    """Tasks that run together fail together; what a person can mend is still a line each."""
    faults = list(_leaves(group))
    if not all(isinstance(fault, OperatorError) for fault in faults):
        raise group
    return max(_say(str(fault), getattr(fault, "exit_code", 1)) for fault in faults)


def _leaves(error: Exception) -> Iterator[Exception]:
    if isinstance(error, ExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error
