"""Names of what this room keeps. Every id is a ``NewType``: a bare ``str`` never crosses a border.

An id is a word of letters and digits, so that it can stand in a URL, a log line and a file name.
An organisation's id is also the id by which the engine knows it, as bidder or as liquidator; a
person's id is the engine's actor.
"""

import base64
import re
import secrets
from typing import NewType

OrganisationId = NewType("OrganisationId", str)
PersonId = NewType("PersonId", str)
# Not the secret in the cookie, but the session's name in lists, logs and revocations.
SessionId = NewType("SessionId", str)
TokenId = NewType("TokenId", str)
InvitationId = NewType("InvitationId", str)
DocumentId = NewType("DocumentId", str)
CertificateId = NewType("CertificateId", str)

# As the engine has it (``auction.ids``), for ids that a person chose.
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:\-]{0,63}")

# Ids are no secrets, but nobody should count our customers by them: eighty random bits.
_RANDOM_BYTES = 10


def new_id(kind: str) -> str:
    """A new id such as ``person-4fkq3mzv7xw2a6ty``."""
    return f"{kind}-{base64.b32encode(secrets.token_bytes(_RANDOM_BYTES)).decode().lower()}"
