"""Files of ACH returns as a bank makes them."""

from collections.abc import Sequence

# A trace number of ours, cents, and why it came back.
Sent = tuple[str, int, str]


def an_entry(trace: str, minor: int, code: str, words: str = "") -> list[str]:
    """A returned credit, or with a code of change a notice, and its addenda."""
    kind = "98" if code.startswith("C") else "99"
    told = f"7{kind}{code}{trace}{'':6}12100024{words:44}{trace[:8]}7654321"
    return [f"621121000248{'000123456789':17}{minor:010}{'REF':15}{'NORTH':22}  1{trace}", told]


def a_return_file(*sent: Sent, end: str = "\r\n") -> bytes:
    """One batch for each of them."""
    lines = ["101" + "1" * 91]
    for number, (trace, minor, code) in enumerate(sent, start=1):
        entry = an_entry(trace, 0 if code.startswith("C") else minor, code, "NO ACCOUNT")
        lines += ["5220" + " " * 83 + f"{number:07}", *entry, _control(number, entry)]
    return sealed(lines, [minor for _, minor, code in sent if code.startswith("R")], end)


def sealed(lines: Sequence[str], minors: Sequence[int], end: str = "\r\n") -> bytes:
    """With the control of the file, and full blocks."""
    batches = sum(line[0] == "5" for line in lines)
    records = sum(line[0] in "67" for line in lines)
    control = f"9{batches:06}{1:06}{records:08}{0:010}{0:012}{sum(minors):012}".ljust(94)
    every = [*lines, control]
    every += ["9" * 94] * (-len(every) % 10)
    return "".join(line + end for line in every).encode()


def _control(number: int, entry: Sequence[str]) -> str:
    minor = sum(int(line[29:39]) for line in entry if line[0] == "6")
    return f"8220{len(entry):06}{0:010}{0:012}{minor:012}{'':43}{number:07}"
