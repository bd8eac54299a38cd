"""What the things that this room does need: tables, password hashing, the post, the time."""

from dataclasses import dataclass
from typing import Protocol

from accounts.clock import Clock, wall_clock
from accounts.letters import Letter
from accounts.passwords import Passwords
from foundation.database import Pool


class Post(Protocol):
    """Takes letters and delivers them behind the request, so that nobody can tell by an answer's
    time whether there was one."""

    def send(self, letter: Letter) -> None:
        """Have the letter delivered, soon if the mail server takes it; never waits, never fails."""
        ...


@dataclass(frozen=True)
class Room:
    """Made by the host, one a process."""

    pool: Pool
    passwords: Passwords
    post: Post
    # Where people reach us, for the links in mails: scheme://host[:port].
    origin: str
    clock: Clock = wall_clock
