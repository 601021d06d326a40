"""`asgi.py` is neutral: daphne, which `runserver` uses, serves the same HTTP and sockets."""

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.site.web import serving, status


@pytest.mark.django_db(transaction=True)
def test_daphne_serves_calls_and_sockets():
    with serving("daphne") as port:
        assert status(port, "/api/init?ap=heihei") == 200
        with connect(f"ws://127.0.0.1:{port}/ws/channel?token=nobodys") as socket:
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=5)
    assert closed.value.rcvd.code == 4401
