"""``python -m tests.crash_points``: so many awards, whose process dies at each of its awaits."""

import sys
import time

import click

from tests.crash_points.many import batches, in_parallel


@click.command()
@click.option("--awards", default=10_000, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=1))
def main(awards: int, seed: int) -> None:
    """Play whole lives of invoices, and say what is wrong in the end."""
    began, done = time.monotonic(), [0, 0, 0, 0]
    for outcome in in_parallel(batches(awards, seed)):
        sums = (outcome.awards, outcome.awaits, outcome.deaths, len(outcome.wrong))
        done = [total + more for total, more in zip(done, sums, strict=True)]
        for line in outcome.wrong:
            click.echo(line)
        took = time.monotonic() - began
        click.echo(
            f"{done[0]:,} awards, {done[1]:,} awaits, {done[2]:,} deaths, {done[3]} wrong"
            f" ({took:.0f} s)",
            err=True,
        )
    sys.exit(1 if done[3] else 0)


if __name__ == "__main__":
    main()
