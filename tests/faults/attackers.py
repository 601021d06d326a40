"""People one would rather not have as guests, each doing one thing to a web process until it is killed:

    python -m tests.faults.attackers PORT {"flood_of_pings": TOKEN, …}

Polite in one point only: they leave the processor to everybody else, as if on another machine.
"""

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.realtime.phone import BINARY, PING, TEXT, Phone

FRAME = 65536  # the longest that is allowed
HELD = 200  # connections that one of them keeps
CONT, UNKNOWN_OPCODE, FIN = 0, 3, 0x80

Attack = Callable[[int, str], None]


def long_frames(port: int, token: str) -> None:
    """As long as they may be, full of nothing, of elements that are none, and of one that never ends."""
    with dialled(port, token) as phone:
        for filling in (b"[" + b" " * (FRAME - 2) + b"]", b"[" + b"{}," * 20_000 + b"1]", b"[" * FRAME):
            phone.send(TEXT, filling)
        read_what_is_there(phone)
        time.sleep(0.05)


def too_long_frames(port: int, token: str) -> None:
    with dialled(port, token) as phone:
        phone.send(TEXT, b" " * (FRAME + 1))
        phone.close_code(1)


def malformed_frames(port: int, token: str) -> None:
    for opcode, payload in (
        (TEXT, b"\xff\xfe"),
        (TEXT, b"[{]"),
        (TEXT, b'[{"msg":{"toUserId":"1e400","content":[[[[]]]]},"msgType":"IM"}]'),
        (BINARY, b"[]"),
        (CONT, b"never begun"),
        (UNKNOWN_OPCODE, b""),
        (PING, b"x" * 126),
    ):
        with dialled(port, token) as phone:
            phone.send(opcode, payload)
            read_what_is_there(phone)
    with dialled(port, token) as phone:
        phone.socket.sendall(bytes([FIN | TEXT, 2]) + b"[]")  # not masked
        read_what_is_there(phone)


def endless_fragments(port: int, token: str) -> None:
    """A message that goes on and on. The first fragment and its followers have no FIN."""
    with dialled(port, token) as phone:
        mask = bytes([0x80, 0, 0, 0, 0])
        phone.socket.sendall(bytes([TEXT]) + mask)
        while True:
            phone.socket.sendall((bytes([CONT]) + mask) * 20)
            time.sleep(0.4)


def flood_of_frames(port: int, token: str) -> None:
    with dialled(port, token) as phone:
        burst = bytes([FIN | TEXT, 0x82, 0, 0, 0, 0]) + b"[]"
        while True:
            phone.socket.sendall(burst * 5000)


def flood_of_pings(port: int, token: str) -> None:
    with dialled(port, token) as phone:
        burst = bytes([FIN | PING, 0x80, 0, 0, 0, 0])
        while True:
            phone.socket.sendall(burst * 5000)


def flood_of_connections(port: int, token: str) -> None:
    """One client that connects and connects, and hangs up the oldest when it holds many."""
    phones = []
    while True:
        with suppress(OSError):
            phones.append(Phone(port, f"/ws/channel?token={token}&since=0"))
        if len(phones) > HELD:
            phones.pop(0).drop()


def half_handshakes(port: int, token: str) -> None:
    """Connections on which nothing is ever asked."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(HELD)]
    for each in sockets:
        each.sendall(b"GET /ws/channel HTTP/1.1\r\n")
    time.sleep(5)
    for each in sockets:
        each.close()


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        long_frames,
        too_long_frames,
        malformed_frames,
        endless_fragments,
        flood_of_frames,
        flood_of_pings,
        flood_of_connections,
        half_handshakes,
    )
}


@contextmanager
def dialled(port: int, token: str) -> Iterator[Phone]:
    phone = Phone(port, f"/ws/channel?token={token}")
    try:
        yield phone
    finally:
        phone.drop()


def read_what_is_there(phone: Phone) -> None:
    with suppress(TimeoutError):
        while phone.frame(0.05) != (0, b""):
            pass


def again_and_again(attack: Attack, port: int, token: str) -> None:
    while True:
        with suppress(OSError, AssertionError):
            attack(port, token)
        time.sleep(0.02)


def main() -> None:
    os.nice(19)
    port, tokens = int(sys.argv[1]), json.loads(sys.argv[2])
    for name, token in tokens.items():
        threading.Thread(target=again_and_again, args=(ATTACKS[name], port, token), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
