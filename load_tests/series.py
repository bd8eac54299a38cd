"""Numbers that were measured several times: medians, and how far the rounds were apart."""

from statistics import median


class Series:
    """Figures by name, one number a round."""

    def __init__(self) -> None:
        self._numbers: dict[str, list[float]] = {}

    def add(self, name: str, number: float) -> None:
        """Note what one round found."""
        self._numbers.setdefault(name, []).append(number)

    def medians(self) -> dict[str, float]:
        """The figures."""
        return {name: median(numbers) for name, numbers in self._numbers.items()}

    def ranges(self) -> dict[str, tuple[float, float]]:
        """The lowest and the highest round of each figure."""
        return {name: (min(numbers), max(numbers)) for name, numbers in self._numbers.items()}
