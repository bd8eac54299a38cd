"""Tells people who are here at once: a frame on each of their live connections, and no more.

It is called after the commit. Whoever is not here, or whose frame is lost, has the list.
"""

from collections.abc import Iterable
from typing import Protocol

import msgspec

from auction.ids import PersonId
from bidder_gateway.notices.book import Entered
from bidder_gateway.notices.views import view_of
from bidder_gateway.protocol import NoticeFrame, ServerFrame


class LivePages(Protocol):
    """The live connections of people; ``bidder_gateway.hub`` has them."""

    def is_here(self, person_id: PersonId) -> bool:
        """Whether the person has a connection."""
        ...

    def tell_person(self, person_id: PersonId, frame: ServerFrame) -> None:
        """Send a frame to each of them; never waits."""
        ...


class Teller:
    """Sends notices to pages that are open."""

    def __init__(self, pages: LivePages) -> None:
        self._pages = pages

    def tell(self, entered: Iterable[Entered]) -> None:
        """These are durable."""
        for one in entered:
            person_id = PersonId(one.notice.person_id)
            if one.listed and self._pages.is_here(person_id):
                notice = msgspec.to_builtins(view_of(one.notice))
                self._pages.tell_person(person_id, NoticeFrame(notice=notice))
