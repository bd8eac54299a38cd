"""Pictures of the demonstration that were drawn before are found again."""

from pathlib import Path

import pytest

from auction.ids import LotId
from softclose.demo import picture_cache
from softclose.demo.photo_maker import Drawn


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "softclose"


def a_picture(name: str) -> Drawn:
    return Drawn(LotId(name), f"lot {name}", files=[])


def test_what_was_kept_is_found_by_its_seed() -> None:
    assert picture_cache.kept(7) is None
    picture_cache.keep(7, [a_picture("1"), a_picture("2")])
    assert picture_cache.kept(7) == [a_picture("1"), a_picture("2")]
    assert picture_cache.kept(8) is None


def test_a_file_that_is_broken_counts_as_none(cache: Path) -> None:
    picture_cache.keep(7, [a_picture("1")])
    (file,) = cache.iterdir()
    file.write_bytes(b"\x93")
    assert picture_cache.kept(7) is None


def test_other_drawings_are_not_taken_for_these(monkeypatch: pytest.MonkeyPatch) -> None:
    picture_cache.keep(7, [a_picture("1")])
    monkeypatch.setattr(picture_cache, "_SOURCES", ("scenes",))
    assert picture_cache.kept(7) is None


def test_only_the_latest_sales_are_kept(cache: Path) -> None:
    for seed in range(picture_cache.MOST_SALES + 3):
        picture_cache.keep(seed, [a_picture("1")])
    assert len(list(cache.iterdir())) == picture_cache.MOST_SALES


def test_a_folder_that_cannot_be_written_is_no_fault(cache: Path) -> None:
    cache.write_text("a file in the way")
    picture_cache.keep(7, [a_picture("1")])
    assert picture_cache.kept(7) is None
