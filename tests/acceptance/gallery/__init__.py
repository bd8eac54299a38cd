"""A gallery of all components, served in tests only: to be looked at, and checked by axe."""
