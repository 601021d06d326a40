"""What the dashboard has on it. Imports point down only, so the apps above say at their start what they can tell."""

from collections.abc import Iterable

from heihei_site.console.cards import Card
from heihei_site.console.figures import Figure

_figures: dict[str, Figure] = {}
_cards: dict[str, Card] = {}


def register(figures: Iterable[Figure] = (), cards: Iterable[Card] = ()) -> None:
    """The same name again replaces it."""
    _figures.update({figure.name: figure for figure in figures})
    _cards.update({card.name: card for card in cards})


def figures() -> list[Figure]:
    return sorted(_figures.values(), key=lambda figure: figure.place)


def cards() -> list[Card]:
    return sorted(_cards.values(), key=lambda card: card.place)
