"""The ledger's role: made where it may be, and enough to book with by itself."""

from foundation.database import connect
from settlement import postings as p
from softclose.databases import prepare
from softclose.embedded_postgres import EmbeddedPostgres
from tests.books import INVOICE, about, booked, folded, money, stored


async def test_an_owner_who_may_make_no_roles_migrates_and_a_member_of_the_role_books(
    postgres: EmbeddedPostgres, database_url: str
) -> None:
    server = await connect(postgres.dsn, name="test")
    where = postgres.dsn.rpartition("@")[2].rpartition("/")[0]
    try:
        await server.execute("create role plain_owner login password 'p' nocreaterole")
        await server.execute("create role plain_booker login password 'p' in role softclose_ledger")
        await server.execute("create database plain owner plain_owner template template0")
        await prepare(f"postgresql://plain_owner:p@{where}/plain")
        books = await connect(f"postgresql://plain_booker:p@{where}/plain", name="test")
        entry = p.capture(about(INVOICE), [money(1_000, 100, 90)])
        assert await booked(books, entry) == [entry.key]
        assert await booked(books, entry) == []
        assert await folded(books) == await stored(books)
        await books.close()
    finally:
        await server.execute("drop database if exists plain with (force)")
        await server.execute("drop role if exists plain_booker, plain_owner")
        await server.close()
