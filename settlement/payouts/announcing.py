"""Mail to a payee's own people when the place to which its money goes is changed, or may be.

An operation, so that it is sent though the process dies; whoever gets it twice gets the same.
"""

import hashlib
from typing import Final

import structlog

from accounts.directory import people_of
from accounts.identity import Role
from accounts.ids import OrganisationId
from foundation.database import AnyConnection, Pool, acquire
from foundation.mail import Mail, Mailer, MailNotSent
from settlement.operations import Again, Operation, Unknown
from settlement.steps import Wanted

ANNOUNCE_PAYEE: Final = "announce_payee"
# Where a payee's people see and change it.
PATH: Final = "/earnings/payee"

_WHOSE: Final = """
select organisation_id, name from organisation where organisation_id = $1
union all select organisation_id, name from consignor
where consignor_id = $1 and organisation_id is not null limit 1
"""

_SAID: Final = {
    "SET": (
        "The place to which your payouts go was changed",
        "The account to which {name} is paid was changed just now. Nothing is sent to it for the "
        "first days, so that you can stop it. If it was not one of you, tell us at once, and look "
        "at your account's people and passwords:",
    ),
    "WAITING": (
        "Our staff have entered a bank account for your payouts",
        "Somebody of our staff has entered a bank account to which {name} is to be paid. Another "
        "of them has to confirm it first. If you did not ask for it, tell us at once:",
    ),
    "REFUSED": (
        "A bank account for your payouts was not confirmed",
        "The bank account that somebody had entered for {name} was not confirmed. Nothing has "
        "changed. What is set up now is here:",
    ),
    "RETURNED": (
        "A payout came back from your bank",
        "The bank did not take a payout to {name}: it does not know the account, or may not use "
        "it. What is owed is kept for you. Say here where it is to go:",
    ),
}
_FOOT: Final = "\n\n--\nSoftclose, live liquidation auctions\n"

_logger = structlog.get_logger(__name__)


def announcement(payee_id: str, change: str, word: str) -> Wanted:
    """The mail about a change, once. ``change``: which of the payee's it is."""
    return Wanted(
        operation=ANNOUNCE_PAYEE,
        subject=f"{payee_id}~{change}",
        arguments={"payee_id": payee_id, "word": word},
    )


class AnnouncePayee:
    """Tells the admins of a payee's organisation; a consignor without one has nobody to tell."""

    def __init__(self, pool: Pool, mailer: Mailer, public_url: str) -> None:
        self._pool, self._mailer, self._public_url = pool, mailer, public_url

    async def call(self, op: Operation) -> None:
        """See `operations.Handler`."""
        async with acquire(self._pool) as connection:
            whose = await connection.fetchrow(_WHOSE, op.arguments["payee_id"])
        if whose is None:
            return
        subject, words = _SAID[op.arguments["word"]]
        text = f"{words.format(name=whose['name'])}\n\n{self._public_url}{PATH}{_FOOT}"
        for person in await people_of(self._pool, OrganisationId(whose["organisation_id"])):
            if Role.ADMIN not in person.roles:
                continue
            name = hashlib.sha256(f"{op.idempotency_key}:{person.person_id}".encode()).hexdigest()
            headers = {"Message-ID": f"<{name[:32]}@softclose.payouts>"}
            try:
                await self._mailer.send(Mail(person.mail, subject, text, headers))
            except MailNotSent as error:
                if not error.permanent:
                    raise Unknown(f"the mail was not taken: {error}") from error
                _logger.warning("mail_refused", operation=op.idempotency_key, reason=str(error))

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`: that it was sent is all."""
        return None
