"""What the pages have in common that ask the engine for something while a sale goes on."""

from typing import Final

from auction.commands import WithdrawalCause

CAUSES: Final = (
    (str(WithdrawalCause.SELLER), "We take it back"),
    (str(WithdrawalCause.RECALL), "A recall"),
    (str(WithdrawalCause.LAW), "The law asks for it"),
    (str(WithdrawalCause.SAFETY), "It is not safe"),
)
PAUSED: Final = "The sale is paused: no bids are taken and no lot ends."
RESUMED: Final = "The sale goes on."
NO_VERDICT: Final = "It may have been done, or not: look first."


class Fault(Exception):
    """Something was not said as it must be: at which field, and in which words."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def reason_of(text: str, field: str) -> str:
    """A reason that bidders read. Raises `Fault` without one."""
    if not text:
        raise Fault(field, "Give the reason: bidders read it.")
    return text


def sentence(text: str) -> str:
    """What the engine says, as a sentence."""
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."
