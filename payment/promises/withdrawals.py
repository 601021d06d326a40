"""What withdrawals and exchanges must show (I5)."""

PROMISES = {
    "frozen points are those of open withdrawals": """
        SELECT format('%s points are frozen, open withdrawals have %s', frozen, wanted) FROM (
            SELECT coalesce((SELECT sum(e.amount) FROM payment_entry e JOIN payment_account a ON a.id = e.account_id
                             WHERE a.owner_id IS NULL AND a.name = 'frozen'), 0) AS frozen,
                   coalesce((SELECT sum(point) FROM payment_withdrawal WHERE state < 3), 0) AS wanted) both_sides
        WHERE frozen <> wanted""",
    "every withdrawal froze its points": """
        SELECT format('withdrawal %s of %s points has frozen %s', w.number, w.point, coalesce(-e.amount, 0))
        FROM payment_withdrawal w
        LEFT JOIN payment_transfer t ON t.key = 'withdrawal:' || w.number
        LEFT JOIN payment_entry e ON e.transfer_id = t.id
              AND e.account_id = (SELECT id FROM payment_account WHERE owner_id = w.owner_id AND currency = 'point')
        WHERE coalesce(-e.amount, 0) <> w.point ORDER BY w.id""",
    "a withdrawal is closed in the ledger as it is in its row": """
        SELECT format('withdrawal %s is in state %s, its transfer is %s',
                      w.number, w.state, coalesce(t.reason, 'missing'))
        FROM payment_withdrawal w LEFT JOIN payment_transfer t ON t.key = 'withdrawal:' || w.number || ':closed'
        WHERE coalesce(t.reason, '') <>
              CASE w.state WHEN 3 THEN 'withdrawal_paid' WHEN 4 THEN 'withdrawal_returned' ELSE '' END
        ORDER BY w.id""",
    "every withdrawal that is to be paid was approved by another, and every paid one has the gateway's number": """
        SELECT format('withdrawal %s was approved by %s and has number %L', w.number, d.many, w.gateway_number)
        FROM payment_withdrawal w
        CROSS JOIN LATERAL (SELECT count(*) AS many FROM payment_decision
                            WHERE withdrawal_id = w.id AND approved AND operator_id <> w.owner_id) d
        WHERE w.state IN (1, 2, 3) AND d.many < 1 OR w.state = 3 AND w.gateway_number = '' ORDER BY w.id""",
    "every frozen, paid and returned withdrawal has its row": """
        SELECT format('transfer %s names no withdrawal', t.key) FROM payment_transfer t
        WHERE t.reason IN ('withdrawal', 'withdrawal_paid', 'withdrawal_returned')
          AND NOT EXISTS (SELECT FROM payment_withdrawal w WHERE w.number = split_part(t.key, ':', 2)) ORDER BY t.id""",
    "every exchange is a transfer, and the other way round": """
        SELECT format('exchange %s', coalesce(x.number, t.key)) FROM payment_exchange x
        FULL JOIN (SELECT * FROM payment_transfer WHERE reason = 'exchange') t ON t.key = 'exchange:' || x.number
        WHERE x.number IS NULL OR t.id IS NULL""",
}
