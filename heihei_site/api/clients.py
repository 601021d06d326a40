"""Which generation of client is asking, and every rule that depends on it (D1). Nothing else may look at versions."""

import re
from dataclasses import dataclass

Generation = tuple[int, int]  # (major, minor)

NEWEST: Generation = (99, 0)
# What a client must be to be told something (`needs` of an event).
EVERYONE: Generation = (0, 0)
LATER: Generation = (1, 2)  # than the shipped app, which takes who is away for a moment in a call for who hung up
TEAMS: Generation = (1, 5)  # D23: older ones know neither full rooms nor invitations into them
IM: Generation = (2, 0)  # D14: older ones would misread it
_VERSION = re.compile(r"(\d{1,4})(?:\.(\d{1,4}))?")


@dataclass(frozen=True)
class Client:
    """The generation of a client. Unknown means newest."""

    generation: Generation = NEWEST

    @classmethod
    def of(cls, *versions: str | None) -> "Client":
        """The first of the given version texts that is one: header, parameter, then what the session last sent."""
        for text in versions:
            if text and (match := _VERSION.match(text)):
                return cls((int(match[1]), int(match[2] or 0)))
        return cls()

    @property
    def _first_generation(self) -> bool:
        return self.generation <= (1, 1)

    @property
    def _knows_teams(self) -> bool:
        return self.generation >= TEAMS

    @property
    def empty_description_means_keep(self) -> bool:
        """D16: the 1.1 app sends the signature it does not know yet at every start."""
        return self._first_generation

    @property
    def reads_ended_live_from_status(self) -> bool:
        """D22: the 1.1 app shows the end page only for errorcode 0 with a status other than 1."""
        return self._first_generation

    @property
    def sees_updates_only_in_refusals(self) -> bool:
        """D31: the 1.1 app shows the dialog for a non-zero errorcode with `info`, and for nothing else."""
        return self._first_generation

    @property
    def bears_pushes(self) -> bool:
        """B65: a push with a payload crashes the 1.1 app."""
        return not self._first_generation

    @property
    def must_be_inside_to_get_live(self) -> bool:
        """D22: 506 on a running live from outside."""
        return self._knows_teams

    @property
    def opens_audience(self) -> bool:
        """D23: older clients know neither a full room nor knocking."""
        return not self._knows_teams
