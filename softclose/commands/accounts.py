"""``softclose accounts``: the first admin, and help for people who cannot get in."""

import sys

import click

from accounts import by_operator
from accounts.identity import OrganisationKind, Role
from accounts.ids import OrganisationId
from softclose.accounts_room import accounts_room
from softclose.command_line import run_async, with_settings
from softclose.settings import Settings

_kind = click.Choice([kind.value.lower() for kind in OrganisationKind])


@click.group()
def accounts() -> None:
    """Make accounts, list them, and help people who cannot get in.

    A password is asked for, or read as the first line of standard input; never an argument,
    which every user of the machine could read.
    """


@accounts.command()
@click.argument("mail")
@click.option("--name", required=True, help="The person's name.")
@click.option(
    "--kind", type=_kind, default="house", show_default=True, help="Of what kind of organisation."
)
@click.option("--organisation", metavar="NAME", help="A new organisation of this name.")
@click.option("--id", "organisation_id", metavar="ID", help="Its id; without it one is made up.")
@click.option("--into", metavar="ID", help="An organisation that is there already.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([role.value for role in Role]),
    help="Repeat it for several; without it all that the kind has.",
)
@click.option("--time-zone", default="UTC", show_default=True, help="Such as America/Chicago.")
@with_settings
def create(
    settings: Settings,
    mail: str,
    name: str,
    kind: str,
    organisation: str | None,
    organisation_id: str | None,
    into: str | None,
    roles: tuple[str, ...],
    time_zone: str,
) -> None:
    """Make an account for MAIL: by default one of staff, in the house.

    This is how the first admin comes to be. Staff set up a second factor at their first
    sign-in.
    """
    account = by_operator.NewAccount(
        mail=mail,
        name=name,
        kind=OrganisationKind(kind.upper()),
        organisation_name=organisation,
        organisation_id=organisation_id,
        into=None if into is None else OrganisationId(into),
        roles=frozenset(Role(role) for role in roles),
        time_zone=time_zone,
    )
    if account.kind is not OrganisationKind.HOUSE and (organisation is None) == (into is None):
        raise click.UsageError("name a new --organisation, or one to join --into")
    made = run_async(_create(settings, account, _password()))
    click.echo(f"made {made.person_id} in {made.organisation_id}")


@accounts.command("list")
@click.option("--kind", type=_kind, help="Only people of organisations of this kind.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=1_000, show_default=True, help="At most so many."
)
@with_settings
def list_(settings: Settings, kind: str | None, limit: int) -> None:
    """List people: address, kind, organisation, roles, whether they have a second factor."""
    wanted = None if kind is None else OrganisationKind(kind.upper())
    for account in run_async(_list(settings, wanted, limit)):
        factor = "second factor" if account.second_factor else "password only"
        click.echo(
            "\t".join(
                (
                    account.mail,
                    account.kind.value.lower(),
                    account.organisation_id,
                    _one_line(account.organisation_name),
                    ",".join(account.roles),
                    factor,
                )
            )
        )


@accounts.command("reset-password")
@click.argument("mail")
@with_settings
def reset_password(settings: Settings, mail: str) -> None:
    """Set the password of MAIL; the person is signed out everywhere."""
    run_async(_reset_password(settings, mail, _password()))
    click.echo("the password is set")


@accounts.command("reset-second-factor")
@click.argument("mail")
@with_settings
def reset_second_factor(settings: Settings, mail: str) -> None:
    """Remove the second factor of MAIL, who has lost it.

    The person is signed out everywhere, their API tokens end, and they are told by mail. Staff
    set up another at their next sign-in. Make sure that it is them who ask.
    """
    run_async(_reset_second_factor(settings, mail))
    click.echo("the second factor is removed")


async def _create(
    settings: Settings, account: by_operator.NewAccount, password: str
) -> by_operator.Made:
    async with accounts_room(settings) as room:
        return await by_operator.create(room, account, password)


async def _list(
    settings: Settings, kind: OrganisationKind | None, limit: int
) -> list[by_operator.ListedAccount]:
    async with accounts_room(settings) as room:
        return list(await by_operator.list_accounts(room, kind, limit))


async def _reset_password(settings: Settings, mail: str, password: str) -> None:
    async with accounts_room(settings) as room:
        await by_operator.reset_password(room, mail, password)


async def _reset_second_factor(settings: Settings, mail: str) -> None:
    async with accounts_room(settings) as room:
        await by_operator.reset_second_factor(room, mail)


def _password() -> str:
    """Asked for twice on a terminal; elsewhere the first line of standard input."""
    if sys.stdin.isatty():
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return asked
    line = sys.stdin.readline()
    if not line:
        raise click.UsageError("give the password as the first line of standard input")
    return line.removesuffix("\n").removesuffix("\r")


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
