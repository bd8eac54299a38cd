"""A reader of Code 128 that shares nothing with the writer: from the bars on a page to the text.

The widths of the symbols are those of ISO/IEC 15417, table 1.
"""

import re
from typing import Final

from tests.papers import streams

_WIDTHS: Final = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 "
    "122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 "
    "321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 "
    "211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 "
    "213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 "
    "121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 "
    "241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 "
    "412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 "
    "211214 211232 2331112"
)
_SYMBOL: Final = {widths: value for value, widths in enumerate(_WIDTHS.split())}
_START_A, _START_B, _START_C, _STOP = 103, 104, 105, 106
_FNC1 = 102

_BAR: Final = re.compile(
    rb"([-0-9.]+) ([-0-9.]+) ([-0-9.]+) ([-0-9.]+) re|1 0 0 1 ([-0-9.]+) ([-0-9.]+) cm|\b([qQ])\b"
)


def codes_on(pdf: bytes) -> list[list[str]]:
    """The texts of the bar codes of each page, in the order in which they are drawn.

    A function 1 character is written as ``<F1>``. `AssertionError` where bars do not add up.
    """
    return [found for stream in streams(pdf) if (found := _codes_in(stream))]


def _codes_in(stream: bytes) -> list[str]:
    codes: list[str] = []
    bars: list[tuple[float, float]] = []
    heights: set[float] = set()
    for found in _BAR.finditer(stream):
        if found[1] is not None:
            x, _, width, height = (float(found[place]) for place in range(1, 5))
            if not heights or height in heights:
                heights = {height}
                bars.append((x, width))
                continue
        if len(bars) > 10:
            codes.append(decoded(bars))
        bars, heights = [], set()
    if len(bars) > 10:
        codes.append(decoded(bars))
    return codes


def decoded(bars: list[tuple[float, float]]) -> str:
    """The text of one code, from the places and widths of its bars."""
    widths: list[float] = []
    for place, (x, width) in enumerate(bars):
        if place:
            before_x, before_width = bars[place - 1]
            widths.append(x - before_x - before_width)
        widths.append(width)
    module = sum(widths) / (11 * ((len(widths) - 7) // 6) + 13)
    modules = [round(width / module) for width in widths]
    assert all(
        abs(width / module - whole) < 0.15 for width, whole in zip(widths, modules, strict=True)
    ), "each bar and space is a whole number of modules"
    said = "".join(map(str, modules))
    symbols = [said[place : place + 6] for place in range(0, len(said) - 7, 6)] + [said[-7:]]
    values = [_SYMBOL[symbol] for symbol in symbols]
    assert values[-1] == _STOP, "it ends"
    check = values[0] + sum(place * value for place, value in enumerate(values[1:-2], 1))
    assert check % 103 == values[-2], "its check character is right"
    return _text(values[:-2])


def _text(values: list[int]) -> str:
    code, text = values[0], ""
    for value in values[1:]:
        if value == _FNC1:
            text += "<F1>"
        elif code == _START_C and value < 100:
            text += f"{value:02}"
        elif value in (99, 100, 101) and _START_A + {101: 0, 100: 1, 99: 2}[value] != code:
            code = _START_A + {101: 0, 100: 1, 99: 2}[value]
        else:
            assert code == _START_B and value < 95, "digits and letters need no more"
            text += chr(value + 32)
    return text
