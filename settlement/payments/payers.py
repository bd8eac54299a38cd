"""Where buyers stand at the payment provider, by the tables of customers."""

from typing import Final

from auction.ids import BidderId
from foundation.database import AnyConnection
from settlement.payments.words import Payer

# Of several cards the default one, else the one that was saved last; of bank accounts likewise.
_PAYER: Final = """
select customer_id, email, (
    select method_id from saved_method
    where buyer_id = $1 and kind = 'card' and removed_at_us is null
    order by is_default desc, saved_at_us desc limit 1
) as card_id, (
    select method_id from saved_method
    where buyer_id = $1 and kind = 'us_bank_account' and removed_at_us is null
    order by is_default desc, saved_at_us desc limit 1
) as debit_id
from buyer_customer where buyer_id = $1 and customer_id is not null
"""
_BUYER: Final = "select buyer_id from buyer_customer where customer_id = $1"


class TablePayers:
    """See `tables.Payers`."""

    async def payer(self, connection: AnyConnection, buyer_id: BidderId) -> Payer | None:
        """The buyer with what it saved."""
        row = await connection.fetchrow(_PAYER, buyer_id)
        return None if row is None else Payer(**dict(row))

    async def buyer_of(self, connection: AnyConnection, customer_id: str) -> BidderId | None:
        """Whose customer it is; None: nobody's that we know."""
        buyer_id: BidderId | None = await connection.fetchval(_BUYER, customer_id)
        return buyer_id
