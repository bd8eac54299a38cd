"""Which versions of the peers a run was with."""

import json
import subprocess
from importlib.metadata import version

from bidder_gateway.sending import SEND_ALL, send_all_in_python
from load_tests.debian import find_program
from load_tests.peers.programs import NODE


def versions() -> dict[str, str]:
    """By name, as they say themselves."""
    locked = json.loads((NODE / "package-lock.json").read_text("utf-8"))
    return {
        "compiler": _first_line(find_program("gcc", package="gcc libc6-dev"), "--version"),
        "our_sending": "in Python" if SEND_ALL is send_all_in_python else "compiled",
        "node": _first_line(find_program("node", package="nodejs"), "--version"),
        "node_ws": locked["packages"]["node_modules/ws"]["version"],
        "websockets": version("websockets"),
        "nats": _first_line(find_program("nats-server", package="nats-server"), "--version"),
    }


def _first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]
