"""Search by a query: docs.stripe.com/search, /search#search-query-language.

A subset: terms joined by ``AND``, each a field or ``metadata['key']``, with ``:`` for equality and
``<``, ``>``, ``<=``, ``>=`` for numbers. "Don't use search for read-after-write flows": what is
younger than a minute is not found here, so that nobody comes to rely on it.
"""

import operator
import re
from collections.abc import Callable
from typing import Any, Final

from settlement.stripe_simulator import listing
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.problems import invalid, required
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]

SEARCHABLE_AFTER_S: Final = 60
MAX_TERMS: Final = 10  # Stripe's own bound
SEARCH: Final[p.Shape] = {"limit": p.integer, "page": p.text, "query": p.text}
FIELDS: Final = ("amount", "created", "currency", "customer", "email", "name", "phone", "status")

_TERM: Final = re.compile(
    r"""\s*(?:metadata\[(["'])(?P<key>[^"']{1,40})\1\]|(?P<field>[a-z_]+))"""
    r"""\s*(?P<compared>:|<=|>=|<|>)\s*(?:(["'])(?P<text>[^"']{0,500})\5|(?P<number>[0-9]{1,12}))\s*"""
)
_COMPARED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ":": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def searcher(kind: str, url: str) -> Callable[[Work, Json], Json]:
    """The operation that searches a kind."""

    def search(work: Work, params: Json) -> Json:
        if "query" not in params:
            raise required("query")
        terms = _terms(params["query"])
        old = work.now - SEARCHABLE_AFTER_S

        def fits(row: Json) -> bool:
            return row["created"] <= old and all(term(row) for term in terms)

        cursor = {"limit": params.get("limit", listing.DEFAULT_LIMIT)}
        if "page" in params:
            cursor["starting_after"] = params["page"]
        found = listing.page(work, kind, cursor, url, fits=fits)
        following = found["data"][-1]["id"] if found["has_more"] else None
        return found | {"object": "search_result", "next_page": following}

    return search


def _terms(query: str) -> list[Callable[[Json], bool]]:
    """Raises ``Refused`` for what is not understood."""
    parts = re.split(r"\s+AND\s+", query.strip())
    if len(parts) > MAX_TERMS:
        raise invalid(f"A query has at most {MAX_TERMS} terms.", "query")
    return [_term(part) for part in parts]


def _term(part: str) -> Callable[[Json], bool]:
    found = _TERM.fullmatch(part)
    if found is None or (found["field"] is not None and found["field"] not in FIELDS):
        raise invalid(f"We were unable to parse your search query: {part[:100]}", "query")
    compare = _COMPARED[found["compared"]]
    if found["compared"] != ":" and found["number"] is None:
        raise invalid("Only numbers can be compared.", "query")
    wanted = int(found["number"]) if found["number"] is not None else found["text"]

    def fits(row: Json) -> bool:
        value = row["metadata"].get(found["key"]) if found["key"] else row.get(found["field"])
        return type(value) is type(wanted) and compare(value, wanted)

    return fits
