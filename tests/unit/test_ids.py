import hashlib

from auction.ids import SHARDS, SaleId, shard_of


def test_a_sale_lives_in_the_shard_that_its_name_hashes_to() -> None:
    digest = hashlib.sha256(b"summer-returns-7").hexdigest()
    assert shard_of(SaleId("summer-returns-7")) == int(digest[:16], 16) % 64


def test_the_shards_of_sales_that_exist_never_change() -> None:
    names = ("S-1", "S-2", "S-3", "MSR-2026-03")
    assert [shard_of(SaleId(name)) for name in names] == [61, 39, 59, 10]


def test_there_are_sixty_four_shards_and_sales_use_them_all() -> None:
    used = {shard_of(SaleId(f"S-{n}")) for n in range(1_000)}
    assert used == set(range(64)) == set(range(SHARDS))
