"""Which modules a page's script imports, and theirs, so that the page names all of them at once.

Without that a browser finds them one import after the other, each a round trip later: on a phone
far away a second passes before the page is live.
"""

import re
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final

# The tree that static addresses mirror.
_TREE: Final = Path(__file__).parents[2]
_IMPORT: Final = re.compile(r"""^(?:import|export)\b[^"';]*?["'](\.[^"']+)["']""", re.MULTILINE)


@cache
def modules(script: str) -> tuple[str, ...]:
    """The script and everything that it imports, by their static names, each once."""
    found: dict[str, None] = {}
    waiting = [script]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = None
            source = (_TREE / name).read_text()
            waiting += [_joined(name, imported) for imported in _IMPORT.findall(source)]
    return tuple(found)


def _joined(name: str, imported: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(name).parent / imported).parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
