"""Which field goes to which column: the assignment with the highest sum of scores."""

from collections.abc import Sequence
from typing import Final

_FAR: Final = float("inf")


def best_assignment(scores: Sequence[Sequence[float]]) -> list[int | None]:
    """For each row the column that it gets, or ``None``; no column twice, the sum greatest.

    Scores of 0 and less are never taken. The Hungarian method in its form of shortest augmenting
    paths (Jonker and Volgenant 1987), O(rows^2 * columns); ties go to the column further left.
    """
    rows = len(scores)
    if rows == 0:
        return []
    # A column of its own for each row, worth nothing: so that a row may stay without one.
    real = len(scores[0])
    costs = [[-max(score, 0.0) for score in row] + [0.0] * rows for row in scores]
    columns = real + rows
    by_row, by_column = [0.0] * (rows + 1), [0.0] * (columns + 1)
    owner, way = [0] * (columns + 1), [0] * (columns + 1)
    for row in range(1, rows + 1):
        owner[0] = row
        column = _path(costs, row, by_row, by_column, owner, way)
        while column:
            before = way[column]
            owner[column] = owner[before]
            column = before
    assigned: list[int | None] = [None] * rows
    for column in range(1, real + 1):
        if owner[column] and scores[owner[column] - 1][column - 1] > 0:
            assigned[owner[column] - 1] = column - 1
    return assigned


def _path(
    costs: list[list[float]],
    row: int,
    by_row: list[float],
    by_column: list[float],
    owner: list[int],
    way: list[int],
) -> int:
    """The free column at the end of the cheapest path from ``row``; ``way`` leads back."""
    count = len(by_column)
    slack, used = [_FAR] * count, [False] * count
    column = 0
    while owner[column]:
        used[column] = True
        step, nearest = _FAR, 0
        at = owner[column]
        for other in range(1, count):
            if used[other]:
                continue
            reduced = costs[at - 1][other - 1] - by_row[at] - by_column[other]
            if reduced < slack[other]:
                slack[other], way[other] = reduced, column
            if slack[other] < step:
                step, nearest = slack[other], other
        for other in range(count):
            if used[other]:
                by_row[owner[other]] += step
                by_column[other] -= step
            else:
                slack[other] -= step
        column = nearest
    assert row == owner[0]
    return column
