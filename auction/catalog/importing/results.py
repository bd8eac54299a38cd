"""What importing a file gives: lines or faults, which columns were taken, and what it comes to."""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from auction.catalog.goods import Condition, ManifestLine, is_gtin, lowest
from auction.catalog.importing.faults import Problem


class ColumnUsed(Struct, frozen=True):
    """The column that a field was read from, with the confidence in [0, 1].

    ``instead_of``: another column that goes with the field about as well.
    """

    field: str
    header: str
    confidence: float
    corrected: bool = False
    instead_of: str = ""


class CategorySum(Struct, frozen=True):
    """What the lines of a category come to."""

    lines: int
    units: int
    retail_minor: int


class Sums(Struct, frozen=True, kw_only=True):
    """What lines come to. ``conditions``: lines of each grade that there is, best first;
    ``categories``: the most MSRP first, "" is not known; ``gtins_valid``: lines with a GTIN.
    """

    lines: int
    units: int
    retail_minor: int
    gtins_valid: int
    conditions: dict[str, int]
    categories: dict[str, CategorySum]
    lowest_condition: Condition | None


class Head(Struct, frozen=True, kw_only=True, tag=True):
    """All that is known of an imported file but its lines and problems."""

    kind: str
    sheets: list[str]
    header_line: int
    headers: list[str]
    columns: list[ColumnUsed]
    unused: list[str]
    currency: str
    # Of all lines that could be read, also where others have errors; of those there are so many.
    sums: Sums
    faulty_lines: int
    notes: list[str]
    error_count: int
    warning_count: int
    # Of the child process.
    peak_kib: int = 0
    cpu_ms: int = 0


class Manifest(Struct, frozen=True):
    """An imported file: complete if there are no errors, else without any line.

    ``rows``: for each line the number of its row in the file. ``errors`` and ``warnings`` are the
    first thousand of ``head.error_count`` and ``head.warning_count``.
    """

    head: Head
    lines: list[ManifestLine]
    rows: list[int]
    errors: list[Problem]
    warnings: list[Problem]

    @property
    def importable(self) -> bool:
        """Whether the lines may become a lot's."""
        return self.head.error_count == 0 and bool(self.lines)

    @property
    def columns(self) -> dict[str, str]:
        """Field -> header of the column that it was read from."""
        return {column.field: column.header for column in self.head.columns}

    @property
    def signature(self) -> str:
        """What files with the same headers have in common: under it corrections are remembered."""
        return signature_of(self.head.headers)

    @property
    def units(self) -> int:
        """Pieces of the lines that could be read."""
        return self.head.sums.units

    @property
    def retail_minor(self) -> int:
        """The MSRP of those pieces, in minor units."""
        return self.head.sums.retail_minor

    @property
    def gtins_valid(self) -> int:
        """Lines with a GTIN whose check digit is right."""
        return self.head.sums.gtins_valid

    @property
    def lowest_condition(self) -> Condition | None:
        """The grade that labels the lot; ``None`` without lines."""
        return self.head.sums.lowest_condition

    @property
    def conditions(self) -> dict[str, int]:
        """Lines of each grade that there is, best first."""
        return self.head.sums.conditions

    @property
    def categories(self) -> dict[str, CategorySum]:
        """What each category comes to, the most MSRP first; "": not known."""
        return self.head.sums.categories


def signature_of(headers: Sequence[str]) -> str:
    """SHA-256, in hexadecimal, of the headers in their order, without case and spaces around."""
    joined = "\x1f".join(" ".join(header.casefold().split()) for header in headers)
    return sha256(joined.encode()).hexdigest()


def sums_of(lines: Sequence[ManifestLine]) -> Sums:
    """What these lines come to; MSRPs in minor units."""
    counts = Counter(line.condition for line in lines)
    return Sums(
        lines=len(lines),
        units=sum(line.quantity for line in lines),
        retail_minor=sum(line.extended_msrp_minor for line in lines),
        gtins_valid=sum(is_gtin(line.gtin) for line in lines),
        conditions={grade.value: counts[grade] for grade in Condition if counts[grade]},
        categories=categories_of(lines),
        lowest_condition=lowest(counts) if counts else None,
    )


def categories_of(lines: Iterable[ManifestLine]) -> dict[str, CategorySum]:
    """What the lines of each category come to, the most MSRP first."""
    sums: dict[str, list[int]] = {}
    for line in lines:
        of_category = sums.setdefault(line.category, [0, 0, 0])
        of_category[0] += 1
        of_category[1] += line.quantity
        of_category[2] += line.extended_msrp_minor
    ordered = sorted(sums.items(), key=lambda entry: (-entry[1][2], entry[0]))
    return {category: CategorySum(*figures) for category, figures in ordered}


def as_json(manifest: Manifest) -> dict[str, Any]:
    """What `softclose desk import --json` prints: plain values, amounts as integers.

    With errors the sums are of the lines that could be read; nothing of the file is imported.
    """
    head, sums = manifest.head, manifest.head.sums
    return {
        "importable": manifest.importable,
        "columns": manifest.columns,
        "confidence": {column.field: column.confidence for column in head.columns},
        "unused": head.unused,
        "currency": head.currency,
        **msgspec.to_builtins(sums),
        "faulty_lines": head.faulty_lines,
        "errors": [_problem(problem) for problem in manifest.errors],
        "error_count": head.error_count,
        "warnings": [_problem(problem) for problem in manifest.warnings],
        "warning_count": head.warning_count,
        "notes": head.notes,
        "kind": head.kind,
        "sheet": ", ".join(head.sheets),
        "header_line": head.header_line,
        "signature": manifest.signature,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    said: dict[str, Any] = {
        "line": problem.line,
        "column": problem.column,
        "code": problem.code,
        "message": problem.message,
    }
    return said | {"sheet": problem.sheet} if problem.sheet else said
