"""Templates of sales: what a liquidator's sales have in common, under a name.

Another liquidator's template is answered as one that does not exist: NOT_FOUND.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import asyncpg
import msgspec
from msgspec import Meta, Struct

from accounts.ids import new_id
from auction.desk.owning import owner_by
from auction.desk.refusals import Refusal, Refused
from auction.desk.sale_drafts import SaleDraft
from auction.desk.seller import Seller
from auction.ids import LiquidatorId
from auction.terms import STORABLE
from foundation.database import AnyConnection, Pool, acquire, transaction

# Of one liquidator: a person chooses from them.
MAX_TEMPLATES: Final = 200

TemplateName = Annotated[str, Meta(min_length=1, max_length=120, pattern=STORABLE)]


class SaleTemplate(Struct, frozen=True, kw_only=True):
    """A template; the day of its schedule means nothing, the times of day and distances do."""

    template_id: str
    liquidator_id: LiquidatorId
    name: str
    draft: SaleDraft
    version: int
    changed_at_us: int


_COLUMNS: Final = ", ".join(SaleTemplate.__struct_fields__)
_READ: Final = f"select {_COLUMNS} from sale_template where liquidator_id = $1"  # noqa: S608

_CHANGE: Final = f"""
update sale_template set name = $3, draft = $4::jsonb, version = version + 1, changed_at_us = $5,
    changed_by = $6
where liquidator_id = $1 and template_id = $2
returning {_COLUMNS}
"""  # noqa: S608

_ADD: Final = f"""
insert into sale_template (liquidator_id, template_id, name, draft, version, changed_at_us,
    changed_by)
values ($1, $2, $3, $4::jsonb, 1, $5, $6)
returning {_COLUMNS}
"""  # noqa: S608


class Templates:
    """A liquidator's templates. ``now_us`` is the wall clock."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def owner_of(self, template_id: str) -> LiquidatorId | None:
        """Whose it is; ``None``: there is none."""
        return await owner_by(
            self._pool,
            "select liquidator_id from sale_template where template_id = $1",
            template_id,
        )

    async def list(self, liquidator_id: LiquidatorId) -> Sequence[SaleTemplate]:
        """All of them, by name."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(f"{_READ} order by name", liquidator_id)
        return [_template_of(row) for row in rows]

    async def read(self, liquidator_id: LiquidatorId, template_id: str) -> SaleTemplate:
        """One of them. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            query = f"{_READ} and template_id = $2"
            row = await connection.fetchrow(query, liquidator_id, template_id)
        if row is None:
            raise Refused(Refusal.NOT_FOUND)
        return _template_of(row)

    async def add(self, seller: Seller, name: str, draft: SaleDraft) -> SaleTemplate:
        """A new one. Raises `Refused` NAME_TAKEN, TOO_MANY."""
        async with transaction(self._pool) as connection:
            count = await connection.fetchval(
                "select count(*) from sale_template where liquidator_id = $1", seller.liquidator_id
            )
            if count >= MAX_TEMPLATES:
                raise Refused(Refusal.TOO_MANY, detail=f"There are {count} templates already.")
            return await _written(
                connection, _ADD, seller, new_id("template"), name, draft, self._now_us()
            )

    async def change(
        self, seller: Seller, template_id: str, version: int, name: str, draft: SaleDraft
    ) -> SaleTemplate:
        """Another name or content. Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NAME_TAKEN."""
        async with transaction(self._pool) as connection:
            await _lock(connection, seller, template_id, version)
            return await _written(
                connection, _CHANGE, seller, template_id, name, draft, self._now_us()
            )

    async def remove(self, seller: Seller, template_id: str, version: int) -> None:
        """One less. Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE."""
        async with transaction(self._pool) as connection:
            await _lock(connection, seller, template_id, version)
            await connection.execute(
                "delete from sale_template where template_id = $1", template_id
            )


async def _lock(connection: AnyConnection, seller: Seller, template_id: str, version: int) -> None:
    found = await connection.fetchval(
        "select version from sale_template where liquidator_id = $1 and template_id = $2"
        " for update",
        seller.liquidator_id,
        template_id,
    )
    if found is None:
        raise Refused(Refusal.NOT_FOUND)
    if found != version:
        raise Refused(Refusal.CHANGED_MEANWHILE)


async def _written(
    connection: AnyConnection,
    statement: str,
    seller: Seller,
    template_id: str,
    name: str,
    draft: SaleDraft,
    now_us: int,
) -> SaleTemplate:
    content = msgspec.json.encode(draft).decode()
    values = (seller.liquidator_id, template_id, name, content, now_us, seller.actor_id)
    try:
        row = await connection.fetchrow(statement, *values)
    except asyncpg.UniqueViolationError:
        raise Refused(Refusal.NAME_TAKEN, field="name") from None
    assert row is not None, "it was locked, or is new"
    return _template_of(row)


def _template_of(row: asyncpg.Record) -> SaleTemplate:
    draft = msgspec.json.decode(row["draft"], type=SaleDraft)
    return SaleTemplate(**(dict(row) | {"draft": draft}))
