"""``softclose doctor``: what is right and wrong here, line by line."""

import click

from softclose.command_line import run_async, with_settings
from softclose.doctor import examine
from softclose.settings import Settings


@click.command()
@with_settings
def doctor(settings: Settings) -> None:
    """Look at this installation and say, line by line, what is right and what is wrong.

    A wrong line says the way out, and the exit code is 1. Nothing is changed.
    """
    wrong: list[str] = []
    run_async(_tell(settings, wrong))
    click.echo(f"{len(wrong)} wrong" if wrong else "all is well")
    if wrong:
        click.get_current_context().exit(1)


async def _tell(settings: Settings, wrong: list[str]) -> None:
    async for finding in examine(settings):
        mark = click.style("ok   ", fg="green") if finding.right else click.style("WRONG", fg="red")
        click.echo(f"{mark}  {finding.says}")
        if not finding.right:
            wrong.append(finding.says)
