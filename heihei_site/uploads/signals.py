from django.dispatch import Signal

# A job has looked into an upload that is in use: upload_id, used_by, accepted (bool), seconds (float, None for
# pictures) and url. What is not accepted is gone from the storage: hide what shows it and tell its author. Sent by a
# worker, outside transactions, at least once: a receiver that raises hears it again.
examined = Signal()
