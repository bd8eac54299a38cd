"""The log of an installation or the export of a sale, checked from end to end."""

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct, field

from auction.audit import ShardAudit
from auction.audit_export import MAX_LINE_BYTES, PublicAudit, PublicSummary
from auction.audit_findings import Finding
from auction.audit_sale import SaleAudit
from auction.ids import SHARDS, SaleId, Shard, shard_of
from auction.log_postgres import PostgresLog
from foundation.errors import OperatorError
from softclose.open_log import CHUNK, sale_events
from softclose.progress import Report

# More findings are one cause repeated; nobody reads them, and they must not fill memory.
MAX_FINDINGS = 1_000


class NotReadable(OperatorError):
    """The file cannot be an export."""


class Checked(Struct):
    """What was looked at and what was found."""

    shards: int = 0
    sales: int = 0
    closed_sales: int = 0
    events: int = 0
    bids: int = 0
    more_findings: int = 0  # beyond ``MAX_FINDINGS``
    findings: list[Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def add(self, findings: Iterable[Finding]) -> None:
        """Keep findings, as many as anybody reads."""
        for finding in findings:
            if len(self.findings) < MAX_FINDINGS:
                self.findings.append(finding)
            else:
                self.more_findings += 1

    def count(self, sales: Iterable[SaleAudit]) -> None:
        """Sum up what was looked at."""
        for sale in sales:
            self.sales += 1
            self.closed_sales += sale.public.closed
            self.bids += sale.bids


async def check_all(log: PostgresLog, report: Report) -> Checked:
    """Every shard, as far as the log goes when its turn comes."""
    checked = Checked()
    whole = sum((await log.heads()).values())
    for number in range(SHARDS):
        await _check_shard(log, Shard(number), checked, whole, report)
    return checked


async def _check_shard(
    log: PostgresLog, shard: Shard, checked: Checked, whole: int, report: Report
) -> None:
    audit = ShardAudit(shard, snapshot=await log.load_snapshot(shard))
    while chunk := await log.read(shard, audit.position, CHUNK):
        for logged in chunk:
            checked.add(audit.check(logged))
        report(checked.events + audit.events, whole)
    # A shard that is written to has moved on since; it has never less than what was read.
    head = (await log.heads()).get(shard, 0)
    newer = await log.read(shard, audit.position, 1)
    checked.add(audit.end(audit.position if newer else head))
    checked.shards += audit.events > 0
    checked.events += audit.events
    checked.count(audit.sales.values())


async def check_sale(log: PostgresLog, sale_id: SaleId) -> Checked:
    """One sale. Raises ``NoLog`` if there is none."""
    checked = Checked(shards=1)
    audit = ShardAudit(shard_of(sale_id), gapless=False)
    async for logged in sale_events(log, sale_id):
        checked.add(audit.check(logged))
    checked.add(audit.end(audit.position))
    checked.events = audit.events
    checked.count(audit.sales.values())
    return checked


def check_file(file: Path, report: Report) -> PublicSummary:
    """An export, without any database."""
    audit, whole = PublicAudit(), max(file.stat().st_size, 1)
    with file.open("rb") as lines:
        while line := lines.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                raise NotReadable(f"{file}: a line is longer than {MAX_LINE_BYTES:,} bytes")
            audit.check(line)
            report(lines.tell(), whole)
    return audit.finish()
