"""``softclose desk``: what liquidators do with manifests, from the command line."""

import json
from pathlib import Path

import click
from rich.console import Console

from auction.catalog.importing.bounds import MAX_FILE_BYTES
from auction.catalog.importing.faults import Unreadable
from auction.catalog.importing.importer import Importer
from auction.catalog.importing.reading import too_large
from auction.catalog.importing.results import Manifest, as_json
from auction.catalog.importing.vocabulary import FIELDS
from auction.money import EXPONENTS
from softclose.command_line import run_async
from softclose.manifest_tables import show_manifest
from softclose.progress import Report, progress

HAS_ERRORS = 1
UNREADABLE = 2

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def desk() -> None:
    """Manifests of liquidators: look at a file before it becomes a lot."""


@desk.command("import")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Only read the file; needs no server or database.")
@click.option("--json", "as_json_", is_flag=True, help="For programs.")
@click.option(
    "--map",
    "corrections",
    metavar="FIELD=HEADER",
    multiple=True,
    help="Read this field from this column; FIELD= for none. May be given again.",
)
@click.option(
    "--currency",
    type=click.Choice(sorted(EXPONENTS), case_sensitive=False),
    help="Of amounts that name none; USD without it.",
)
def import_file(
    file: Path, dry_run: bool, as_json_: bool, corrections: tuple[str, ...], currency: str | None
) -> None:
    """Read a manifest (CSV, XLSX, XLS): its columns, its lines, what is wrong with it.

    The exit code is 0 if it can be imported, 1 if a line has an error, 2 if the file cannot be
    read.
    """
    if not dry_run:
        message = "only --dry-run is there yet: nothing was imported; add it to look at the file"
        raise click.UsageError(message)
    mapped = dict(_correction(text) for text in corrections)
    try:
        manifest = run_async(_read(file, mapped, currency))
    except Unreadable as fault:
        _say_unreadable(file, fault, as_json_=as_json_)
        click.get_current_context().exit(UNREADABLE)
    if as_json_:
        click.echo(json.dumps(as_json(manifest), ensure_ascii=False))
    else:
        show_manifest(manifest, Console())
    if not manifest.importable:
        click.get_current_context().exit(HAS_ERRORS)


def _correction(text: str) -> tuple[str, str]:
    name, equals, header = text.partition("=")
    if not equals or name not in FIELDS:
        fields = ", ".join(FIELDS)
        raise click.UsageError(f"--map: {text[:80]!r} is not FIELD=HEADER; fields are {fields}")
    return name, header


async def _read(file: Path, corrections: dict[str, str], currency: str | None) -> Manifest:
    size = file.stat().st_size
    if size > MAX_FILE_BYTES:
        raise too_large(size)
    with progress(f"reading {file.name}") as report:
        return await _imported(file.read_bytes(), corrections, currency, report)


async def _imported(
    data: bytes, corrections: dict[str, str], currency: str | None, report: Report
) -> Manifest:
    return await Importer().read(data, corrections=corrections, currency=currency, report=report)


def _say_unreadable(file: Path, fault: Unreadable, *, as_json_: bool) -> None:
    if as_json_:
        error = {"line": fault.line, "column": "", "code": fault.code, "message": str(fault)}
        nothing = {"columns": {}, "lines": 0, "units": 0, "retail_minor": 0, "currency": None}
        rest = {"gtins_valid": 0, "conditions": {}, "errors": [error], "warnings": []}
        click.echo(json.dumps({"importable": False} | nothing | rest, ensure_ascii=False))
    place = f"{file}:{fault.line}" if fault.line else str(file)
    click.echo(f"softclose: {place}: {' '.join(str(fault).split())}", err=True)
