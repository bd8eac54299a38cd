"""The Redis of a load test: as softclose finds one, or installed from Debian's packages."""

from load_tests.debian import NoProgram, install
from softclose import redis_server
from softclose.redis_server import NoRedis


def find_redis() -> str:
    """The server to use, installed if there is none. Raises `NoRedis`, saying what to install."""
    try:
        return redis_server.find_redis()
    except NoRedis as missing:
        try:
            install("redis-server")
        except NoProgram as error:
            raise NoRedis(f"{missing}; {error}") from error
    return redis_server.find_redis()
