"""What the apps above are told about money."""

from django.dispatch import Signal

# Sent with `withdrawal` inside the transaction in which its money arrived, or its points came back.
withdrawal_closed = Signal()

# Sent with `credit` inside the transaction in which its gold and points moved.
credit_posted = Signal()
