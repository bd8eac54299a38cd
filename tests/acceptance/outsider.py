"""The log as an outsider reads it: rows, hashlib and hmac, and none of the engine's code."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

import msgpack

from foundation.database import connect

_ROWS = "select shard, position, epoch, body from log_event order by shard, position"
_HEADS = "select shard, position from log_shard"


@dataclass(frozen=True)
class Placed:
    """Where a bid stands: its public sequence if it has one, its receipt, its content."""

    sequence: int | None
    receipt: str
    sale_id: str
    lot_id: str
    bidder_id: str
    amount_minor: int


@dataclass
class Logged:
    """What the log says, and what is wrong with it."""

    bids: dict[str, list[Placed]] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@dataclass
class _Sale:
    secret: bytes
    sequence: int = 0
    head: bytes = bytes(32)
    at_us: int = 0


async def read_log(dsn: str) -> Logged:
    """Read it whole: positions, epochs, times, sequences, commitments and hashes are checked."""
    connection = await connect(dsn, name="outsider")
    try:
        rows = await connection.fetch(_ROWS)
        heads = await connection.fetch(_HEADS)
    finally:
        await connection.close()
    reading = _Reading()
    for row in rows:
        reading.read(*row)
    for shard, position in heads:
        reading.expect(position == reading.shard(shard)[0], f"shard {shard}: head at {position}")
    return reading.logged


class _Reading:
    def __init__(self) -> None:
        self.logged = Logged()
        self._shards: dict[int, tuple[int, int]] = {}
        self._sales: dict[str, _Sale] = {}

    def expect(self, holds: bool, fault: str) -> None:
        if not holds:
            self.logged.faults.append(fault)

    def shard(self, shard: int) -> tuple[int, int]:
        """The last position and epoch that were read."""
        return self._shards.get(shard, (0, 0))

    def read(self, shard: int, position: int, epoch: int, body: bytes) -> None:
        last_position, last_epoch = self.shard(shard)
        self.expect(position == last_position + 1, f"{shard}: {position} after {last_position}")
        self.expect(epoch >= last_epoch, f"{shard}/{position}: epoch {epoch} after {last_epoch}")
        self._shards[shard] = position, epoch
        _, public, private, commitment, hash_ = msgpack.unpackb(body)
        fields: dict[str, Any] = msgpack.unpackb(private)
        if public is not None:
            fields |= msgpack.unpackb(public)
        where = f"{shard}/{position} {fields['type']}"
        sale = self._sales.setdefault(fields["sale_id"], _Sale(fields.get("secret", b"")))
        self.expect(fields["at_us"] >= sale.at_us, f"{where}: time fell")
        sale.at_us = fields["at_us"]
        self._check_proofs(where, sale, position, (public, private, commitment, hash_), fields)
        self.logged.kinds[fields["type"]] = self.logged.kinds.get(fields["type"], 0) + 1
        if "bid_id" in fields:
            self._note_bid(fields, hash_ or commitment)

    def _check_proofs(
        self,
        where: str,
        sale: _Sale,
        position: int,
        parts: tuple[bytes | None, bytes, bytes, bytes | None],
        fields: dict[str, Any],
    ) -> None:
        public, private, commitment, hash_ = parts
        key = hmac.digest(sale.secret, position.to_bytes(8, "big"), "sha256")
        self.expect(hmac.digest(key, private, "sha256") == commitment, f"{where}: commitment")
        if public is None:
            return
        self.expect(fields["sequence"] == sale.sequence + 1, f"{where}: {fields['sequence']}")
        head = hashlib.sha256(sale.head + public + commitment).digest()
        self.expect(head == hash_, f"{where}: hash")
        sale.sequence, sale.head = fields["sequence"], head

    def _note_bid(self, fields: dict[str, Any], receipt: bytes) -> None:
        placed = Placed(
            fields.get("sequence"),
            receipt.hex(),
            fields["sale_id"],
            fields["lot_id"],
            fields["bidder_id"],
            fields["maximum_minor"],
        )
        self.logged.bids.setdefault(fields["bid_id"], []).append(placed)
