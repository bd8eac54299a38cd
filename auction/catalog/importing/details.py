"""Grade, source and weight of a line."""

from auction.catalog.goods import Condition
from auction.catalog.importing.amounts import BadAmount, Habit, habit_of, number_in
from auction.catalog.importing.columns import Columns
from auction.catalog.importing.faults import Problems, shown
from auction.catalog.importing.grades import Graded, graded, is_whole_grade, source_in
from auction.catalog.importing.sheets import Row
from auction.catalog.importing.texts import cleaned, is_nothing, text_in
from auction.catalog.importing.vocabulary import Field
from auction.catalog.importing.weights import grams, split_weight, unit_in_header, weight_unit

_SOURCE_CHARACTERS = 80
_NOTHING_STATED = Graded(None, "")
_MOST_GRAMS = 10**9


class Grading:
    """Reads grades and sources. What is unknown promises nothing: UNINSPECTED, and it is told."""

    def __init__(self, columns: Columns, problems: Problems, stated: Graded | None = None) -> None:
        """``stated``: what titles say of all lines, for a file without a column."""
        self._columns, self._problems = columns, problems
        self._stated = Graded(stated.condition, stated.source) if stated else _NOTHING_STATED
        if Field.CONDITION not in columns:
            grade = (self._stated.condition or Condition.UNINSPECTED).value
            where = "a title says so" if stated else "nothing says how they are"
            problems.note(f"no column of conditions was found: all lines are {grade}, {where}")

    def read(self, row: Row, section: str = "") -> tuple[Condition, str]:
        """The grade of a line and where the goods are from, '' if that is not said.

        ``section``: the heading that the line stands under.
        """
        source = self._source(row)
        column = self._columns.get(Field.CONDITION)
        if column is None:
            stated = graded(section) if is_whole_grade(section) else self._stated
            return stated.condition or Condition.UNINSPECTED, source or stated.source
        text = text_in(row.at(column.index))
        if is_nothing(text):
            message = "there is no condition; the line is uninspected"
            self._problems.warning(row.line, column.header, "condition_missing", message)
            return Condition.UNINSPECTED, source
        found = graded(text)
        if found.condition is None:
            message = f"{shown(text)} is no condition that is known; the line is uninspected"
            self._problems.warning(row.line, column.header, "condition_unknown", message)
            return Condition.UNINSPECTED, source
        if found.weak and found.source not in ("", "customer returns"):
            message = f"{shown(text)} says where goods are from, not how they are: uninspected"
            self._problems.warning(row.line, column.header, "condition_is_source", message)
        return found.condition, source or found.source

    def _source(self, row: Row) -> str:
        column = self._columns.get(Field.SOURCE)
        if column is None:
            return ""
        text, _ = cleaned(text_in(row.at(column.index)))
        if is_nothing(text):
            return ""
        return source_in(text) or text[:_SOURCE_CHARACTERS].rstrip()


class Details:
    """Reads weights, with the unit of the cell, of the unit's column, or of the header."""

    def __init__(self, columns: Columns, problems: Problems) -> None:
        self._columns, self._problems = columns, problems
        self._habit = Habit(habit_of(()).sign, sure=False)
        column = columns.get(Field.WEIGHT)
        self._by_header = None if column is None else unit_in_header(column.header)
        self._told = False

    def decide_habit(self, rows: list[Row]) -> None:
        """Look at all weights, to know how fractions are written."""
        column = self._columns.get(Field.WEIGHT)
        if column is not None:
            numbers = (split_weight(text_in(row.at(column.index)))[0] for row in rows)
            self._habit = habit_of(numbers)

    def weight_g(self, row: Row) -> int | None:
        """The weight of one piece in grams; ``None``: not known."""
        column = self._columns.get(Field.WEIGHT)
        if column is None or is_nothing(text := text_in(row.at(column.index))):
            return None
        number, unit = split_weight(text)
        unit = unit or self._unit_beside(row) or self._by_header
        try:
            cell = row.at(column.index)
            amount = number_in(number if isinstance(cell, str) else cell, self._habit)
        except BadAmount:
            message = f"{shown(text)} is no weight such as 12.5 lb; it was left empty"
            self._problems.warning(row.line, column.header, "weight_unreadable", message)
            return None
        if amount is None or amount == 0:
            return None
        if unit is None:
            self._tell_once(row, column.header)
            return None
        weighed = grams(amount, unit)
        if not 1 <= weighed <= _MOST_GRAMS:
            message = f"{shown(text)} is no weight of a piece; it was left empty"
            self._problems.warning(row.line, column.header, "weight_unreadable", message)
            return None
        return weighed

    def _unit_beside(self, row: Row) -> str | None:
        column = self._columns.get(Field.WEIGHT_UNIT)
        return None if column is None else weight_unit(text_in(row.at(column.index)))

    def _tell_once(self, row: Row, header: str) -> None:
        if not self._told:
            message = "no unit of the weights is known (lb, kg, oz, g); they were left empty"
            line = self._problems.header_line or row.line
            self._problems.warning(line, header, "weight_without_unit", message)
        self._told = True
