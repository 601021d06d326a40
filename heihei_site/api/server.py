"""The HTTP side of uvicorn: `--http heihei_site.api.server:Http`."""

from urllib.parse import quote_from_bytes

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ASCII = "".join(map(chr, range(128)))


class Http(HttpToolsProtocol):
    """Takes raw UTF-8 in an address, as people write it with curl: uvicorn alone answers it with a bare HTTP 400."""

    _in_request_line = True

    def data_received(self, data: bytes) -> None:
        if self._in_request_line:
            line, newline, rest = data.partition(b"\n")
            if not line.isascii():
                data = quote_from_bytes(line, safe=ASCII).encode() + newline + rest
            self._in_request_line = not newline
        super().data_received(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._in_request_line = False
        super().on_header(name, value)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_request_line = True
