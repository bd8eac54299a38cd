"""The real writer in one process, on virtual time, with faults by seed.

What runs: ``world`` puts together hosts (each the real ``Writer``, ``LocalEngine``,
``LocalBus`` and ``EngineClock`` in a ``Process`` of the ``virtual_loop``), readers (the real
``LogFollower``), people (``people``, ``desk``) and the log behind a network (``simulated_log``,
with the fate of each call from the ``weather``). ``scenarios`` and ``faults`` draw it all from
the seed, ``trouble`` applies the faults, ``operations`` starts again what died.

What is looked at: everything that happens is on the ``tape``. When the run is over, the ``checker``
reads it from its start and holds it against the invariants of the reliability page, with a naive
model of a sale (``model``) that shares no code with the engine's rules. ``folds`` compares states
while the run goes on. ``mutants`` are the bugs that all of this must find.

With gateways (``gateway_run``, ``gateway_world``): each host has the real ``Gateway`` in it
(``gateway_hosts``), which hears a bus that drops, repeats and delays, and asks for ``logins``. Its
clients (``onlookers``) are connected by ``wires``, which are bounded, slow, and cut in the middle
of a message; what they are ``told`` is held against the ``public_record``. ``gateway_mutants`` and
``fan_out_mutants`` are the bugs for these.

    python -m tests.simulation 4711 --trace     one run, every line of it
    python -m tests.simulation --seeds 5000     many, on all cores
    python -m tests.simulation --mutants        which planted bug is found by what
    python -m tests.simulation --gateway ...    the same with gateways
"""
