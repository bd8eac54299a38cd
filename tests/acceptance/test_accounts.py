"""``softclose accounts``: the first admin, and people who cannot get in."""

import os
import pty
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from accounts import second_factor
from accounts.ids import PersonId
from tests.accounts import PASSWORD, VISITOR, house, session_id_of
from tests.accounts_site import site_of
from tests.in_process import here_beside
from tests.processes import Ended, environment, softclose

ADA, KIM = "ada@example.com", "kim@example.com"
OTHER = "another long pass phrase"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input is no terminal, and has a password for each of several commands."""
    monkeypatch.setattr(sys, "stdin", StringIO(f"{PASSWORD}\n" * 9))


async def accounts(url: str, *words: str) -> Ended:
    return await here_beside("accounts", *words, SOFTCLOSE_DATABASE_URL=url)


def test_the_first_admin_is_made_on_an_empty_installation(tmp_path: Path) -> None:
    program = [sys.executable, "-c", "from softclose.cli import main; main()"]
    words = ["--data", str(tmp_path), "accounts", "create", ADA, "--name", "Ada"]
    done = subprocess.run(
        [*program, *words],
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        timeout=60,
        env=environment({}),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("made person-")
    listed = softclose("--data", tmp_path, "accounts", "list")
    assert listed.out.split("\t")[:2] == [ADA, "house"]
    assert "admin,settlement\tpassword only" in listed.out


def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    child, terminal = pty.fork()
    if child == 0:
        program = "from softclose.cli import main; main()"
        words = ["--data", str(tmp_path), "accounts", "create", ADA, "--name", "Ada"]
        os.execve(  # noqa: S606 - ourselves, on a terminal of the test's own
            sys.executable, [sys.executable, "-c", program, *words], environment({})
        )
    said = b""
    while b"Password: " not in said:
        said += os.read(terminal, 1_000)
    os.write(terminal, f"{PASSWORD}\n".encode())
    while said.count(b": ") < 2:
        said += os.read(terminal, 1_000)
    os.write(terminal, f"{PASSWORD}\n".encode())
    try:
        while chunk := os.read(terminal, 1_000):
            said += chunk
    except OSError:  # how Linux says that the other side of a terminal is closed
        pass
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, said
    assert b"made person-" in said
    assert PASSWORD.encode() not in said


async def test_people_of_every_kind_are_made_and_listed(database_url: str, typed: None) -> None:
    made = await accounts(database_url, "create", ADA, "--name", "Ada")
    assert made.code == 0, made.err
    house_id = made.out.split()[-1]
    second = await accounts(
        database_url, "create", "bo@example.com", "--name", "Bo", "--role", "settlement"
    )
    assert second.out.split()[-1] == house_id  # there is one house
    reseller = ("--kind", "reseller", "--organisation", "Hart Resale", "--id", "hart")
    assert (await accounts(database_url, "create", KIM, "--name", "Kim", *reseller)).code == 0
    into = ("--kind", "reseller", "--into", "hart", "--role", "bidder")
    joined = await accounts(database_url, "create", "ann@example.com", "--name", "Ann", *into)
    assert joined.out.split()[-1] == "hart"
    listed = (await accounts(database_url, "list", "--kind", "reseller")).out.splitlines()
    assert [line.split("\t")[0] for line in listed] == ["ann@example.com", KIM]
    assert listed[0].split("\t")[2:5] == ["hart", "Hart Resale", "bidder"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("create", "nobody", "--name", "x"), "Enter a mail address"),
        (("create", KIM, "--name", ""), "Use plain letters"),
        (("create", KIM, "--name", "x", "--role", "bidder"), "not for people of this"),
        (("create", KIM, "--name", "x", "--time-zone", "Mars"), "Choose a time zone"),
        (("create", KIM, "--name", "x", "--kind", "reseller"), "name a new --organisation"),
        (
            ("create", KIM, "--name", "x", "--kind", "reseller", "--into", "none"),
            "nothing of that name",
        ),
        (
            ("create", KIM, "--name=x", "--kind=reseller", "--organisation=x", "--id=a b"),
            "An id is",
        ),
        (("create", KIM), "--name"),
        (("reset-password", KIM), "nothing of that name"),
        (("reset-second-factor", KIM), "nothing of that name"),
    ],
)
async def test_what_cannot_be_is_one_line(
    database_url: str, typed: None, words: tuple[str, ...], says: str
) -> None:
    ended = await accounts(database_url, *words)
    assert ended.code != 0
    assert says in ended.err
    assert ended.err.count("\n") == 1


async def test_an_address_is_somebodys_once(database_url: str, typed: None) -> None:
    assert (await accounts(database_url, "create", ADA, "--name", "Ada")).code == 0
    again = await accounts(database_url, "create", ADA.upper(), "--name", "Ada")
    assert "signs in with this mail address already" in again.err


async def test_a_bad_password_is_refused_and_no_password_too(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for given, says in (("short\n", "At least 12"), ("\n", "At least 12"), ("", "standard input")):
        monkeypatch.setattr(sys, "stdin", StringIO(given))
        ended = await accounts(database_url, "create", ADA, "--name", "Ada")
        assert ended.code != 0
        assert says.lower() in ended.err.lower()
    assert (await accounts(database_url, "list")).out == ""


async def test_somebody_who_forgot_the_password_gets_another_from_the_operator(
    database_url: str, typed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await accounts(database_url, "create", ADA, "--name", "Ada")
    assert made.code == 0, made.err
    monkeypatch.setattr(sys, "stdin", StringIO(f"{OTHER}\r\n"))
    assert (await accounts(database_url, "reset-password", ADA)).out == "the password is set\n"
    async with house(database_url) as home, site_of(home) as site:
        old = await site.client().post("/sign-in", {"mail": ADA, "password": PASSWORD})
        assert old.status == 422
        await site.sign_in(ADA, OTHER)
        lines = await home.room.pool.fetch("select act, address from audit_event order by 1")
    acts = [line["act"] for line in lines if line["address"] == "command line"]
    assert acts == ["ORGANISATION_MADE", "PASSWORD_SET_BY_OPERATOR", "PERSON_MADE"]


async def test_staff_who_lost_the_second_factor_get_in_again(
    database_url: str, typed: None, tmp_path: Path
) -> None:
    made = await accounts(database_url, "create", ADA, "--name", "Ada")
    assert made.code == 0, made.err
    async with house(database_url) as home:
        person_id = PersonId(made.out.split()[1])
        _, identity = await home.session(person_id, second_factor=False)
        enrolment = await second_factor.begin(home.room, person_id)
        code = second_factor.code_at(enrolment.secret, home.clock())
        await second_factor.confirm(
            home.room, person_id, session_id_of(identity), code, VISITOR.actor
        )
    assert "\tsecond factor" in (await accounts(database_url, "list")).out
    ended = await here_beside(
        "--data",
        tmp_path,
        "accounts",
        "reset-second-factor",
        ADA,
        SOFTCLOSE_DATABASE_URL=database_url,
    )
    assert ended.out == "the second factor is removed\n"
    (letter,) = (tmp_path / "mail").iterdir()  # they are told
    assert b"A second factor was removed" in letter.read_bytes()
    assert "\tpassword only" in (await accounts(database_url, "list")).out
