"""``softclose backup``: the embedded data in one file."""

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from softclose.backups import BackupFailed, backup_file, copy_server, pack, verify_copy
from softclose.command_line import run_async, with_settings
from softclose.databases import any_database
from softclose.postgres_binaries import Binaries, find_binaries
from softclose.postgres_cluster import Cluster, embedded_folder
from softclose.progress import progress
from softclose.settings import Settings


@click.command()
@click.argument("target", metavar="FILE|FOLDER", type=click.Path(path_type=Path))
@with_settings
def backup(settings: Settings, target: Path) -> None:
    """Copy the embedded data into FILE, or into a file named after the time in FOLDER.

    It may run while softclose serves. The file holds everything, bidders' maxima too: keep
    it where only you can read it.
    """
    cluster = _cluster(settings)
    binaries = find_binaries()
    file = backup_file(target)
    with TemporaryDirectory(prefix=".softclose-backup-", dir=file.parent) as work:
        copy = Path(work) / "data"
        run_async(_copy(settings, binaries, copy))
        verify_copy(binaries, copy)
        with progress("packing") as report:
            pack(file, copy, cluster.password_file.read_text(), binaries, report)
    click.echo(f"wrote {file} ({file.stat().st_size:,} bytes)")


def _cluster(settings: Settings) -> Cluster:
    if settings.database_url is not None:
        raise BackupFailed(
            "this is for the embedded data; back up a PostgreSQL of your own with its own tools, "
            "pg_basebackup or pg_dump"
        )
    cluster = Cluster(embedded_folder(settings.data))
    if not cluster.exists():
        raise BackupFailed(f"there is nothing to back up in {settings.data}")
    return cluster


async def _copy(settings: Settings, binaries: Binaries, copy: Path) -> None:
    async with any_database(settings) as dsn:
        with progress("copying") as report:
            await copy_server(dsn, binaries, copy, report)
