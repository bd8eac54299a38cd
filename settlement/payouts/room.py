"""All that people do about payouts, in one object for pages, API and commands."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from foundation.database import Pool
from settlement.payouts.batches import BankFiles
from settlement.payouts.credit_payouts import CreditPayouts
from settlement.payouts.house_bank import HouseBank
from settlement.payouts.late_certificates import LateCertificates
from settlement.payouts.onboarding import Onboarding
from settlement.payouts.payees import Payees
from settlement.payouts.payments_made import PaymentsMade
from settlement.payouts.platform import PlatformPayouts
from settlement.payouts.returns import Returns
from settlement.payouts.withheld import Withheld
from settlement.payouts.write_offs import WriteOffs
from settlement.ports import PaymentProvider


@dataclass(frozen=True)
class PayoutRoom:
    """Payees see to their own; everything else is for staff."""

    payees: Payees
    onboarding: Onboarding
    payments: PaymentsMade
    house_bank: HouseBank
    bank_files: BankFiles
    returns: Returns
    platform: PlatformPayouts
    write_offs: WriteOffs
    late_certificates: LateCertificates
    withheld: Withheld
    credit: CreditPayouts

    @classmethod
    def over(
        cls,
        pool: Pool,
        provider: PaymentProvider,
        now_us: Callable[[], int],
        ring: Callable[[], None],
    ) -> Self:
        """All of them. ``ring`` wakes the worker."""
        return cls(
            payees=Payees(pool, now_us, ring),
            onboarding=Onboarding(pool, provider, now_us, ring),
            payments=PaymentsMade(pool),
            house_bank=HouseBank(pool, now_us),
            bank_files=BankFiles(pool, now_us, ring),
            returns=Returns(pool, now_us, ring),
            platform=PlatformPayouts(pool, provider, now_us, ring),
            write_offs=WriteOffs(pool, now_us),
            late_certificates=LateCertificates(pool, now_us, ring),
            withheld=Withheld(pool, now_us, ring),
            credit=CreditPayouts(pool, now_us, ring),
        )
