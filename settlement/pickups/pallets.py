"""The name of a pallet: what its label says in letters and in Code 128. Pure.

It follows from the award and the pallet's number, so that labels, documents and the dock agree
without asking each other; and it is short, since a bar code is as wide as its text is long. It says
nothing of whose the goods are: a label can be read by everybody who passes.
"""

import base64
from hashlib import sha256
from typing import Final, NewType

from settlement.ids import AwardId

PalletId = NewType("PalletId", str)

_PREFIX: Final = "SC"
# Ten letters are fifty bits: a clash is refused by the tables, and not to be expected.
_LETTERS: Final = 10
# Digits of a serial shipping container code.
_SSCC: Final = 18
# What a scanner, or a person who types, may send.
MAX_CODE: Final = 64


def pallet_id(award_id: AwardId, number: int) -> PalletId:
    """The id of an award's pallet, numbered from 1: ``SC7K2M9QXT4A-01``."""
    assert number >= 1
    digest = base64.b32encode(sha256(award_id.encode()).digest()).decode()
    return PalletId(f"{_PREFIX}{digest[:_LETTERS]}-{number:02}")


def pallet_ids(award_id: AwardId, pallets: int) -> list[PalletId]:
    """Those of all of its pallets; loose cases stand as one."""
    return [pallet_id(award_id, number) for number in range(1, max(1, pallets) + 1)]


def sscc_of_scan(code: str) -> str | None:
    """The SSCC of a GS1-128 label, with or without the identifier (00) before it; else None."""
    digits = "".join(letter for letter in code[:MAX_CODE] if letter not in "() \x1d\r\n\t")
    if not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits) == _SSCC + 2 and digits.startswith("00"):
        return digits[2:]
    return digits if len(digits) == _SSCC else None


def as_scanned(code: str) -> PalletId:
    """The id that somebody meant who typed it in small letters or with blanks."""
    return PalletId("".join(code[:MAX_CODE].split()).upper())
