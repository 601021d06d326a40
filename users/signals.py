"""What the apps above are told about people."""

from django.dispatch import Signal

# Sent with `user` inside the transaction in which somebody who broadcasts might have become too young to (D19).
became_minor = Signal()
# Sent with `user` inside the transaction that bans them.
banned = Signal()
# Sent with `user` and `target` inside the transaction in which the first blocks the other.
blocked = Signal()
# Sent with `user` inside the transaction in which their live goes on air, its row held.
went_on_air = Signal()
# Sent with `user` inside the transaction in which they leave: signed out everywhere, and gone for others. They may come
# back for some days.
left = Signal()
