"""Groups of buyers, and whom a seller may invite, over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import word_of
from accounts.resellers import LEAST_LETTERS
from auction.desk.access import RUN, VIEW, own_desk, own_seller, seller_of, visible
from auction.desk.api_common import DESK, DeskPaging, row, wanted_desk
from auction.desk.buyer_groups import MAX_MEMBERS, BuyerGroup, BuyerGroups, GroupName
from auction.desk.guests import Guest, Guests
from auction.desk.refusals import Refusal
from auction.desk.seller import Seller
from auction.ids import ABidderId
from auction.terms import STORABLE
from foundation.http.answers import answer, created, no_content
from foundation.http.problems import INVALID
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route
from foundation.http.versions import version_seen

# Five thousand ids of 64 characters, quoted.
MAX_GROUP_BODY = 384 * 1_024


class GroupIn(Input):
    """A group's name and its members, by the ids that a search tells."""

    name: GroupName
    members: Annotated[tuple[ABidderId, ...], Meta(max_length=MAX_MEMBERS)] = ()


class Wanted(Input):
    """The first letters of a word of a reseller's name."""

    q: Annotated[str, Meta(min_length=LEAST_LETTERS, max_length=120, pattern=STORABLE)]


class GroupList(Struct, frozen=True):
    """A liquidator's groups, by name."""

    items: Sequence[BuyerGroup]


class GuestList(Struct, frozen=True):
    """Approved resellers, by name."""

    items: Sequence[Guest]


class GroupsApi:
    """Handlers."""

    def __init__(self, groups: BuyerGroups, guests: Guests) -> None:
        self._groups, self._guests = groups, guests

    def routes(self) -> list[Route]:
        """Their rows."""
        return [*self._of_all(), *self._of_one()]

    def _of_all(self) -> list[Route]:
        return [
            row(
                "GET",
                "/groups",
                self.groups,
                "A liquidator's groups of buyers",
                VIEW,
                Refusal.NOT_FOUND,
                answer=GroupList,
            ),
            row(
                "POST",
                "/groups",
                self.add_group,
                "A new group of buyers",
                RUN,
                *(Refusal.NOT_FOUND, Refusal.NAME_TAKEN, Refusal.TOO_MANY),
                body=GroupIn,
                max_body=MAX_GROUP_BODY,
                answer=BuyerGroup,
                status=201,
            ),
            row(
                "GET",
                "/resellers",
                self.resellers,
                "Approved resellers of whose names a word begins so, at most twenty",
                VIEW,
                Refusal.NOT_FOUND,
                query=Wanted,
                answer=GuestList,
                problems=(INVALID,),
            ),
        ]

    def _of_one(self) -> list[Route]:
        group = "/groups/{group_id}"
        return [
            row("GET", group, self.group, "A group of buyers", VIEW, answer=BuyerGroup),
            row(
                "PUT",
                group,
                self.change_group,
                "Rename a group, or replace its members; who is in a sale by it stays there",
                RUN,
                *(Refusal.NAME_TAKEN, Refusal.TOO_MANY),
                seen=True,
                body=GroupIn,
                max_body=MAX_GROUP_BODY,
                answer=BuyerGroup,
            ),
            row("DELETE", group, self.remove_group, "Remove a group", RUN, seen=True, status=204),
            row(
                "POST",
                f"{group}/bring-back",
                self.bring_group_back,
                "Undo the removal of a group",
                RUN,
                answer=BuyerGroup,
            ),
        ]

    async def groups(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/groups."""
        owner = wanted_desk(request, DeskPaging())
        return answer(request, GroupList(await self._groups.list(owner)))

    async def add_group(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/groups."""
        asked, by = await body_of(request, GroupIn), own_seller(request)
        group = await self._groups.add(by, asked.name, asked.members)
        return created(request, group, f"{DESK}/groups/{group.group_id}")

    async def group(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/groups/{group_id}."""
        group_id = _group_of(request)
        owner = visible(request, await self._groups.owner_of(group_id))
        group = await self._groups.read(owner, group_id)
        return answer(request, group, version=group.version)

    async def change_group(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/groups/{group_id}."""
        version, asked = version_seen(request), await body_of(request, GroupIn)
        by, group_id = await self._named(request)
        return answer(
            request, await self._groups.change(by, group_id, version, asked.name, asked.members)
        )

    async def remove_group(self, request: web.Request) -> web.StreamResponse:
        """DELETE /api/v1/desk/groups/{group_id}."""
        version = version_seen(request)
        by, group_id = await self._named(request)
        await self._groups.remove(by, group_id, version)
        return no_content()

    async def bring_group_back(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/groups/{group_id}/bring-back."""
        by, group_id = await self._named(request)
        return answer(request, await self._groups.bring_back(by, group_id))

    async def resellers(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/resellers: for who has a desk of its own."""
        own_desk(request)
        asked = query_of(request, Wanted)
        return answer(request, GuestList(await self._guests.search(asked.q)))

    async def _named(self, request: web.Request) -> tuple[Seller, str]:
        group_id = _group_of(request)
        return seller_of(request, await self._groups.owner_of(group_id)), group_id


def _group_of(request: web.Request) -> str:
    return word_of(request, "group_id")
