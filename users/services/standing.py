"""What gifts do for a person's standing: experience of who gives, tickets of who receives."""

from django.db.models import F

from users.models import User


def record_gift(*, sender_id: int, receiver_id: int, gold: int, points: int, experience: int) -> int:
    """Counts a gift on both people, in primary-key order. Returns the points the receiver ever earned."""
    for person in sorted({sender_id, receiver_id}):
        if person == sender_id:
            User.objects.filter(pk=person).update(
                gold_given=F("gold_given") + gold, experience=F("experience") + experience
            )
        if person == receiver_id:
            User.objects.filter(pk=person).update(points_earned=F("points_earned") + points)
    return int(User.objects.values_list("points_earned", flat=True).get(pk=receiver_id))
