"""``softclose restore``: a backup in the place of the embedded data."""

from pathlib import Path

import click

from softclose.command_line import with_settings
from softclose.data_folder import hold
from softclose.postgres_binaries import find_binaries
from softclose.progress import progress
from softclose.restores import refuse_restore
from softclose.restores import restore as restore_data
from softclose.settings import Settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--force", is_flag=True, help="Move data that is there aside; it is kept.")
@with_settings
def restore(settings: Settings, file: Path, force: bool) -> None:
    """Put the backup FILE in the place of the embedded data.

    The backup is checked in full before anything changes. Softclose must not be running on
    the folder. A restart after an outage follows: lots that were open get their time back.
    """
    binaries = find_binaries()
    with hold(settings.data):
        refuse_restore(settings.data, file, binaries, force=force)
        with progress("restoring") as report:
            header, aside = restore_data(settings.data, file, binaries, report)
    click.echo(f"restored the backup of {header.made_at} into {settings.data}")
    if aside is not None:
        click.echo(f"the data that was there is now in {aside}")
