from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from users.models import User  # noqa: F401  (named in the class below)


class UserQuerySet(models.QuerySet["User"]):
    def people(self) -> "UserQuerySet":
        """Those other people may meet: neither banned nor about to be deleted."""
        return self.filter(is_active=True, deletion_due_at=None)
