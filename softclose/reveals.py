"""Breaking the glass: maxima, reserves and secrets are shown only after it was written down why."""

import getpass
import json
import os
import platform
from collections.abc import Mapping

import structlog

from foundation.database import connect

_RECORD = """
insert into reveal (person, machine, reason, command, narrowed_to)
values ($1, $2, $3, $4, $5::jsonb)
"""

_logger = structlog.get_logger(__name__)


async def record_reveal(
    dsn: str, reason: str, command: str, narrowed_to: Mapping[str, str | int | None]
) -> None:
    """Durable when it returns: who is about to look, when, at what, and why."""
    narrowed = {name: value for name, value in narrowed_to.items() if value is not None}
    who = person()
    connection = await connect(dsn, name="reveal")
    try:
        await connection.execute(
            _RECORD, who, platform.node(), reason, command, json.dumps(narrowed)
        )
    finally:
        await connection.close()
    _logger.warning("revealed", person=who, reason=reason, command=command, **narrowed)


def person() -> str:
    """The user of this process, and who became it by sudo."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        user = f"uid {os.getuid()}"
    behind = os.environ.get("SUDO_USER")
    return f"{user} (sudo by {behind})" if behind and behind != user else user
