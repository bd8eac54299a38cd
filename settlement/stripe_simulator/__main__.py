"""``python -m settlement.stripe_simulator [FOLDER]``: run one, and say where it is."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from settlement.stripe_simulator import simulator


async def _serve(folder: Path | None, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with simulator(folder, port=port) as running:
        sys.stdout.write(f"{running.url}\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Run until it is told to stop."""
    parser = argparse.ArgumentParser(prog="stripe_simulator", description="A simulator of Stripe.")
    parser.add_argument("folder", nargs="?", type=Path, help="where its journal is kept")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    asyncio.run(_serve(given.folder, given.port))


if __name__ == "__main__":
    main()
