"""Tests that try a part of what they could in ``./test``, and all of it in ``./test long``.

They are marked: ``./test long`` runs them again after ``tests/long``, with this switched on.
"""

import os
from typing import Final

import pytest

THOROUGH: Final = os.environ.get("SOFTCLOSE_TEST_RUN") == "thorough"

thorough = pytest.mark.thorough
