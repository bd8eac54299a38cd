"""The proof of the house, a folder per kind; CONTRIBUTING tells what goes where."""
