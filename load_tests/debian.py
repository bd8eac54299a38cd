"""Programs that peers need: found on PATH, or installed from Debian's packages where that goes."""

import os
import shutil
import subprocess
import sys
from typing import Final

from foundation.errors import OperatorError

INSTALL_TIMEOUT_S: Final = 600.0
SYSTEM_FOLDERS: Final = ("/usr/sbin", "/sbin")  # servers, which an ordinary PATH does not name


class NoProgram(OperatorError):
    """A program is missing and could not be installed."""


def find_program(name: str, *, package: str) -> str:
    """Where a program is; installs ``package`` (one or more, with spaces) if there is none.

    Raises `NoProgram`, saying what to install.
    """
    found = _find(name)
    if found is None:
        install(package)
        found = _find(name)
    if found is None:
        raise NoProgram(f"{package} was installed, but there is no {name} on PATH")
    return found


def install(package: str) -> None:
    """Install Debian's packages; raises `NoProgram` where that cannot be."""
    advice = f"install {package} (Debian: apt-get install {package})"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoProgram(f"needs {package}; {advice}")
    print(f"installing {package} with apt-get", file=sys.stderr)
    # Installing must not start a server: ours are started here, and end with us.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["install", "-qq", "-y", "--no-install-recommends", *package.split()]
    for arguments in (["update", "-qq"], install):
        done = subprocess.run(
            ["apt-get", *arguments],  # noqa: S607 - Debian's, wherever PATH has it
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    if done.returncode:
        raise NoProgram(f"apt-get could not install it; {advice}")


def _find(name: str) -> str | None:
    path = os.pathsep.join([os.environ.get("PATH", ""), *SYSTEM_FOLDERS])
    return shutil.which(name, path=path)
