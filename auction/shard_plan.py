"""Which engine shall own which shard: a pure function of who is here.

The shards spread evenly: no engine has two more than another, but for those that are pinned. Of
all such plans it is one that moves the fewest shards. All engines come to the same answer.
"""

from collections.abc import Collection

from auction.ids import Shard
from auction.leases import View


def plan(view: View) -> dict[Shard, str | None]:
    """The engine that shall own each shard; ``None``: there is nobody to own it."""
    names = [engine.name for engine in view.engines if not engine.draining]
    if not names:
        return {lease.shard: None for lease in view.leases}
    held: dict[str, list[Shard]] = {name: [] for name in names}
    pinned = {lease.shard: lease.pin for lease in view.leases if lease.pin in held}
    homeless = []
    for lease in view.leases:
        stays = lease.wanted if lease.wanted in held else lease.owner
        if lease.shard in pinned:
            stays = pinned[lease.shard]
        if stays in held:
            held[stays].append(lease.shard)
        else:
            homeless.append(lease.shard)
    for shard in homeless:
        held[_least(held)].append(shard)
    while (moved := _movable(held, pinned.keys())) is not None:
        giver, shard = moved
        held[giver].remove(shard)
        held[_least(held)].append(shard)
    return {shard: name for name, shards in held.items() for shard in shards}


def _least(held: dict[str, list[Shard]]) -> str:
    return min(held, key=lambda name: (len(held[name]), name))


def _movable(held: dict[str, list[Shard]], pinned: Collection[Shard]) -> tuple[str, Shard] | None:
    """A shard of the engine with the most that may go to the one with the fewest."""
    fewest = len(held[_least(held)])
    for giver in sorted(held, key=lambda name: (-len(held[name]), name)):
        if len(held[giver]) < fewest + 2:
            return None
        free = [shard for shard in held[giver] if shard not in pinned]
        if free:
            return giver, max(free)
    return None
