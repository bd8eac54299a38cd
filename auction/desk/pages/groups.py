"""/desk/groups: groups of buyers, who is in them, and who may be put in."""

from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import word_of
from accounts.resellers import LEAST_LETTERS
from auction.catalog.words import count_words
from auction.desk.access import RUN, VIEW, may_run, own_desk, own_seller, seller_of, visible
from auction.desk.api_common import REFUSALS
from auction.desk.api_groups import MAX_GROUP_BODY
from auction.desk.buyer_groups import MAX_GROUPS, BuyerGroup, GroupName
from auction.desk.pages.navigation import TABS
from auction.desk.pages.room import DeskPagesRoom, show, status_of
from auction.desk.refusals import Refusal, Refused
from auction.desk.seller import Seller
from auction.ids import ABidderId, BidderId
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route

GROUPS: Final = "/desk/groups"
# Names that fill a screen and its scroll; the rest are counted.
MEMBERS_SHOWN: Final = 500
FAULTS_SHOWN: Final = 5

_Name = Annotated[GroupName, Meta(extra={"message": "Give it a name of at most 60 characters."})]
_Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class NewGroup(Input):
    """A group's name, and who is in it, one a line."""

    name: _Name
    members: str = ""


class Changing(Input):
    """A group, and what is to change of it: its name, who comes in, who goes."""

    version: _Version
    name: _Name | None = None
    members: str = ""
    bidder: ABidderId | None = None


class GroupPages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one, told, size = f"{GROUPS}/{{group_id}}", REFUSALS.told, MAX_GROUP_BODY
        return [
            Route("GET", GROUPS, told(self.show), "Groups of buyers", VIEW),
            Route("POST", GROUPS, told(self.add), "A new group", RUN, max_body=size),
            Route("GET", one, told(self.group), "A group of buyers", VIEW),
            Route("POST", f"{one}/name", told(self.rename), "Rename a group", RUN),
            Route("POST", f"{one}/members", told(self.put_in), "Add members", RUN, max_body=size),
            Route("POST", f"{one}/leavers", told(self.take_out), "Remove a member", RUN),
            Route("POST", f"{one}/remove", told(self.remove), "Remove a group", RUN),
            Route("POST", f"{one}/bring-back", told(self.bring_back), "Undo that", RUN),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/groups; ``removed``: the group that was just removed, to bring it back."""
        return await self._list(request, blank())

    async def add(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/groups."""
        seller, form = own_seller(request), await form_of(request, NewGroup)
        if form.valid is None:
            return await self._list(request, form, 422)
        meant = await self._room.guests.meant(form.valid.members, ())
        if meant.faults:
            return await self._list(request, form.refused("members", _said(meant.faults)), 422)
        try:
            group = await self._room.groups.add(seller, form.valid.name, meant.bidder_ids)
        except Refused as refused:
            form = form.refused(refused.field, refused.message)
            return await self._list(request, form, status_of(refused))
        return see_other(_path(group.group_id), f"The group “{group.name}” is made.")

    async def group(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/groups/{group_id}; ``q``: a search, ``out``: who was just taken out."""
        group_id = word_of(request, "group_id")
        owner = visible(request, await self._room.groups.owner_of(group_id))
        group = await self._room.groups.read(owner, group_id)
        return await self._one(request, group, blank(name=group.name))

    async def rename(self, request: web.Request) -> web.StreamResponse:
        """POST .../name."""
        form, seller, group = await self._changing(request)
        if form.valid is None or form.valid.name is None:
            form = form if form.errors else form.refused("name", "Give it a name.")
            return await self._one(request, group, form, 422)
        try:
            await self._room.groups.change(
                seller, group.group_id, form.valid.version, form.valid.name, group.members
            )
        except Refused as refused:
            form = form.refused(refused.field, refused.message)
            return await self._one(request, group, form, status_of(refused))
        said = "It has another name, also in drafts and templates that name it."
        return see_other(_path(group.group_id), said)

    async def put_in(self, request: web.Request) -> web.StreamResponse:
        """POST .../members: who is named, or who was found."""
        form, seller, group = await self._changing(request)
        if form.valid is None:
            return await self._one(request, group, form, 422)
        given = form.valid
        meant = await self._room.guests.meant(given.members, group.members)
        faults = list(meant.faults)
        new = [*meant.bidder_ids, *([given.bidder] if given.bidder else [])]
        if not new and not faults:
            faults = ["Name at least one reseller."]
        if faults:
            form = form.refused("members", _said(faults))
            return await self._one(request, group, form, 422)
        members = tuple(dict.fromkeys((*group.members, *map(BidderId, new))))
        more = len(members) - len(group.members)
        try:
            await self._room.groups.change(
                seller, group.group_id, given.version, group.name, members
            )
        except Refused as refused:
            form = form.refused(refused.field, refused.message)
            return await self._one(request, group, form, status_of(refused))
        return see_other(f"{_path(group.group_id)}#members", f"{count_words(more, 'member')} more.")

    async def take_out(self, request: web.Request) -> web.StreamResponse:
        """POST .../leavers; the page offers to undo it."""
        form, seller, group = await self._changing(request)
        if form.valid is None or form.valid.bidder is None:
            raise INVALID("Say who.")
        gone, path = form.valid.bidder, _path(group.group_id)
        members = [one for one in group.members if one != gone]
        try:
            await self._room.groups.change(
                seller, group.group_id, form.valid.version, group.name, members
            )
        except Refused as refused:
            return _told(path, refused)
        return see_other(f"{path}?out={gone}#members")

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """POST .../remove; the list offers to undo it."""
        form, seller, group = await self._changing(request)
        if form.valid is None:
            raise INVALID("Say which version.")
        try:
            await self._room.groups.remove(seller, group.group_id, form.valid.version)
        except Refused as refused:
            return _told(_path(group.group_id), refused)
        return see_other(f"{GROUPS}?removed={group.group_id}")

    async def bring_back(self, request: web.Request) -> web.StreamResponse:
        """POST .../bring-back."""
        group_id = word_of(request, "group_id")
        seller = seller_of(request, await self._room.groups.owner_of(group_id))
        try:
            group = await self._room.groups.bring_back(seller, group_id)
        except Refused:
            return see_other(GROUPS, "It cannot be brought back any more.", FlashKind.WARNING)
        return see_other(_path(group_id), f"The group “{group.name}” is there again.")

    async def _changing(self, request: web.Request) -> tuple[Form[Changing], Seller, BuyerGroup]:
        form, group_id = await form_of(request, Changing), word_of(request, "group_id")
        seller = seller_of(request, await self._room.groups.owner_of(group_id))
        return form, seller, await self._room.groups.read(seller.liquidator_id, group_id)

    async def _list(self, request: web.Request, form: Form[Any], status: int = 200) -> web.Response:
        owner = own_desk(request)
        return show(
            request,
            "groups.html",
            status=status,
            tabs=TABS,
            runs=may_run(request, owner),
            form=form,
            groups=await self._room.groups.list(owner),
            most=MAX_GROUPS,
            removed=request.query.get("removed", ""),
            path_of=_path,
        )

    async def _one(
        self, request: web.Request, group: BuyerGroup, form: Form[Any], status: int = 200
    ) -> web.Response:
        letters = request.query.get("q", "").replace("\0", "").strip()[:120]
        runs = may_run(request, group.liquidator_id)
        out = request.query.get("out", "")
        gone = [BidderId(out)] if runs and out and out not in group.members else []
        known = await self._room.guests.known(group.members[:MEMBERS_SHOWN])
        return show(
            request,
            "group.html",
            status=status,
            group=group,
            runs=runs,
            form=form,
            members=known,
            unlisted=max(0, len(group.members) - MEMBERS_SHOWN),
            q=letters,
            least=LEAST_LETTERS,
            found=await self._room.guests.search(letters) if runs and letters else None,
            gone=await self._room.guests.known(gone),
            path=_path(group.group_id),
        )


def _path(group_id: str) -> str:
    return f"{GROUPS}/{group_id}"


def _said(faults: list[str] | tuple[str, ...]) -> str:
    more = len(faults) - FAULTS_SHOWN
    return " ".join((*faults[:FAULTS_SHOWN], *([f"And {more} more."] if more > 0 else [])))


def _told(path: str, refused: Refused) -> web.Response:
    if refused.refusal is Refusal.NOT_FOUND:
        raise REFUSALS.problem_of(refused)
    return see_other(path, refused.message, FlashKind.ERROR)
