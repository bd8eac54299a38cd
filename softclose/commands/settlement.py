"""``softclose settlement``: what staff of settlement do, from the command line."""

import json
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import click

from auction.money import EXPONENTS, format_minor
from softclose.command_line import run_async, with_settings
from softclose.desk_client import DeskServer, Query, desk_server
from softclose.settings import Settings

Opening = AbstractAsyncContextManager[DeskServer]

_URL = click.option(
    "--url", help="Where the server is; without it, where this installation's would be."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")
_CURRENCY = click.option(
    "--currency",
    default="USD",
    type=click.Choice(sorted(EXPONENTS), case_sensitive=False),
    help="Of the books; USD without it.",
)
_MONTH = click.option("--month", metavar="YYYY-MM", help="Of this month.")

WHOSE = ("award", "invoice", "sale", "liquidator", "consignor", "buyer", "all")


@click.group()
def settlement() -> None:
    """Settlement: what waits for a person, stories, books, bank files, days and months.

    Needs a running server, and an API token with the scope "staff" in SOFTCLOSE_TOKEN.
    """


@settlement.command()
@click.option("--kind", help="Only of this kind, such as HELD or OVERDUE.")
@_JSON
@_URL
@with_settings
def queue(settings: Settings, kind: str | None, as_json: bool, url: str | None) -> None:
    """Say what waits for a person, the oldest deadline first; exit with 1 if anything does."""
    query = [("kind", kind.upper())] if kind else []
    found = run_async(_get(_server(settings, url), ("queue",), query))
    if as_json:
        click.echo(json.dumps(found))
    else:
        for item in found["items"]:
            amount = _amount(item["amount_minor"], item["currency"])
            words = (item["kind"], _time(item["deadline_at_us"]), item["subject"], amount)
            click.echo("  ".join(filter(None, (*words, item["title"], item["words"]))))
        if not found["items"]:
            click.echo("nothing waits for a person")
    if found["items"]:
        click.get_current_context().exit(1)


@settlement.command("try-again")
@click.argument("operation", type=click.IntRange(min=1))
@_URL
@with_settings
def try_again(settings: Settings, operation: int, url: str | None) -> None:
    """Try the held OPERATION again: what was wrong is mended."""
    run_async(_post(_server(settings, url), ("operations", str(operation), "again")))
    click.echo(f"{operation}: is tried again")


@settlement.command()
@click.option("--state", help="Only in this state, such as OVERDUE.")
@_JSON
@_URL
@with_settings
def invoices(settings: Settings, state: str | None, as_json: bool, url: str | None) -> None:
    """List invoices that are to be paid, the earliest due first."""
    query = [("limit", "200"), *([("state", state.upper())] if state else [])]
    found = run_async(_get(_server(settings, url), ("invoices",), query))
    if as_json:
        click.echo(json.dumps(found))
        return
    for one in found["items"]:
        amount = _amount(one["open_minor"], one["currency"])
        due = _time(one["due_at_us"])
        click.echo(f"{one['number']:>8}  {one['payment']:15}  {due}  {amount:>20}  {one['buyer']}")
    if found["next_cursor"]:
        click.echo("and more: ask with --json, or look at the page", err=True)


@settlement.command()
@click.argument("award_id")
@_JSON
@_URL
@with_settings
def award(settings: Settings, award_id: str, as_json: bool, url: str | None) -> None:
    """Tell the whole story of the award AWARD_ID."""
    found = run_async(_get(_server(settings, url), ("awards", award_id)))
    if as_json:
        click.echo(json.dumps(found))
        return
    it, invoice = found["award"], found["invoice"]
    payment = f"{invoice['number']}, {invoice['payment']}" if invoice else "none yet"
    click.echo(f"award    {award_id}, {it['state']}")
    click.echo(f"lot      {it['goods']['number']} {it['goods']['title']}")
    click.echo(f"invoice  {payment}")
    for told in found["told"]:
        facts = " ".join(f"{name}={value}" for name, value in told["facts"].items())
        click.echo(f"{_time(told['at_us'])}  {told['kind']}  {facts}".rstrip())
    for line in found["lines"]:
        amount = _amount(line["amount_minor"], it["currency"])
        click.echo(f"{_time(line['at_us'])}  {line['debit']} to {line['credit']}  {amount}")
    for op in found["operations"]:
        click.echo(f"{op['op_id']:>8}  {op['operation']}  {op['state']}  {op['note']}".rstrip())


@settlement.command()
@_MONTH
@_JSON
@_URL
@with_settings
def balances(settings: Settings, month: str | None, as_json: bool, url: str | None) -> None:
    """Say what every currency's accounts stand at, what is free, and whether Stripe says the same.

    The exit code is 1 if the books and Stripe differ.
    """
    query = [("month", month)] if month else []
    found = run_async(_get(_server(settings, url), ("balances",), query))
    if as_json:
        click.echo(json.dumps(found))
    for book in found["items"]:
        if not as_json:
            _say_book(book)
        if book["difference_minor"]:
            click.get_current_context().exit(1)


@settlement.command()
@click.argument("whose", type=click.Choice(WHOSE))
@click.argument("subject", required=False, default="")
@_MONTH
@click.option("--day", metavar="YYYY-MM-DD", help="Of this day of the books, in UTC.")
@_CURRENCY
@click.option("--csv", "as_csv", is_flag=True, help="As a table.")
@_URL
@with_settings
def statement(
    settings: Settings,
    whose: str,
    subject: str,
    month: str | None,
    day: str | None,
    currency: str,
    as_csv: bool,
    url: str | None,
) -> None:
    """Print a statement of an award, a sale, a party, or of all; JSON without --csv."""
    query = [("of", whose.upper()), ("currency", currency)]
    given = (("subject", subject), ("month", month), ("day", day))
    query += [(name, value) for name, value in given if value]
    name = "statement.csv" if as_csv else "statement"
    click.echo(run_async(_bytes(_server(settings, url), (name,), query)).decode(), nl=not as_csv)


@settlement.command()
@click.argument("program", type=click.Choice(["quickbooks", "hledger", "xero"]))
@click.option("--month", metavar="YYYY-MM", required=True, help="Of this month.")
@_CURRENCY
@click.option("--code", "codes", metavar="KIND=CODE", multiple=True, help="Xero's, for an account.")
@click.option("--out", type=click.Path(dir_okay=False, writable=True), required=True)
@_URL
@with_settings
def export(
    settings: Settings,
    program: str,
    month: str,
    currency: str,
    codes: tuple[str, ...],
    out: str,
    url: str | None,
) -> None:
    """Write a month's journals for PROGRAM into a file."""
    names = {"quickbooks": "quickbooks.csv", "hledger": "hledger.journal", "xero": "xero.zip"}
    query = [("month", month), ("currency", currency), *(("code", code) for code in codes)]
    data = run_async(_bytes(_server(settings, url), ("exports", names[program]), query))
    with click.open_file(out, "wb") as file:
        file.write(data)
    click.echo(f"{out}: {len(data):,} bytes")


@settlement.command("end-of-day")
@click.argument("day", metavar="YYYY-MM-DD")
@_CURRENCY
@click.option("--zone", default="UTC", help="On whose clocks; UTC without it.")
@click.option("--close", "closes", is_flag=True, help="Close it, if nothing keeps it open.")
@_JSON
@_URL
@with_settings
def end_of_day(
    settings: Settings,
    day: str,
    currency: str,
    zone: str,
    closes: bool,
    as_json: bool,
    url: str | None,
) -> None:
    """Report the end of a DAY: books beside Stripe's, and what keeps it open.

    The exit code is 1 if something does.
    """
    query = [("day", day), ("currency", currency), ("zone", zone)]
    server = _server(settings, url)
    if closes:
        run_async(_post(server, ("day",), {"day": day, "currency": currency, "zone": zone}))
        server = _server(settings, url)
    found = run_async(_get(server, ("day",), query))
    if as_json:
        click.echo(json.dumps(found))
    else:
        report = found["report"]
        for name in ("booked", "stripe"):
            click.echo(f"{name:8} {_amount(report[f'{name}_closing_minor'], currency)}")
        click.echo(f"closed   {'yes' if found['closed'] else 'no'}")
        for words in found["keeps_open"]:
            click.echo(f"open: {words}")
    if found["keeps_open"] and not found["closed"]:
        click.get_current_context().exit(1)


@settlement.group()
def month() -> None:
    """A month of the books."""


@month.command("show")
@click.argument("month_", metavar="YYYY-MM")
@_CURRENCY
@_URL
@with_settings
def month_show(settings: Settings, month_: str, currency: str, url: str | None) -> None:
    """Report a month as JSON: ageing, taxes, certificates, exceptions, and what keeps it open."""
    query = [("month", month_), ("currency", currency)]
    click.echo(json.dumps(run_async(_get(_server(settings, url), ("month",), query))))


@month.command("close")
@click.argument("month_", metavar="YYYY-MM")
@_CURRENCY
@click.option("--yes", is_flag=True, help="Do not ask.")
@_URL
@with_settings
def month_close(settings: Settings, month_: str, currency: str, yes: bool, url: str | None) -> None:
    """Close a month, and all before it, for good."""
    if not yes:
        click.confirm(f"Close {month_} in {currency}? It is never opened again", abort=True)
    run_async(_post(_server(settings, url), ("month",), {"month": month_, "currency": currency}))
    click.echo(f"{month_}: closed in {currency}")


@settlement.group()
def payouts() -> None:
    """Bank files: made by one person, released by another."""


@payouts.command("due")
@_CURRENCY
@_JSON
@_URL
@with_settings
def payouts_due(settings: Settings, currency: str, as_json: bool, url: str | None) -> None:
    """Say what a bank file would pay now, and which files there are."""
    found = run_async(_get(_server(settings, url), ("bank-files",), [("currency", currency)]))
    if as_json:
        click.echo(json.dumps(found))
        return
    for item in found["due"]["items"]:
        click.echo(f"{_amount(item['amount_minor'], currency):>20}  {item['payee_name']}")
    for batch in found["items"]:
        amount = _amount(batch["total_minor"], batch["currency"])
        click.echo(f"file {batch['batch_id']}: {batch['state']}, {amount}")


@payouts.command("make")
@_CURRENCY
@_JSON
@_URL
@with_settings
def payouts_make(settings: Settings, currency: str, as_json: bool, url: str | None) -> None:
    """Make a bank file of what is due."""
    key = str(uuid4())
    made = run_async(_post(_server(settings, url), ("bank-files",), {"currency": currency}, key))
    _say_file(made, as_json=as_json)


@payouts.command("release")
@click.argument("number", type=click.IntRange(min=1))
@_JSON
@_URL
@with_settings
def payouts_release(settings: Settings, number: int, as_json: bool, url: str | None) -> None:
    """Release the bank file NUMBER, as another person than who made it."""
    made = run_async(_post(_server(settings, url), ("bank-files", str(number), "release")))
    _say_file(made, as_json=as_json)


def _server(settings: Settings, url: str | None) -> Opening:
    """The token comes by the environment: every user of the machine could read an argument."""
    if settings.token is None:
        raise click.UsageError("put an API token with the scope staff into SOFTCLOSE_TOKEN")
    here = settings.public_url or f"http://{settings.http_host}:{settings.http_port}"
    return desk_server(url or here, settings.token.get_secret_value(), "settlement")


async def _get(opening: Opening, path: tuple[str, ...], query: Query = ()) -> Any:
    async with opening as server:
        return await server.json("GET", *path, query=query)


async def _bytes(opening: Opening, path: tuple[str, ...], query: Query = ()) -> bytes:
    async with opening as server:
        return await server.bytes("GET", *path, query=query)


async def _post(
    opening: Opening, path: tuple[str, ...], body: object = None, key: str | None = None
) -> Any:
    async with opening as server:
        more: dict[str, Any] = {} if key is None else {"Idempotency_Key": key}
        if body is not None:
            more |= {"body": json.dumps(body).encode(), "Content_Type": "application/json"}
        said = await server.bytes("POST", *path, **more)
        return json.loads(said) if said else None


def _say_file(made: Any, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(made))
        return
    batch = made["batch"]
    amount = _amount(batch["total_minor"], batch["currency"])
    click.echo(f"file {batch['batch_id']}: {batch['state']}, {batch['items']} payments, {amount}")


def _say_book(book: Any) -> None:
    currency = book["currency"]
    position = book["position"]
    for name, minor in (
        ("stripe, by our books", position["stripe_minor"]),
        ("stripe, by its own", book["stripe_net_minor"]),
        ("difference", book["difference_minor"]),
        ("bank", position["bank_minor"]),
        ("free to pay out", book["free_minor"]),
    ):
        click.echo(f"{name:24} {_amount(minor, currency):>20}")
    for row in book["trial"]:
        debit = _amount(row["on_debit_minor"] or None, currency)
        credit = _amount(row["on_credit_minor"] or None, currency)
        click.echo(f"{row['kind']:24} {debit:>20} {credit:>20}")


def _amount(minor: int | None, currency: str | None) -> str:
    if minor is None or currency is None:
        return ""
    return f"{format_minor(minor, currency)} {currency}"


def _time(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M")
