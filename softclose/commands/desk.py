"""``softclose desk``: what liquidators do with manifests and sales, from the command line."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from auction.catalog.importing.bounds import MAX_FILE_BYTES
from auction.catalog.importing.faults import Unreadable
from auction.catalog.importing.importer import Importer
from auction.catalog.importing.reading import too_large
from auction.catalog.importing.results import Manifest, as_json
from auction.catalog.importing.vocabulary import FIELDS
from auction.desk.imports import Making
from auction.money import EXPONENTS, format_minor
from softclose.command_line import run_async, with_settings
from softclose.desk_client import DeskServer, Query, ServerSays, desk_server
from softclose.manifest_tables import show_manifest
from softclose.progress import Report, progress
from softclose.settings import Settings

HAS_ERRORS = 1
UNREADABLE = 2

Opening = AbstractAsyncContextManager[DeskServer]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def desk() -> None:
    """A liquidator's desk: manifests, publishing, results."""


_URL = click.option(
    "--url", help="Where the server is; without it, where this installation's would be."
)


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
@click.option(
    "--make",
    "making",
    type=click.Choice([str(making) for making in Making], case_sensitive=False),
    help="How lines become lots: all in ONE, or one for each of PALLETS, LOTS, LINES.",
)
@click.option("--lot-column", metavar="HEADER", help="The file's own lots; one lot for each.")
@_URL
@with_settings
def import_file(
    settings: Settings,
    file: Path,
    dry_run: bool,
    as_json_: bool,
    corrections: tuple[str, ...],
    currency: str | None,
    making: str | None,
    lot_column: str | None,
    url: str | None,
) -> None:
    """Read a manifest (CSV, XLSX, XLS) and put lots of it into stock.

    With --dry-run it only says how the file is understood: its columns, its lines, what is wrong
    with it. Else it needs a running server, and an API token with the scope "sell" in
    SOFTCLOSE_TOKEN; a file with an error changes nothing.

    The exit code is 0 if it can be imported, 1 if a line has an error, 2 if the file cannot be
    read.
    """
    mapped = dict(_correction(text) for text in corrections)
    if dry_run:
        if making or lot_column:
            raise click.UsageError("--make and --lot-column make lots; --dry-run makes none")
        _try_file(file, mapped, currency, as_json_=as_json_)
        return
    if making == Making.LOTS and not lot_column:
        raise click.UsageError("--make LOTS needs --lot-column")
    if lot_column and making not in (None, Making.LOTS):
        raise click.UsageError(f"--lot-column and --make {making} are two ways")
    ways = Making.LOTS if lot_column else Making(making or Making.ONE)
    query = [("file_name", file.name), ("lot_column", lot_column or "")]
    query += [("currency", currency.upper())] if currency else []
    query += [("correction", f"{name}={header}") for name, header in mapped.items()]
    try:
        _bounded(file)
    except Unreadable as fault:
        _say_unreadable(file, fault, as_json_=as_json_)
        click.get_current_context().exit(UNREADABLE)
    work = _import(_server(settings, url), file, query, ways, as_json_=as_json_)
    if not run_async(work):
        click.get_current_context().exit(HAS_ERRORS)


def _try_file(
    file: Path, corrections: dict[str, str], currency: str | None, *, as_json_: bool
) -> None:
    try:
        manifest = run_async(_read(file, corrections, currency))
    except Unreadable as fault:
        _say_unreadable(file, fault, as_json_=as_json_)
        click.get_current_context().exit(UNREADABLE)
    if as_json_:
        click.echo(json.dumps(as_json(manifest), ensure_ascii=False))
    else:
        show_manifest(manifest, Console())
    if not manifest.importable:
        click.get_current_context().exit(HAS_ERRORS)


async def _import(
    opening: Opening, file: Path, query: Query, making: Making, *, as_json_: bool
) -> bool:
    """Whether the file had no error, and so lots were made of it."""
    async with opening as server:
        body = await asyncio.to_thread(file.read_bytes)
        read = await server.json(
            "POST", "imports", query=query, body=body, Content_Type="application/octet-stream"
        )
        _say_problems(read)
        if not read["importable"]:
            if as_json_:
                click.echo(json.dumps({"importable": False, "lots": []}))
            return False
        how = json.dumps({"making": making}).encode()
        place = ("imports", read["preview_id"], "lots")
        made = await server.json("POST", *place, body=how, Content_Type="application/json")
    if as_json_:
        lots = [
            {
                "draft_id": lot["draft_id"],
                "title": lot["draft"]["title"],
                **{name: lot[name] for name in ("lines", "units", "retail_minor")},
            }
            for lot in made["items"]
        ]
        click.echo(json.dumps({"importable": True, "lots": lots}, ensure_ascii=False))
        return True
    for lot in made["items"]:
        retail = format_minor(lot["retail_minor"], read["currency"])
        words = f"{lot['lines']:,} lines, {lot['units']:,} units, {retail} {read['currency']}"
        click.echo(f"{lot['draft_id']}  {words}  {lot['draft']['title']}")
    return True


def _say_problems(read: dict[str, Any]) -> None:
    """Errors and warnings of a preview, a line each, on stderr."""
    for what, count in (("error", "error_count"), ("warning", "warning_count")):
        for one in read[f"{what}s"]:
            column = f", {one['column']}" if one["column"] else ""
            sheet = f"{one['sheet']}:" if one["sheet"] else "line "
            click.echo(f"{what}: {sheet}{one['line']}{column}: {one['message']}", err=True)
        if read[count] > len(read[f"{what}s"]):
            click.echo(f"and {read[count] - len(read[f'{what}s']):,} more {what}s", err=True)


def _correction(text: str) -> tuple[str, str]:
    name, equals, header = text.partition("=")
    if not equals or name not in FIELDS:
        fields = ", ".join(FIELDS)
        raise click.UsageError(f"--map: {text[:80]!r} is not FIELD=HEADER; fields are {fields}")
    return name, header


def _bounded(file: Path) -> None:
    size = file.stat().st_size
    if size > MAX_FILE_BYTES:
        raise too_large(size)


async def _read(file: Path, corrections: dict[str, str], currency: str | None) -> Manifest:
    _bounded(file)
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


@desk.command()
@click.argument("sale_id")
@_URL
@with_settings
def publish(settings: Settings, sale_id: str, url: str | None) -> None:
    """Publish the draft SALE_ID, as it is now, if the checks find nothing against it.

    Needs a running server, and an API token with the scope "sell" in SOFTCLOSE_TOKEN. What the
    checks find is printed; the exit code is 1 if that keeps the sale from being published.
    """
    run_async(_publish(_server(settings, url), sale_id))


@desk.command()
@click.argument("sale_id")
@click.option("--json", "form", flag_value="json", help="All of it, for programs.")
@click.option("--csv", "form", flag_value="csv", help="A row for each lot.")
@_URL
@with_settings
def results(settings: Settings, sale_id: str, form: str | None, url: str | None) -> None:
    """Say what the sale SALE_ID brought.

    Needs a running server, and an API token with the scope "sell" in SOFTCLOSE_TOKEN.
    """
    run_async(_results(_server(settings, url), sale_id, form))


def _server(settings: Settings, url: str | None) -> Opening:
    """The token comes by the environment: every user of the machine could read an argument."""
    if settings.token is None:
        raise click.UsageError("put an API token with the scope sell into SOFTCLOSE_TOKEN")
    here = settings.public_url or f"http://{settings.http_host}:{settings.http_port}"
    return desk_server(url or here, settings.token.get_secret_value())


async def _publish(opening: Opening, sale_id: str) -> None:
    async with opening as server:
        # The version first: what changes after it keeps the sale from being published.
        sale = await server.json("GET", "sales", sale_id)
        checks = await server.json("GET", "sales", sale_id, "checks")
        for finding in checks["items"]:
            click.echo(f"{finding['level'].lower()}: {finding['message']}")
        if not checks["ready"]:
            raise ServerSays(f"{sale_id} is not ready: mend the errors above")
        seen = f'"{sale["version"]}"'
        place, query = ("sales", sale_id, "publication"), [("lots_seen", checks["lots_seen"])]
        done = await server.json("POST", *place, query=query, If_Match=seen)
    waits = "; the engine is away, it goes on by itself" if done["state"] == "PUBLISHING" else ""
    click.echo(f"{sale_id}: {done['state'].lower()}, {sale['lots']} lots{waits}")


async def _results(opening: Opening, sale_id: str, form: str | None) -> None:
    async with opening as server:
        name = "results.csv" if form == "csv" else "results"
        said = await server.bytes("GET", "sales", sale_id, name)
    if form is not None:
        click.echo(said.decode("utf-8"), nl=form == "json")
        return
    found = json.loads(said)
    totals, currency = found["totals"], found["currency"]
    rate = totals["recovery_bps"]
    for what, value in (
        ("sale", found["title"] or sale_id),
        ("state", "goes on" if found["closed_at_us"] is None else "closed"),
        ("sold", f"{totals['sold']} of {totals['lots']} lots"),
        ("passed", totals["passed"]),
        ("withdrawn", totals["withdrawn"]),
        ("hammer", f"{format_minor(totals['hammer_minor'], currency)} {currency}"),
        ("msrp", f"{format_minor(totals['msrp_minor'], currency)} {currency}"),
        ("recovery", "-" if rate is None else f"{rate / 100:.1f} % of MSRP"),
    ):
        click.echo(f"{what:10} {value}")
