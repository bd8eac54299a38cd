"""How many connections the kernel keeps until they are accepted."""

from typing import Final

# Thousands may reconnect at once after a restart.
BACKLOG: Final = 4_096
