"""What a browser is called, by what it says of itself: such as "Firefox on Windows"."""

from typing import Final

# In this order: most say that they are Mozilla, many that they are Safari or Chrome too.
_NAMES: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """A few words for a User-Agent; one that is no browser's as it is."""
    name = _first(_NAMES, agent)
    system = _first(_SYSTEMS, agent)
    if name and system:
        return f"{name} on {system}"
    return name or agent


def _first(known: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((words for part, words in known if part in agent), "")
