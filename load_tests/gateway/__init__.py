"""Our gateway as the load tests run it: `serve` is the process, `contender` starts and asks it."""
