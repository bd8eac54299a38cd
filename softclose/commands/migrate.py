"""``softclose migrate``: the tables that this version needs."""

import click

from softclose.command_line import run_async, with_settings
from softclose.databases import any_database, prepare
from softclose.settings import Settings


@click.command()
@with_settings
def migrate(settings: Settings) -> None:
    """Bring the database's tables up to this version.

    Safe to repeat and to run from several machines at once. Every start does it too, so this
    is for looking first, or for a role that may change tables when the others may not.
    """
    run_async(_migrate(settings))


async def _migrate(settings: Settings) -> None:
    async with any_database(settings) as dsn:
        applied = await prepare(dsn)
    for migration in applied:
        click.echo(f"applied {migration}")
    if not applied:
        click.echo("nothing to apply: the database is current")
