"""What points are worth (D37)."""

from django.conf import settings


def point_worth(points: int) -> int:
    """In units of the wire's `pointWorth`."""
    return points * int(settings.POINT_WORTH)


def cash(points: int) -> int:
    """In fen, rounded down."""
    return points // int(settings.POINTS_PER_FEN)
