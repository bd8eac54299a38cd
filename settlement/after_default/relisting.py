"""The operation "relist": a lot that nobody takes is a draft in its seller's stock again.

As the desk does it with lots that passed: the same words, lines and photos, and where they came
from. Prices stay as they were: nothing says that they were too high. A lot that is in stock again
already, by an earlier try or by the seller's own hand, is not put there twice.
"""

from typing import Final

from auction.desk.lot_drafts import Origin, add_lot, read_lot
from auction.desk.lot_lines import read_lines
from auction.desk.photo_drafts import copy_photos
from auction.desk.refusals import Refused as DeskRefused
from auction.ids import ActorId
from foundation.database import AnyConnection
from settlement.after_default import tables
from settlement.after_default.words import Unsold, UnsoldState
from settlement.ids import AwardId
from settlement.operations import Deadline, NeedsPerson, Operation
from settlement.rows import Held, read_award
from settlement.steps import Step, write
from settlement.story import HOUSE_ITSELF, Told
from settlement.telling import Kind, mail_to

_DRAFT: Final = """
select draft_id from lot_draft
where sale_id = $1 and number = $2 and liquidator_id = $3 and removed_at_us is null
"""
_AGAIN: Final = """
select draft_id from lot_draft
where liquidator_id = $3 and origin -> 'relisted' = jsonb_build_array($1::text, $2::text)
and removed_at_us is null
"""


class RelistHandler(Deadline):
    """Puts a lot back into stock."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `Handler`. Raises `NeedsPerson` where the stock is full."""
        unsold = await tables.hold_unsold(connection, AwardId(op.subject))
        assert unsold is not None, "it was written with what wants this"
        if unsold.state is not UnsoldState.RELISTING:
            return
        try:
            draft_id = await _relisted(connection, unsold, now_us)
        except DeskRefused as error:
            raise NeedsPerson(f"lot {unsold.lot_id} is not relisted: {error.message}") from error
        to = UnsoldState.RELISTED
        await tables.change(connection, unsold, to, now_us, draft_id=draft_id, ended=True)
        void = (await read_award(connection, unsold.award_id)).awards[unsold.award_id]
        told = Told(kind="relisted", award_id=unsold.award_id, facts={"draft_id": draft_id})
        mail = mail_to(
            Kind.RELISTED,
            unsold.award_id,
            unsold.liquidator_id,
            lot=unsold.lot_id,
            title=void.goods.title,
            drafted=draft_id is not None,
        )
        step = Step(operations=[mail], story=[told])
        await write(connection, Held(None, {}), step, now_us)


async def _relisted(connection: AnyConnection, unsold: Unsold, now_us: int) -> str | None:
    """The draft; ``None``: the lot was not made at the desk, and there is nothing to copy."""
    place = (unsold.sale_id, unsold.lot_id, unsold.liquidator_id)
    again: str | None = await connection.fetchval(_AGAIN, *place)
    if again is not None:
        return again
    draft_id = await connection.fetchval(_DRAFT, *place)
    if draft_id is None:
        return None
    owner = unsold.liquidator_id
    lot = await read_lot(connection, owner, draft_id)
    lines = await read_lines(connection, draft_id)
    origin = Origin(file=lot.origin.file, relisted=(unsold.sale_id, unsold.lot_id))
    actor_id = ActorId(HOUSE_ITSELF)
    added = await add_lot(connection, owner, lot.draft, lines, origin, actor_id, now_us)
    await copy_photos(connection, [draft_id], added, now_us)
    return added
