"""Workbooks in XLSX made by hand: also such as no spreadsheet would write."""

import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from xml.sax.saxutils import escape, quoteattr

Value = str | int | float | None

_NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KINDS = "application/vnd.openxmlformats-officedocument.spreadsheetml"


class Formula:
    """A formula with the value that it last had; ``None``: it never had one."""

    def __init__(self, text: str, value: Value) -> None:
        self.text, self.value = text, value


class Error:
    """A cell that holds an error such as #N/A."""

    def __init__(self, text: str = "#N/A") -> None:
        self.text = text


Cell = Value | Formula | Error


def letters(column: int) -> str:
    """The name of a column, from 0."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def _cell(place: str, cell: Cell) -> str:
    match cell:
        case None | "":
            return ""
        case Formula(text=text, value=value):
            cached = "" if value is None else f"<v>{escape(str(value))}</v>"
            kind = ' t="str"' if isinstance(value, str) else ""
            return f'<c r="{place}"{kind}><f>{escape(text)}</f>{cached}</c>'
        case Error(text=text):
            return f'<c r="{place}" t="e"><v>{text}</v></c>'
        case int() | float():
            return f'<c r="{place}"><v>{cell!r}</v></c>'
    kept = '<t xml:space="preserve">' + escape(str(cell)) + "</t>"
    return f'<c r="{place}" t="inlineStr"><is>{kept}</is></c>'


def sheet_xml(rows: Sequence[Sequence[Cell]], merged: Sequence[str] = (), first: int = 1) -> str:
    """A sheet's part."""
    body = "".join(
        f'<row r="{number}">'
        + "".join(_cell(f"{letters(column)}{number}", cell) for column, cell in enumerate(row))
        + "</row>"
        for number, row in enumerate(rows, start=first)
    )
    merges = "".join(f'<mergeCell ref="{ref}"/>' for ref in merged)
    merges = f'<mergeCells count="{len(merged)}">{merges}</mergeCells>' if merged else ""
    return f"<worksheet {_NAMESPACE}><sheetData>{body}</sheetData>{merges}</worksheet>"


def xlsx(
    sheets: Mapping[str, Sequence[Sequence[Cell]]],
    *,
    merged: Mapping[str, Sequence[str]] | None = None,
    hidden: Sequence[str] = (),
    styles: str = "",
) -> bytes:
    """A workbook with these sheets."""
    parts = {
        f"xl/worksheets/sheet{number}.xml": sheet_xml(rows, (merged or {}).get(name, ()))
        for number, (name, rows) in enumerate(sheets.items(), start=1)
    }
    return package(parts, list(sheets), hidden=hidden, styles=styles)


def package(
    parts: Mapping[str, str | bytes],
    names: Sequence[str] = ("Sheet1",),
    *,
    hidden: Sequence[str] = (),
    styles: str = "",
    more: Mapping[str, str | bytes] | None = None,
) -> bytes:
    """The archive around sheets' parts; ``more`` parts are added as they are."""
    numbers = range(1, len(names) + 1)
    listed = "".join(
        f"<sheet name={quoteattr(name)} sheetId={quoteattr(str(number))} "
        f'{"state=" + quoteattr("hidden") if name in hidden else ""} r:id="rId{number}"/>'
        for number, name in zip(numbers, names, strict=True)
    )
    relations = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATIONS}/worksheet" '
        f'Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" '
        f'ContentType="{_KINDS}.worksheet+xml"/>'
        for number in numbers
    )
    everything: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
        'relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KINDS}.sheet.main+xml"/>{kinds}'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {_NAMESPACE} xmlns:r="{_RELATIONS}"><sheets>{listed}'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f"{relations}</Relationships>",
        **({"xl/styles.xml": styles} if styles else {}),
        **parts,
        **(more or {}),
    }
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in everything.items():
            archive.writestr(name, content)
    return out.getvalue()
