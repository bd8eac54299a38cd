"""The front door: the command line, the hosts that put the rooms into processes, embedded services.

Imports every room below it; only ``load_tests`` may import it.
"""

if not __debug__:
    # Invariants are asserts. Without them a broken state would go on taking bids.
    raise SystemExit(
        "softclose: refuses to run without assertions; start it without -O and PYTHONOPTIMIZE"
    )
