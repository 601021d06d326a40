"""What the apps above are told about people."""

from django.dispatch import Signal

# Sent with `user` inside the transaction in which somebody who broadcasts might have become too young to (D19).
became_minor = Signal()
# Sent with `user` inside the transaction that bans them.
banned = Signal()
