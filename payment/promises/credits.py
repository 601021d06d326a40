"""What operators' credits must show (ADR 20)."""

PROMISES = {
    "every posted credit moved what it says for its owner, and no other moved anything": """
        WITH moved AS (
            SELECT t.key, -coalesce(sum(e.amount) FILTER (WHERE a.name = 'credits' AND e.currency = 'gold'), 0) AS gold,
                   -coalesce(sum(e.amount) FILTER (WHERE a.name = 'credits' AND e.currency = 'point'), 0) AS point,
                   array_agg(DISTINCT a.owner_id) FILTER (WHERE a.owner_id IS NOT NULL) AS owners
            FROM payment_transfer t JOIN payment_entry e ON e.transfer_id = t.id
            JOIN payment_account a ON a.id = e.account_id
            WHERE t.reason = 'credit' GROUP BY t.key)
        SELECT format('credit %s of %s gold and %s points for %s is in state %s, %s moved %s and %s for %s',
                      c.number, c.gold, c.point, c.owner_id, c.state, m.key, m.gold, m.point, m.owners)
        FROM payment_credit c FULL JOIN moved m ON m.key = 'credit:' || c.number || ':' || c.kind
        WHERE (CASE c.state WHEN 1 THEN c.gold ELSE 0 END, CASE c.state WHEN 1 THEN c.point ELSE 0 END)
              <> (coalesce(m.gold, 0), coalesce(m.point, 0))
           OR c.id IS NULL OR m.owners <> ARRAY[c.owner_id]
        ORDER BY c.id""",
    "every posted credit was proposed by one operator and approved by another": """
        SELECT format('credit %s was proposed by %s and approved by %s', number, proposed_by_id, decided_by_id)
        FROM payment_credit WHERE state = 1 AND
            (decided_by_id IS NULL OR decided_by_id = proposed_by_id OR owner_id IN (proposed_by_id, decided_by_id))
        ORDER BY id""",
}
