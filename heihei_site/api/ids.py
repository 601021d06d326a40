"""Numbers for things whose next number nobody may guess (D6): lives, chats, messages."""

import secrets


def unguessable_id() -> int:
    """52 random bits, never 0: exact as a JSON number in every client (below 2^53)."""
    return secrets.randbits(52) or 1
