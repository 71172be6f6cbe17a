"""What is wrong with a file, and how to mend it."""

import dataclasses


@dataclasses.dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong (or, as a warning, worth a look).

    Attributes:
        file: the name the text came under.
        line: 1 for the first; 0 where there is no line.
        path: the keys that lead there: `canary.versions.a.weight`.
        message: what is wrong.
        mend: what to write instead.
    """

    file: str
    line: int
    path: str
    message: str
    mend: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        path = f"{self.path}: " if self.path else ""
        mend = f" ({self.mend})" if self.mend else ""
        return f"{where}: {path}{self.message}{mend}"
