"""What gifts do for a person's standing: experience of who gives, tickets of who receives."""

from django.db import connection

# One statement; the inner one locks in primary-key order.
_RECORD = """
UPDATE users_user SET
    gold_given = gold_given + CASE WHEN users_user.id = %(sender)s THEN %(gold)s ELSE 0 END,
    experience = experience + CASE WHEN users_user.id = %(sender)s THEN %(experience)s ELSE 0 END,
    points_earned = points_earned + CASE WHEN users_user.id = %(receiver)s THEN %(points)s ELSE 0 END
FROM (SELECT id FROM users_user WHERE id IN (%(sender)s, %(receiver)s) ORDER BY id FOR NO KEY UPDATE) AS held
WHERE users_user.id = held.id
RETURNING users_user.id, points_earned
"""


def record_gift(*, sender_id: int, receiver_id: int, gold: int, points: int, experience: int) -> int:
    """Counts a gift on both people. Returns the points the receiver ever earned."""
    counted = {"gold": gold, "points": points, "experience": experience}
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, {"sender": sender_id, "receiver": receiver_id, **counted})
        return int(dict(cursor.fetchall())[receiver_id])
