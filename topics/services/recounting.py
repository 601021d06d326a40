"""Counts of likes and replies against the rows they count. Views and gifts have no rows to go by: a person is counted
again and again."""

from django.db import connection

# Each is one statement: it sees rows, standings and tallies at one moment, and adds what is missing as tallies.
_SUBJECTS = """
WITH answered AS (
    SELECT parent AS id, count(DISTINCT reply.id) AS many
    FROM topics_subject AS reply, LATERAL (VALUES (main_id), (replied_id)) AS parents (parent)
    WHERE state = 1 AND main_id IS NOT NULL GROUP BY parent
), liked AS (
    SELECT subject_id AS id, count(*) AS many FROM topics_like GROUP BY subject_id
), said AS (
    SELECT subject_id AS id, sum(replies) AS replies, sum(likes) AS likes FROM (
        SELECT subject_id, replies, likes FROM topics_standing
        UNION ALL SELECT subject_id, replies, likes FROM topics_tally
    ) AS counted GROUP BY subject_id
)
INSERT INTO topics_tally (subject_id, topic_id, user_id, views, replies, likes, gifts, gift_id, warmth)
SELECT id, 0, 0, 0, coalesce(answered.many, 0) - said.replies, coalesce(liked.many, 0) - said.likes, 0, 0, 0
FROM said JOIN topics_standing ON subject_id = id LEFT JOIN answered USING (id) LEFT JOIN liked USING (id)
WHERE (coalesce(answered.many, 0), coalesce(liked.many, 0)) <> (said.replies, said.likes)
"""
_TOPICS = """
WITH there AS (
    SELECT subject.topic_id AS id, count(*) AS many
    FROM topics_subject AS subject LEFT JOIN topics_subject AS main ON main.id = subject.main_id
    WHERE subject.state = 1 AND coalesce(main.state, 1) = 1 GROUP BY subject.topic_id
), liked AS (
    SELECT topic_id AS id, count(*) AS many
    FROM topics_like JOIN topics_subject ON topics_subject.id = subject_id GROUP BY topic_id
), said AS (
    SELECT topic_id AS id, sum(replies) AS replies, sum(likes) AS likes FROM (
        SELECT topic_id, replies, likes FROM topics_topicstanding
        UNION ALL SELECT topic_id, replies, likes FROM topics_tally
    ) AS counted GROUP BY topic_id
)
INSERT INTO topics_tally (subject_id, topic_id, user_id, views, replies, likes, gifts, gift_id, warmth)
SELECT 0, id, 0, 0, coalesce(there.many, 0) - said.replies, coalesce(liked.many, 0) - said.likes, 0, 0, 0
FROM said JOIN topics_topicstanding ON topic_id = id LEFT JOIN there USING (id) LEFT JOIN liked USING (id)
WHERE (coalesce(there.many, 0), coalesce(liked.many, 0)) <> (said.replies, said.likes)
"""


def recount() -> int:
    """Returns for how many subjects and topics something was wrong. None, unless something went wrong."""
    with connection.cursor() as cursor:
        wrong = 0
        for statement in (_SUBJECTS, _TOPICS):
            cursor.execute(statement)
            wrong += cursor.rowcount
        return wrong
