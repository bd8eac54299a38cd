"""The page of who may do what, made from the table: ``python -m accounts.permissions_page``."""

from accounts.permissions import (
    ACTIONS_OF_SCOPE,
    MEANINGS,
    PERMISSIONS,
    Action,
    Capacity,
    Ownership,
)

_INTRODUCTION = """\
# Who may do what

One table, `accounts/permissions.py`; what is absent is refused. Somebody acts in every capacity
that their roles give, and as guest and member besides. What the object of an action is to them:
**s** their own, **t** their team's, **f** another organisation's, **p** everybody's. What is not
theirs to see is answered byte for byte like what does not exist. Staff without a second factor
are members only. This page is made by `python -m accounts.permissions_page > docs/permissions.md`.
"""

_LETTERS = {
    Ownership.SELF: "s",
    Ownership.TEAM: "t",
    Ownership.FOREIGN: "f",
    Ownership.PUBLIC: "p",
}


def permissions_page() -> str:
    """docs/permissions.md."""
    titles = [capacity.replace("_", " ").lower() for capacity in Capacity]
    actions = [
        _INTRODUCTION,
        f"| action | what | {' | '.join(titles)} |",
        f"| --- | --- |{' --- |' * len(titles)}",
        *(_row(action) for action in Action),
    ]
    scopes = [
        "",
        "## API tokens",
        "",
        "A token does what its person may, within its scopes; besides that what guests may.",
        "",
        "| scope | actions |",
        "| --- | --- |",
        *(
            f"| `{scope}` | {' '.join(f'`{action}`' for action in sorted(reached))} |"
            for scope, reached in ACTIONS_OF_SCOPE.items()
        ),
    ]
    return "\n".join([*actions, *scopes]) + "\n"


def _row(action: Action) -> str:
    cells = [
        "".join(
            letter
            for ownership, letter in _LETTERS.items()
            if ownership in PERMISSIONS[action].get(capacity, frozenset())
        )
        for capacity in Capacity
    ]
    return f"| `{action}` | {MEANINGS[action]} | {' | '.join(cells)} |"


if __name__ == "__main__":
    print(permissions_page(), end="")  # noqa: T201 - a page for standard output
