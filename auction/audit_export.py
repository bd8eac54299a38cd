"""A sale's public chain in anybody's hands, and the check that needs neither database nor secret.

An export is JSON, one object a line, bytes in base64:

* ``sale``: which sale this is, and the format;
* ``event``: the public part of an event, its commitment and its hash, in the order of the chain;
* ``opening``: for the bidder whom the export is for, the key and the private part of an event
  that is all its own, so that its commitment can be checked against what was published;
* ``end``: how many events there are, and the last hash.

SHA-256(hash before || public || commitment) must be the hash, from 32 zero bytes on; the public
story of the sale must follow from its terms (``audit_public``); HMAC-SHA-256(key, private) must
be a commitment that the chain holds.
"""

import hmac
from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec
from msgspec import Struct

from auction.audit_findings import BROKEN, Check, Fault, Finding
from auction.audit_public import PublicStory
from auction.audit_sale import ChainAudit
from auction.chain import commitment_key
from auction.codec import CorruptLog, PublicPart, Recorded, decode_public, unpack
from auction.events import PRIVATE_FIELDS, Audience, BidPlaced, SaleScheduled
from auction.ids import BidderId, SaleId

FORMAT: Final = 1
# An event is at most 16 MiB, and base64 a third more.
MAX_LINE_BYTES: Final = 24 * 2**20


class Head(Struct, frozen=True, tag="sale", forbid_unknown_fields=True):
    """The first line."""

    format: Literal[1]
    sale_id: SaleId


class Link(Struct, frozen=True, tag="event", forbid_unknown_fields=True):
    """A public event."""

    public: bytes
    commitment: bytes
    hash: bytes


class Opening(Struct, frozen=True, tag="opening", forbid_unknown_fields=True):
    """What opens the commitment of one event. ``sequence``: its public number, if it has one."""

    sequence: int | None
    commitment: bytes
    key: bytes
    private: bytes


class End(Struct, frozen=True, tag="end", forbid_unknown_fields=True):
    """The last line."""

    events: int
    head: bytes


Line = Head | Link | Opening | End


class PublicSummary(Struct, frozen=True, kw_only=True):
    """What an export holds, and what is wrong with it."""

    sale_id: SaleId | None
    events: int
    closed: bool  # whether it goes to the sale's end
    openings: int
    head: bytes
    receipts: frozenset[bytes]  # every hash, and every commitment that a closing carries
    findings: tuple[Finding, ...]


class Export:
    """Makes the lines of an export from a sale's recorded events, in their order."""

    def __init__(self, sale_id: SaleId, owner: BidderId | None = None) -> None:
        self.events = 0
        self._sale_id, self._owner = sale_id, owner
        self._head = bytes(32)
        self._secret = b""

    def start(self) -> bytes:
        """The first line."""
        return _line(Head(FORMAT, self._sale_id))

    def lines(self, recorded: Recorded) -> Iterator[bytes]:
        """The lines of an event: none for another's private one."""
        event = recorded.event
        if isinstance(event, SaleScheduled):
            self._secret = event.secret
        if recorded.public is not None and recorded.hash is not None:
            yield self.line(PublicPart(recorded.public, recorded.commitment, recorded.hash))
        owner = getattr(event, "bidder_id", None)
        if self._owner is not None and owner == self._owner and is_all_its_owners(recorded):
            key = commitment_key(self._secret, recorded.position)
            yield _line(Opening(recorded.sequence, recorded.commitment, key, recorded.private))

    def line(self, part: PublicPart) -> bytes:
        """The line of a public event, for who opens nothing: it need not be read for that."""
        self.events += 1
        self._head = part.hash
        return _line(Link(part.public, part.commitment, part.hash))

    def end(self) -> bytes:
        """The last line."""
        return _line(End(self.events, self._head))


def is_all_its_owners(recorded: Recorded) -> bool:
    """Whether the bidder of an event may see the whole of its private part."""
    marks = PRIVATE_FIELDS[type(recorded.event)].values()
    return all(mark & Audience.OWNER for mark in marks)


def _line(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"


class PublicAudit:
    """Checks an export, line by line. Whatever the lines hold, it ends with findings."""

    def __init__(self) -> None:
        self._number = 0
        self._sale_id: SaleId | None = None
        self._chain = ChainAudit()
        self._story: PublicStory | None = PublicStory()
        self._events = 0
        self._at_us = 0
        self._commitments: dict[int, bytes] = {}  # of public events, by their sequence
        self._bids: dict[int, BidPlaced] = {}  # by their sequence
        self._receipts: set[bytes] = set()
        self._openings: list[tuple[int, Opening]] = []
        self._ended = False
        self._findings: list[Finding] = []

    def check(self, line: bytes) -> None:
        """Take the next line."""
        self._number += 1
        try:
            read = _DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._found([(Check.BODY, f"not a line of an export: {error}")])
            return
        if self._ended:
            self._found([(Check.BODY, "it stands after the end")])
        elif (self._number == 1) is not isinstance(read, Head):
            self._found([(Check.BODY, "an export begins with its sale, and only once")])
        match read:
            case Head():
                self._sale_id = read.sale_id
            case Link():
                self._check_link(read)
            case Opening():
                self._openings.append((self._number, read))
            case End():
                self._ended = True
                if (read.events, read.head) != (self._events, self._chain.head):
                    self._found([(Check.POSITION, "the events are not as many as the end says")])

    def finish(self) -> PublicSummary:
        """All that was found, once the last line was taken."""
        if not self._ended:
            self._found([(Check.POSITION, "the file is not whole: its last line is missing")])
        if self._story is not None:
            self._found([(Check.RULES, fault) for fault in self._story.end()])
        for number, opening in self._openings:
            self._number = number
            self._found(self._check_opening(opening))
        return PublicSummary(
            sale_id=self._sale_id,
            events=self._events,
            closed=self._story is not None and self._story.closed,
            openings=len(self._openings),
            head=self._chain.head,
            receipts=frozenset(self._receipts),
            findings=tuple(self._findings),
        )

    def _check_link(self, link: Link) -> None:
        self._events += 1
        try:
            recorded = decode_public(link.public, link.commitment, link.hash)
        except CorruptLog as error:
            self._story = None  # what follows cannot be told without it
            self._found([(Check.BODY, str(error))])
            return
        faults = self._chain.check(recorded)
        self._commitments[self._chain.sequence] = recorded.commitment
        if isinstance(recorded.event, BidPlaced):
            self._bids[self._chain.sequence] = recorded.event
        self._receipts |= {link.hash, *recorded.carried}
        if recorded.sale_id != self._sale_id:
            faults.append((Check.BODY, f"it is of sale {recorded.sale_id}"))
        if recorded.at_us < self._at_us:
            faults.append((Check.TIME, "it is earlier than the event before it"))
        self._at_us = recorded.at_us
        faults += self._check_rules(recorded)
        self._found(faults, recorded.sequence)

    def _check_rules(self, recorded: Recorded) -> list[Fault]:
        if self._story is None:
            return []
        try:
            faults = self._story.check(recorded.event, recorded.at_us)
        except BROKEN as error:
            self._story = None
            faults = [f"it makes no sense: {type(error).__name__}"]
        return [(Check.RULES, fault) for fault in faults]

    def _check_opening(self, opening: Opening) -> list[Fault]:
        opened = hmac.digest(opening.key, opening.private, "sha256")
        if opened != opening.commitment:
            return [(Check.COMMITMENT, "key and private part do not make this commitment")]
        if opening.sequence is not None:
            published = self._commitments.get(opening.sequence) == opening.commitment
        else:  # carried by a closing that may be still to come
            closed = self._story is not None and self._story.closed
            published = opening.commitment in self._receipts or not closed
        if not published:
            return [(Check.COMMITMENT, "the chain does not hold this commitment")]
        return self._check_maximum(opening)

    def _check_maximum(self, opening: Opening) -> list[Fault]:
        """A leader's maximum is the price or more, a rival's the price or less."""
        bid = None if opening.sequence is None else self._bids.get(opening.sequence)
        try:
            fields = unpack(opening.private)
            if bid is None:
                return []
            over_minor = fields["maximum_minor"] - bid.price_minor
        except (CorruptLog, LookupError, TypeError):
            return [(Check.COMMITMENT, "what it opens is no part of such an event")]
        fits = over_minor >= 0 if bid.leader == bid.paddle else over_minor <= 0
        return [] if fits else [(Check.RULES, "leader and price are not those of this maximum")]

    def _found(self, faults: Iterable[Fault], sequence: int | None = None) -> None:
        self._findings += [
            Finding(
                check=check,
                message=message,
                sale_id=self._sale_id,
                line=self._number,
                sequence=sequence,
            )
            for check, message in faults
        ]


_DECODER: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
