"""schemathesis against a running API: what its description allows, and what it forbids, at random.

No answer may be a fault of ours (5xx), and each has to be one that the description names, with
the body that it says. What is allowed by the description may still be refused (a cursor that we
did not make); what it forbids may not be taken.
"""

import asyncio
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from foundation.http.openapi import PATH

CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)
WITHIN_S: Final = 100.0

_TESTED = re.compile(r"([\d,]+) generated")
_HOME = Path(sys.executable).parent


async def fuzz(
    address: str,
    *,
    headers: Mapping[str, str] | None = None,
    examples: int = 25,
    seed: int = 1,
    without: str | None = None,
    places: Mapping[str, str] | None = None,
    phases: str = "examples,coverage,fuzzing",
) -> int:
    """How many requests were made; fails with schemathesis' own words.

    ``address`` is scheme://host:port; ``without`` a pattern of paths to leave out; ``places`` the
    parts of paths by their names, so that what is asked for is there; of the ``phases``,
    coverage alone makes some fifty requests a path.
    """
    command = [
        str(_HOME / "schemathesis"), "run", f"{address}{PATH}", "--no-color",
        "--checks", ",".join(CHECKS), "--phases", phases,
        "--max-examples", str(examples), "--seed", str(seed), "--generation-database", "none",
    ]  # fmt: skip
    for name, value in (headers or {}).items():
        command += ["--header", f"{name}:{value}"]
    if without is not None:
        command += ["--exclude-path-regex", without]
    # In a folder of its own, because it leaves things behind.
    with TemporaryDirectory(prefix="softclose-fuzz-") as folder:
        known = [f'"path.{name}" = "{value}"\n' for name, value in (places or {}).items()]
        config = "".join(["[parameters]\n", *known])
        (Path(folder) / "schemathesis.toml").write_text(config)
        code, said = await _run(command, folder)
    assert code == 0, said
    tested = _TESTED.search(said)
    assert tested is not None, said
    return int(tested[1].replace(",", ""))


async def _run(command: list[str], folder: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=folder
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, output.decode()
