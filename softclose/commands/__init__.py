"""One module a command, each with a click command of the same name and as little else as can be."""
