"""Lists of objects (docs.stripe.com/api/pagination) and ``expand`` (/api/expanding_objects)."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.problems import Refused, invalid, missing
from settlement.stripe_simulator.store import public
from settlement.stripe_simulator.work import Work, kind_of

Json = dict[str, Any]

MAX_LIMIT, DEFAULT_LIMIT = 100, 10
MAX_EXPANSIONS, MAX_DEPTH = 20, 4

PAGE: Final[p.Shape] = {"limit": p.integer, "starting_after": p.text, "ending_before": p.text}
CREATED: Final[p.Shape] = {"created": p.created_range}


def page(
    work: Work,
    kind: str,
    params: Json,
    url: str,
    *,
    fits: Callable[[Json], bool] = lambda _: True,
    rows: Iterable[Json] | None = None,
) -> Json:
    """A page of a kind's objects, the newest first."""
    limit = params.get("limit", DEFAULT_LIMIT)
    if not 1 <= limit <= MAX_LIMIT:
        raise invalid(f"Limit must be between 1 and {MAX_LIMIT}.", "limit")
    after, before = params.get("starting_after"), params.get("ending_before")
    if after is not None and before is not None:
        raise invalid("You may only specify one of these: starting_after, ending_before.", "limit")
    cursor = after or before
    if cursor is not None and work.find(kind, cursor) is None:
        raise missing(kind, cursor, "starting_after" if after else "ending_before")
    within = params.get("created", {})
    found = (
        row
        for row in (work.rows(kind) if rows is None else rows)
        if _inside(row["created"], within) and fits(row)
    )
    taken = _newer(found, before, limit) if before else _older(found, after, limit)
    data = taken[-limit:] if before else taken[:limit]
    more = len(taken) > limit
    return {"object": "list", "data": data, "has_more": more, "url": url}


def matches(params: Json, *names: str) -> Callable[[Json], bool]:
    """Objects whose members are as the parameters say, where given."""
    wanted = {name: params[name] for name in names if params.get(name) is not None}
    return lambda row: all(row.get(name) == value for name, value in wanted.items())


def _older(found: Iterable[Json], after: str | None, limit: int) -> list[Json]:
    taken: list[Json] = []
    skipping = after is not None
    for row in found:
        if skipping:
            skipping = row["id"] != after
            continue
        taken.append(row)
        if len(taken) > limit:
            break
    return taken


def _newer(found: Iterable[Json], before: str, limit: int) -> list[Json]:
    """The ones just newer than the cursor, and one more when there is one."""
    taken: list[Json] = []
    for row in found:
        if row["id"] == before:
            break
        taken.append(row)
    return taken[-(limit + 1) :]


def _inside(created: int, within: dict[str, int]) -> bool:
    return (
        within.get("gt", created - 1) < created
        and within.get("gte", created) <= created
        and created < within.get("lt", created + 1)
        and created <= within.get("lte", created)
    )


def expanded(work: Work, answer: Json, paths: list[str]) -> Json:
    """A copy for the world, in which the named ids are replaced by their objects."""
    shown: Json = public(answer)
    for row in shown["data"] if shown["object"] == "list" else [shown]:
        _as_of_now(work, row)
    if len(paths) > MAX_EXPANSIONS:
        raise invalid(f"At most {MAX_EXPANSIONS} properties can be expanded.", "expand")
    for path in paths:
        steps = path.split(".")
        if len(steps) > MAX_DEPTH:
            raise invalid(f"You cannot expand more than {MAX_DEPTH} levels of a property.", path)
        if not _expand(work, shown, steps):
            raise Refused(
                f"This property cannot be expanded ({path[:100]}).", param="expand", kept=False
            )
    return shown


def _as_of_now(work: Work, row: Json) -> None:
    """Money becomes available by time alone, so its rows are not written again for it."""
    if row["object"] == "balance_transaction":
        row["status"] = "pending" if row["available_on"] > work.now else "available"


def _expand(work: Work, inside: Any, steps: list[str]) -> bool:
    """Whether the path leads anywhere."""
    if isinstance(inside, list):
        # Every one, also after one that cannot be.
        return False not in [_expand(work, item, steps) for item in inside]
    if not isinstance(inside, dict) or steps[0] not in inside:
        return inside is None
    step, rest = steps[0], steps[1:]
    value = inside[step]
    if isinstance(value, str):
        kind = kind_of(value)
        found = work.changes.find(kind, value) if kind else None
        if found is None:
            return False
        inside[step] = value = public(found)
        _as_of_now(work, value)
    return _expand(work, value, rest) if rest and value is not None else True
