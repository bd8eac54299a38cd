"""docs/settlement-lives.md: the diagrams and the moves of the lives, made from their tables.

``python -m settlement.lives_page > docs/settlement-lives.md`` writes it; a test compares.
"""

import sys

from settlement.deposit_life import DEPOSIT_LIFE
from settlement.lives import AWARD_LIFE, PAYMENT_LIFE, Life, StateT

_HEAD = """# The lives of a payment, of an award and of a deposit

Made by `python -m settlement.lives_page > docs/settlement-lives.md` from `settlement/lives.py` and
`settlement/deposit_life.py`. A move that is not here is refused.
"""

_PAYMENT = """
## The payment of an invoice

One for each invoice. It is PAID when nothing of it is left to pay: its lots that were cancelled or
are void were credited before.
"""

_AWARD = """
## The award of a lot

One for each lot that was sold, and another for the runner-up who takes it after a default.
"""

_DEPOSIT = """
## A buyer's deposit for a sale

One for each buyer and sale, held on a card that the buyer saved. It counts for registration while
the card promises it, and while what was taken of it is the buyer's credit.
"""


def lives_page() -> str:
    """The page as Markdown."""
    lives = (_PAYMENT, _life(PAYMENT_LIFE), _AWARD, _life(AWARD_LIFE), _DEPOSIT)
    return "".join((_HEAD, *lives, _life(DEPOSIT_LIFE)))


def _life(life: Life[StateT]) -> str:
    lines = ["\n```mermaid\nstateDiagram-v2\n", f"    [*] --> {life.start}\n"]
    moves = [
        (state, after, why) for state, afters in life.moves.items() for after, why in afters.items()
    ]
    lines += [f"    {state} --> {after}\n" for state, after, _ in moves]
    lines += [f"    {state} --> [*]\n" for state in life.moves if state in life.ends]
    lines.append("```\n\n| from | to | when |\n| --- | --- | --- |\n")
    lines += [f"| `{state}` | `{after}` | {why} |\n" for state, after, why in moves]
    return "".join(lines)


if __name__ == "__main__":
    sys.stdout.write(lives_page())
