"""The request to be explained, as it is sent: nothing is decoded, but of the path what Envoy decodes."""

import dataclasses

from xds.translate.explain.paths import normalized

_BLANK = b" \t"


class Untold(Exception):
    """This can't be known beforehand; the text says what, in a sentence without its full stop."""


@dataclasses.dataclass(frozen=True)
class Request:
    """What a client sends.

    Attributes:
        target: path and query as they stand in the URL.
        headers: one entry for each line; cookies are a `cookie` line.
        host: as the client names it; "": the deployment's own.
        model: what the JSON body names; None: there is no JSON.
    """

    method: str = "GET"
    target: bytes = b"/"
    headers: tuple[tuple[str, bytes], ...] = ()
    host: str = ""
    model: str | None = None

    @property
    def path(self) -> bytes:
        """The path without the query, as routes are matched against it."""
        return normalized(self.sent_path)

    @property
    def sent_path(self) -> bytes:
        """The path without the query, as it is sent."""
        return self.target.partition(b"#")[0].partition(b"?")[0]

    def values(self, name: str) -> list[bytes]:
        """A header's values, one for each line, without the whitespace around them."""
        wanted = name.lower()
        target = self.path + self.target[len(self.sent_path) :]
        pseudo = {":path": target, ":method": self.method.encode(), ":authority": self.host.encode()}
        if wanted in (*pseudo, "host"):
            return [pseudo.get(wanted, self.host.encode())]
        return [value.strip(_BLANK) for key, value in self.headers if key.lower() == wanted]

    def parameter(self, name: str) -> bytes | None:
        """A query parameter's first value, nothing decoded; None where it is missing."""
        query = self.target.partition(b"#")[0].partition(b"?")[2]
        for parameter in query.split(b"&"):
            key, _, value = parameter.partition(b"=")
            if parameter and key == name.encode():
                return value
        return None

    def cookie(self, name: str) -> bytes | None:
        """A cookie's value, without quotes; None where it is missing."""
        for line in self.values("cookie"):
            for pair in line.split(b";"):
                key, _, value = pair.strip(_BLANK).partition(b"=")
                if key == name.encode():
                    return value[1:-1] if len(value) > 1 and value[:1] == value[-1:] == b'"' else value
        return None

    @property
    def is_json(self) -> bool:
        """Whether it has a JSON body, known or not."""
        return self.model is not None or any(b"json" in each.lower() for each in self.values("content-type"))
