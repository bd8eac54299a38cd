"""What the amounts of a table are in: one currency, one habit of writing, minor units.

Both are decided for all lines together, before one is read.
"""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from auction.catalog.importing.amounts import (
    BadAmount,
    DecimalSign,
    Habit,
    habit_of,
    minor_of,
    number_in,
)
from auction.catalog.importing.columns import Columns
from auction.catalog.importing.currencies import currency_in
from auction.catalog.importing.faults import Problems, some_lines
from auction.catalog.importing.sheets import Row
from auction.catalog.importing.texts import is_nothing, text_in
from auction.catalog.importing.vocabulary import Field
from auction.catalog.importing.words import words_of
from auction.money import EXPONENTS

PRICES = (Field.UNIT_MSRP, Field.EXTENDED_MSRP)
# Currencies of lands where amounts have decimal commas.
_COMMAS = frozenset({"EUR"})
# Others that are written with "$".
_DOLLARS = frozenset({"CAD", "AUD", "NZD", "MXN"})
# Words for retail prices of lands that have euros, and next to no other.
_OF_EUROS = frozenset(
    (
        *("uvp", "neupreis", "ladenpreis", "verkaufspreis", "einzelpreis", "ttc", "prix"),
        *("pvp", "pvr", "precio", "prezzo", "listino", "adviesprijs", "prijs", "verkoopprijs"),
    )
)


# Amounts in Bahraini dinars do have three decimals.
_DECIMALS_OF_THOUSANDS = 3


class Money(Struct, frozen=True):
    """How this table's amounts are read."""

    currency: str
    habits: dict[Field, Habit]

    @property
    def pieces(self) -> Habit:
        """How quantities are written."""
        return self.habits.get(Field.QUANTITY, Habit(DecimalSign.POINT, sure=False))

    @property
    def exponent(self) -> int:
        """Digits of the minor unit."""
        return EXPONENTS[self.currency]

    def read(self, row: Row, columns: Columns, field: Field) -> Decimal | None:
        """The amount in this row; ``None``: nothing stands there. Raises `BadAmount`."""
        column = columns.get(field)
        if column is None:
            return None
        amount = number_in(row.at(column.index), self.habits[field])
        if amount is not None and amount < 0:
            raise BadAmount("amount_negative", f"{amount:f} is less than nothing")
        return amount

    def minor(self, amount: Decimal) -> tuple[int, bool]:
        """Minor units, rounded half up, and whether that was exact."""
        return minor_of(amount, self.exponent)


def money_of(
    rows: Sequence[Row],
    columns: Columns,
    problems: Problems,
    *,
    default: str | None,
    hints: frozenset[str],
    delimiter: str,
    stated: str | None = None,
) -> Money:
    """Currency and habits of a table. Mixed and unknown currencies are errors of their lines.

    ``stated``: the currency that titles name; ``hints``: those that formats of numbers name.
    """
    stated = stated or (next(iter(hints)) if len(hints) == 1 else None)
    currency = _currency(rows, columns, problems, default=default, stated=stated)
    likely = DecimalSign.COMMA if delimiter == ";" else DecimalSign.POINT
    if currency in _COMMAS and delimiter != ",":
        likely = DecimalSign.COMMA
    habits: dict[Field, Habit] = {}
    for field in PRICES:
        if field in columns:
            index = columns[field].index
            habits[field] = habit_of(
                (row.at(index) for row in rows),
                likely=likely,
                thousands=EXPONENTS[currency] < _DECIMALS_OF_THOUSANDS,
            )
    sure = [habit for habit in habits.values() if habit.sure]
    if len(sure) == 1:  # the other column of prices shows it for both
        habits = dict.fromkeys(habits, sure[0])
    _say_if_unsure(rows, columns, habits, problems)
    if Field.QUANTITY in columns:
        index = columns[Field.QUANTITY].index
        habits[Field.QUANTITY] = habit_of((row.at(index) for row in rows), thousands=True)
    return Money(currency, habits)


def _say_if_unsure(
    rows: Sequence[Row], columns: Columns, habits: dict[Field, Habit], problems: Problems
) -> None:
    for field, habit in habits.items():
        if habit.sure:
            continue
        column = columns[field]
        texts = [row for row in rows if isinstance(row.at(column.index), str)]
        doubtful = [row for row in texts if {*".,"} & set(text_in(row.at(column.index)))]
        if doubtful:
            message = (
                "nothing in the column shows whether its points and commas are decimal; they were "
                f"read with decimal {habit.sign.on_pages}: look at the amounts"
            )
            problems.warning(doubtful[0].line, column.header, "amount_style_assumed", message)


def _currency(
    rows: Sequence[Row],
    columns: Columns,
    problems: Problems,
    *,
    default: str | None,
    stated: str | None,
) -> str:
    headers = [columns[field].header for field in PRICES if field in columns]
    named = [found for header in headers if (found := currency_in(header)) is not None]
    said = _by_line(rows, columns)
    counts = Counter(currency for _, currency in said)
    if counts:
        most = max(counts, key=lambda currency: counts[currency])
        usual = default if default is not None and default in counts else most
        few = _few_say(said, rows, columns)
        if few:
            usual = next(iter(named), None) or stated or default or "USD"
        if _bare_dollars(rows, columns) and usual == "USD" and named and named[0] != "USD":
            usual = named[0]  # "Retail (CAD)" over amounts with "$"
        else:
            _refuse_mixed(said, usual, columns, problems)
    elif named:
        usual = named[0]
    elif stated is not None:
        usual = stated
        problems.note(f"the currency is {usual}: titles or formats of numbers say so")
    else:
        usual = _assumed(rows, columns, problems, default)
    if usual in EXPONENTS:
        return usual
    column = columns.get(Field.CURRENCY) or next(iter(columns.values()))
    message = f"sales cannot be in {usual}; they can be in {', '.join(EXPONENTS)}"
    problems.error(said[0][0] if said else 0, column.header, "currency_unknown", message)
    return "USD"


def _few_say(said: Sequence[tuple[int, str]], rows: Sequence[Row], columns: Columns) -> bool:
    """Whether a few lines name a currency that the others do not: they are the odd ones.

    Where the first line names it, it does so for those below, as accountants write.
    """
    prices = [columns[field].index for field in PRICES if field in columns]
    priced = [
        row.line for row in rows if any(not is_nothing(text_in(row.at(index))) for index in prices)
    ]
    if Field.CURRENCY in columns or not priced or len(said) * 2 >= len(priced):
        return False
    return priced[0] not in {line for line, _ in said}


def _assumed(rows: Sequence[Row], columns: Columns, problems: Problems, default: str | None) -> str:
    """What amounts are in of which nothing says it: euros if they are written so."""
    prices = [columns[field] for field in PRICES if field in columns]
    habits = [habit_of(row.at(column.index) for row in rows) for column in prices]
    commas = any(habit.sure and habit.sign is DecimalSign.COMMA for habit in habits)
    headers = {word for column in prices for word in words_of(column.header)}
    currency = default or ("EUR" if commas or headers & _OF_EUROS else "USD")
    message = f"no currency is named in the file; it was taken for {currency}"
    unlike = commas and currency not in _COMMAS
    if not unlike and (default is not None or currency == "USD"):
        problems.note(message)
    else:
        told = ", though amounts have decimal commas" if unlike else ", by words and decimal signs"
        line = problems.header_line or rows[0].line
        problems.warning(line, prices[0].header, "currency_assumed", f"{message}{told}: name it")
    return currency


def _by_line(rows: Sequence[Row], columns: Columns) -> list[tuple[int, str]]:
    """The currencies that lines name, in their column or beside their amounts."""
    fields = (Field.CURRENCY, *PRICES)
    indices = [columns[field].index for field in fields if field in columns]
    said: list[tuple[int, str]] = []
    for row in rows:
        found = {
            currency
            for index in indices
            if isinstance(cell := row.at(index), str)
            and (currency := currency_in(cell)) is not None
        }
        if found & _DOLLARS:
            found.discard("USD")  # "CAD" in its column, and "$" beside the amounts
        said += [(row.line, currency) for currency in sorted(found)]
    return said


def _bare_dollars(rows: Sequence[Row], columns: Columns) -> bool:
    """Whether the only currency that lines name is a "$", which several have."""
    if Field.CURRENCY in columns:
        return False
    return not any(
        "US" in str(row.at(columns[field].index)).upper()
        for row in rows
        for field in PRICES
        if field in columns
    )


def _refuse_mixed(
    said: Sequence[tuple[int, str]], usual: str, columns: Columns, problems: Problems
) -> None:
    others = [(line, currency) for line, currency in said if currency != usual]
    column = columns.get(Field.CURRENCY) or next(
        (columns[field] for field in PRICES if field in columns), None
    )
    header = column.header if column is not None else ""
    for line, currency in others:
        message = (
            f"its amounts are in {currency} and those of other lines in {usual}; split the file"
        )
        problems.error(line, header, "currency_mixed", message)
    if others:
        problems.note(f"two currencies: {some_lines([line for line, _ in others])}")
