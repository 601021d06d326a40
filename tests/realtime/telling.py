"""What services do, as one transaction each."""

from functools import wraps
from typing import Any

from heihei_site.realtime import publish as realtime
from heihei_site.realtime.groups import person, room
from tests.realtime.sample_events import Noted, Said

ROOM = 77


def _alone(deed: Any) -> Any:
    @wraps(deed)
    def done(*args: Any, **kwargs: Any) -> None:
        with realtime.telling():
            deed(*args, **kwargs)

    return done


publish = _alone(realtime.publish)
enter_room = _alone(realtime.enter_room)
leave_room = _alone(realtime.leave_room)
close_room = _alone(realtime.close_room)
end_sessions = _alone(realtime.end_sessions)


def say(text: str, room_id: int = ROOM) -> None:
    """To everyone in the room."""
    publish(Said(room_id=room_id, text=text), to=room(room_id))


def note(user_id: int, *texts: str) -> None:
    """To one person; a transaction each."""
    for text in texts:
        publish(Noted(text=text), to=person(user_id))
