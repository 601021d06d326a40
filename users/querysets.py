from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from users.models import User  # noqa: F401  (named in the class below)


class UserQuerySet(models.QuerySet["User"]):
    def people(self) -> "UserQuerySet":
        """Those other people may meet: not banned."""
        return self.filter(is_active=True)
