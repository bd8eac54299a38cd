"""Numbers of bank accounts: what can be checked of one before any money is sent to it. Pure.

A checksum tells a slip of the hand, not whose account it is: so what is changed stays frozen for a
time, and its owners are told.
"""

import re
from typing import Final

# Letters and digits that a country's IBAN has: the IBAN registry of SWIFT, release 99.
IBAN_LENGTHS: Final = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30,
    "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28,
    "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip

_ROUTING: Final = re.compile(r"[0-9]{9}")
# ACH has room for 17; shorter than four there are none, and the last four are shown.
_ACCOUNT: Final = re.compile(r"[0-9]{4,17}")
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC: Final = re.compile(r"[A-Z]{4}([A-Z]{2})[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_WEIGHTS: Final = (3, 7, 1, 3, 7, 1, 3, 7, 1)


def plain(text: str) -> str:
    """As it is kept: without the blanks and hyphens by which people group digits."""
    return re.sub(r"[ \-]", "", text).upper()


def routing_fault(routing: str) -> str | None:
    """What is wrong with a routing number of the American Bankers Association; ``None``: nothing
    that can be seen. Its digits by 3, 7, 1 in turn sum to a multiple of ten."""
    if not _ROUTING.fullmatch(routing):
        return "a routing number has nine digits"
    if sum(int(digit) * weight for digit, weight in zip(routing, _WEIGHTS, strict=True)) % 10:
        return "the routing number's check digit is wrong"
    # 00 is the government's, 01-12 the districts', 21-32 thrift, 61-72 electronic, 80 traveller's.
    district = int(routing[:2])
    if not (1 <= district <= 12 or 21 <= district <= 32 or 61 <= district <= 72):
        return "no bank's routing number begins so"
    return None


def account_fault(account: str) -> str | None:
    """What is wrong with an account number at a bank of the United States."""
    if not _ACCOUNT.fullmatch(account):
        return "an account number has from 4 to 17 digits"
    if not account.strip("0"):
        return "an account number is not all zeros"
    return None


def iban_fault(iban: str, country: str) -> str | None:
    """What is wrong with an international account number (ISO 13616): its country, its length, or
    its two check digits (modulo 97)."""
    if not _IBAN.fullmatch(iban):
        return "an IBAN is two letters, two digits, and up to thirty letters and digits"
    if iban[:2] != country:
        return f"the IBAN is one of {iban[:2]}, not of {country}"
    length = IBAN_LENGTHS.get(country)
    if length is None:
        return f"{country} has no IBANs"
    if len(iban) != length:
        return f"an IBAN of {country} has {length} characters, not {len(iban)}"
    if int("".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])) % 97 != 1:
        return "the IBAN's check digits are wrong"
    return None


def bic_fault(bic: str, country: str) -> str | None:
    """What is wrong with a bank's code (ISO 9362)."""
    found = _BIC.fullmatch(bic)
    if found is None:
        return "a BIC has 8 or 11 characters, such as DEUTDEFF"
    if found[1] != country:
        return f"the BIC is one of {found[1]}, not of {country}"
    return None
