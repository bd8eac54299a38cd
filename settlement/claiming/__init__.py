"""The claims desk: what buyers claim of what they received, and what staff decide."""
