"""Rows of goods as lines of a manifest; what is wrong with each is told, and nothing is guessed.

A line with an error becomes no line, and then nothing of the file is imported; the others are read
all the same, so that all errors are told at once.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import structs

from auction.catalog.goods import MAX_LINES, ManifestLine
from auction.catalog.importing.columns import Columns
from auction.catalog.importing.details import Details, Grading
from auction.catalog.importing.faults import Problems, shown, some_lines
from auction.catalog.importing.grades import is_whole_grade
from auction.catalog.importing.gtins import NO_GTIN, GtinFound, GtinRepair, gtin_in
from auction.catalog.importing.money import Money
from auction.catalog.importing.pricing import Pricing
from auction.catalog.importing.rows import Sorted
from auction.catalog.importing.sheets import Row, is_blank
from auction.catalog.importing.statements import condition_stated
from auction.catalog.importing.tables import Table
from auction.catalog.importing.texts import cleaned, is_nothing, looks_like_formula, text_in
from auction.catalog.importing.vocabulary import Field
from auction.catalog.importing.words import concepts

# Characters that `ManifestLine` takes of each text.
_LONGEST: Final = dict.fromkeys(Field, 80) | {Field.DESCRIPTION: 300}
_TEXTS: Final = (
    *(Field.BRAND, Field.MODEL, Field.CATEGORY, Field.SUBCATEGORY, Field.ITEM_NUMBER),
    *(Field.LPN, Field.SERIAL, Field.PALLET),
)
# Against the MSRP in the middle. A load of cheap goods with one dear machine has less.
_ENOUGH_TO_COMPARE: Final = 5
_FAR_BEYOND: Final = 500
_FAR_BEYOND_NINES: Final = 20
_FAR_BELOW: Final = 100
_NINES: Final = 5  # 999.99
# In a column beside the one of GTINs other codes may stand; these are GTINs with a fault.
_MISTYPED: Final = frozenset({"gtin_check_digit", "gtin_rounded"})
# What a line is called whose description is empty, in this order.
_INSTEAD: Final = ((Field.BRAND, Field.MODEL), (Field.ITEM_NUMBER,), (Field.GTIN,))


class LineReader:
    """Reads the rows of one table."""

    def __init__(self, columns: Columns, table: Table, money: Money, problems: Problems) -> None:
        self._columns, self._problems, self._table = columns, problems, table
        self._pricing = Pricing(columns, money, problems)
        stated = condition_stated(table.titles, table.sheet.name)
        self._grading = Grading(columns, problems, stated)
        self.details = Details(columns, problems)
        self._repaired: dict[GtinRepair, list[int]] = {repair: [] for repair in GtinRepair}

    def read(self, found: Sorted) -> list[tuple[int, ManifestLine | None]]:
        """The lines with the numbers of their rows; ``None`` where there is an error."""
        lines = [(row.line, self._line(row, found)) for row in found.lines]
        self._note_repairs()
        return lines

    def _line(self, row: Row, found: Sorted) -> ManifestLine | None:
        self._check_shape(row)
        quantity = self._pricing.quantity(row)
        unit = None if quantity is None else self._pricing.unit_minor(row, quantity)
        texts = {field: self._text(row, field) for field in _TEXTS}
        gtin = self._gtin(row)
        description = self._described(row, texts, gtin)
        section = found.sections.get(row.line, "")
        condition, source = self._grading.read(row, section)
        if section and Field.CATEGORY not in self._columns and not is_whole_grade(section):
            texts[Field.CATEGORY] = cleaned(section)[0][: _LONGEST[Field.CATEGORY]]
        weight = self.details.weight_g(row)
        if quantity is None or unit is None or not description:
            return None
        if self._problems.is_faulty(row.line):
            return None
        return ManifestLine(
            line=1,  # numbered when all are read
            description=description,
            condition=condition,
            source=source,
            gtin=gtin,
            quantity=quantity,
            unit_msrp_minor=unit,
            weight_g=weight,
            **{field.value: text for field, text in texts.items() if field is not Field.PALLET},
            pallet=texts[Field.PALLET] or found.pallets.get(row.line, ""),
        )

    def _check_shape(self, row: Row) -> None:
        beyond = [cell for cell in row.cells[len(self._table.headers) :] if not is_blank(cell)]
        if beyond and self._table.sheet.name:  # cells of a workbook cannot slip
            message = f"beside the table stands {shown(beyond[0])}, which was left out"
            self._problems.warning(row.line, "", "beside_table", message)
        elif beyond:
            message = (
                f"the row has more cells than the header, {shown(beyond[0])} among them; a text "
                "with a delimiter in it must stand in quotes"
            )
            self._problems.error(row.line, "", "row_shape", message)

    def _text(self, row: Row, field: Field) -> str:
        column = self._columns.get(field)
        if column is None:
            return ""
        raw = text_in(row.at(column.index))
        if is_nothing(raw):
            self._tell_error_value(row, column.header, raw)
            return ""
        text, changed = cleaned(raw)
        if changed:
            message = "characters that cannot be seen were taken out"
            self._problems.warning(row.line, column.header, "text_cleaned", message)
        if len(text) > _LONGEST[field]:
            message = f"the text has {len(text)} characters and was cut to {_LONGEST[field]}"
            self._problems.warning(row.line, column.header, "text_cut", message)
            text = text[: _LONGEST[field]].rstrip()
        if looks_like_formula(text):
            message = f"{shown(text)} looks like a formula; it is kept as text"
            self._problems.warning(row.line, column.header, "formula_text", message)
        return text

    def _tell_error_value(self, row: Row, header: str, text: str) -> None:
        """A formula that failed where the file was made, kept as text."""
        if text.startswith("#") and text.endswith(("!", "?", "/A")):
            message = f"the cell holds the error {shown(text)}; it is left empty"
            self._problems.warning(row.line, header, "error_value", message)

    def _gtin(self, row: Row) -> str:
        column = self._columns.get(Field.GTIN)
        if column is None:
            return ""
        faults: list[tuple[str, GtinFound]] = []
        gtin = NO_GTIN
        self._tell_error_value(row, column.header, text_in(row.at(column.index)))
        for index, header in ((column.index, column.header), *column.others):
            found = gtin_in(row.at(index), book="isbn" in concepts(header))
            if found.code and (index == column.index or found.code in _MISTYPED):
                faults.append((header, found))
            elif found.gtin and not gtin.gtin:
                gtin = found
        for header, fault in faults:
            instead = f"{gtin.gtin} beside it counts" if gtin.gtin else "it was left empty"
            message = f"{fault.message}; {instead}"
            self._problems.warning(row.line, header, fault.code, message)
        if gtin.repair is not GtinRepair.NONE:
            self._repaired[gtin.repair].append(row.line)
        return gtin.gtin

    def _described(self, row: Row, texts: dict[Field, str], gtin: str) -> str:
        description = self._text(row, Field.DESCRIPTION)
        if description:
            return description
        header = (
            self._columns[Field.DESCRIPTION].header if Field.DESCRIPTION in self._columns else ""
        )
        known = texts | {Field.GTIN: gtin}
        for fields in _INSTEAD:
            instead = " ".join(filter(None, (known[field] for field in fields)))
            if instead:
                if header:
                    message = f"there is no description; the line is called {shown(instead)}"
                    self._problems.warning(row.line, header, "description_missing", message)
                return instead
        message = "there is no description, brand, model or number to call the line by; fill one in"
        self._problems.error(row.line, header, "description_missing", message)
        return ""

    def _note_repairs(self) -> None:
        for repair, what in (
            (GtinRepair.ZEROS, "leading zeros of GTINs were restored"),
            (GtinRepair.FLOAT, "GTINs were stored as numbers with decimals and made whole"),
        ):
            lines = self._repaired[repair]
            if lines:
                self._problems.note(f"{some_lines(lines)}: {what}")


def numbered(lines: Sequence[ManifestLine]) -> list[ManifestLine]:
    """The lines with their numbers in the manifest, from 1."""
    return [structs.replace(line, line=number) for number, line in enumerate(lines, start=1)]


def warn_of_doubles(
    lines: Sequence[tuple[int, ManifestLine | None]], columns: Columns, problems: Problems
) -> None:
    """Plate numbers and serials tell single pieces apart: none stands twice."""
    for field in (Field.LPN, Field.SERIAL):
        first: dict[str, int] = {}
        for number, line in lines:
            value = "" if line is None else getattr(line, field.value)
            if not value:
                continue
            if value in first:
                message = f"{shown(value)} stands on line {first[value]} too"
                problems.warning(number, columns[field].header, f"{field}_twice", message)
            first.setdefault(value, number)


def warn_of_the_unusual(
    lines: Sequence[tuple[int, ManifestLine | None]], columns: Columns, problems: Problems
) -> None:
    """An amount far beyond all others is a number of something else, or a placeholder."""
    good = [(number, line) for number, line in lines if line is not None]
    if len(good) < _ENOUGH_TO_COMPARE:
        return
    usual = sorted(line.unit_msrp_minor for _, line in good)[len(good) // 2]
    column = columns.get(Field.UNIT_MSRP) or columns.get(Field.EXTENDED_MSRP)
    for number, line in good if column is not None and usual else ():
        unit = line.unit_msrp_minor
        if unit > _FAR_BEYOND * usual or (unit > _FAR_BEYOND_NINES * usual and _is_nines(unit)):
            message = "the MSRP is far beyond that of all other lines: look at it"
            problems.warning(number, column.header if column else "", "msrp_unusual", message)
        elif unit * _FAR_BELOW <= usual and 0 < unit <= 1:
            message = "the MSRP is the least that there is: look at it"
            problems.warning(number, column.header if column else "", "msrp_unusual", message)


def _is_nines(amount_minor: int) -> bool:
    return len(str(amount_minor)) >= _NINES and not str(amount_minor).strip("9")


def check_count(count: int, problems: Problems) -> bool:
    """Whether there are lines, and no more than a manifest may have."""
    if count == 0:
        problems.error(0, "", "no_lines", "there is no line of goods below the header")
    if count > MAX_LINES:
        message = f"the file has {count:,} lines, and a manifest at most {MAX_LINES:,}; split it"
        problems.error(0, "", "too_many_lines", message)
    return 1 <= count <= MAX_LINES
