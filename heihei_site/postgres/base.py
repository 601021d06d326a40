"""The database engine of the settings: Django's own, asking a kept connection for its health without a round trip."""

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    connection: Any

    def is_usable(self) -> bool:
        """Whether the server has hung up: from an idle connection nothing can be read but its end, or the words before.

        Django asks before every request and would send a query.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection, select.POLLIN)
        return not waiting.poll(0)
