"""Which amounts can be charged: docs.stripe.com/currencies."""

from typing import Final

from settlement.stripe_simulator.problems import Refused, invalid

MAX_AMOUNT: Final = 99_999_999  # "up to eight digits"

_ZERO: Final = frozenset((
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv",
    "xaf", "xof", "xpf",
))  # fmt: skip
_THREE: Final = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))
_TWO: Final = frozenset((
    "aed", "aud", "bgn", "brl", "cad", "chf", "czk", "dkk", "eur", "gbp", "hkd", "huf", "inr",
    "mxn", "myr", "nok", "nzd", "pln", "ron", "sek", "sgd", "thb", "usd", "zar",
))  # fmt: skip
# The smallest charge, in minor units, where it is not half a unit.
_SMALLEST: Final = {
    "aed": 200, "bgn": 100, "czk": 1_500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17_500,
    "jpy": 50, "mxn": 1_000, "myr": 200, "nok": 300, "pln": 200, "ron": 200, "sek": 300,
    "thb": 1_000,
}  # fmt: skip


def currency(value: str, name: str = "currency") -> str:
    """In lower case. Raises ``Refused`` for one that cannot be charged."""
    lower = value.lower()
    if lower not in _ZERO | _TWO | _THREE:
        raise invalid(f"Invalid currency: {value[:20]}.", name)
    return lower


def exponent(code: str) -> int:
    """How many decimals its smallest unit has."""
    return 0 if code in _ZERO else 3 if code in _THREE else 2


def smallest(code: str) -> int:
    """The smallest charge."""
    return _SMALLEST.get(code, (1, 1, 50, 500)[exponent(code)])


def positive(amount: int, code: str, name: str = "amount") -> int:
    """An amount that can move: positive, of at most eight digits, and of three decimals only with
    a 0 at its end, as Stripe's partners have it."""
    if amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.", name, "parameter_invalid_integer"
        )
    if amount > MAX_AMOUNT:
        raise Refused(
            "Amount must be no more than 999,999.99.",
            code="amount_too_large", param=name, kept=False,
        )  # fmt: skip
    if code in _THREE and amount % 10:
        raise invalid(f"The last digit of an amount in {code} must be 0.", name)
    return amount


def chargeable(amount: int, code: str, name: str = "amount") -> int:
    """An amount that a charge can have."""
    if positive(amount, code, name) < smallest(code):
        raise Refused(
            f"Amount must be at least {smallest(code)} in the smallest unit of {code}.",
            code="amount_too_small", param=name, kept=False,
        )  # fmt: skip
    return amount
