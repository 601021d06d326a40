"""What services do, as one transaction each."""

from functools import wraps
from typing import Any

from heihei_site.realtime import publish as realtime


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
