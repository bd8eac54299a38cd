"""An amount in parts that sum to it, by largest remainder: no minor unit is made or lost. Pure."""

from collections.abc import Sequence


def split_minor(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Parts of a non-negative amount in proportion to non-negative weights.

    Each gets its share rounded down; the minor units that are left go one each to the largest
    remainders, the earlier first among equals. Without any weight there is nothing to divide by:
    ``ValueError``, unless the amount is 0.
    """
    if amount_minor < 0 or any(weight < 0 for weight in weights):
        raise ValueError("an amount and its weights are not negative")
    whole = sum(weights)
    if not whole:
        if amount_minor:
            raise ValueError("an amount cannot be divided among nothing")
        return [0] * len(weights)
    shares = [divmod(amount_minor * weight, whole) for weight in weights]
    parts = [share for share, _ in shares]
    by_remainder = sorted(range(len(weights)), key=lambda place: -shares[place][1])
    for place in by_remainder[: amount_minor - sum(parts)]:
        parts[place] += 1
    return parts
