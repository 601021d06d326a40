"""A phone with a 2.0 client: encodes its parameters, tells its version in every call, POSTs, reads plain JSON."""

from urllib.parse import urlencode

from tests.client import Phone
from tests.okhttp import Params


class ModernPhone(Phone):
    VERSION = "2.0.0"

    def encode_form(self, params: Params) -> bytes:
        return urlencode({key: value for key, value in params.items() if value is not None}).encode()
