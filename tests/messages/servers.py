"""Calls as other servers of ours make them."""

import time
from itertools import count

from django.test import Client

from messages.services.server_calls import signature_of

_nonces = count(10**8)


def path_of(action):
    return f"/messageserver/api/msg/{action}.action"


def signed(action, **given):
    said = {"timestamp": int(time.time()), "nonce": f"{next(_nonces)}"} | given
    return {"signature": signature_of(path_of(action), {name: str(value) for name, value in said.items()}), **said}


def post(action, given):
    return Client(raise_request_exception=False).post(path_of(action), given).json()
