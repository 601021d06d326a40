"""What orders, refunds and the gateways' bills must show (I4, D35, D36)."""

PROMISES = {
    "every paid order was credited once and in full, and no other": """
        WITH credited AS (
            SELECT t.key, -sum(e.amount) AS gold FROM payment_transfer t JOIN payment_entry e ON e.transfer_id = t.id
            JOIN payment_account a ON a.id = e.account_id AND a.owner_id IS NULL AND a.name = 'recharges'
            WHERE t.reason = 'recharge' GROUP BY t.key)
        SELECT format('order %s of %s gold is %s, credited %s', o.number, o.gold, o.state, coalesce(c.gold, 0))
        FROM payment_order o LEFT JOIN credited c ON c.key = 'recharge:' || o.number
        WHERE coalesce(c.gold, 0) <> CASE
            WHEN o.state = 'paid' THEN o.gold
            WHEN o.state = 'refunded' AND NOT EXISTS (
                SELECT FROM payment_refund r WHERE r.order_id = o.id AND r.state = 'succeeded' AND r.gold = 0
            ) THEN o.gold ELSE 0 END
        ORDER BY o.id""",
    "every recharge is an order's": """
        SELECT format('transfer %s has none', t.key) FROM payment_transfer t
        WHERE t.reason = 'recharge' AND NOT EXISTS (
            SELECT FROM payment_order o WHERE t.key = 'recharge:' || o.number) ORDER BY t.id""",
    "every refund took its gold back, and gave it again where it came to nothing": """
        WITH moved AS (
            SELECT t.key, sum(e.amount) AS gold FROM payment_transfer t JOIN payment_entry e ON e.transfer_id = t.id
            JOIN payment_account a ON a.id = e.account_id AND a.owner_id IS NULL AND a.name = 'refunds'
            WHERE t.reason = 'refund' GROUP BY t.key)
        SELECT format('refund %s of %s gold is %s, took %s and gave %s',
                      r.number, r.gold, r.state, coalesce(taken.gold, 0), coalesce(-given.gold, 0))
        FROM payment_refund r
        LEFT JOIN moved taken ON taken.key = 'refund:' || r.number
        LEFT JOIN moved given ON given.key = 'refund-undone:' || r.number
        WHERE coalesce(taken.gold, 0) <> r.gold
           OR coalesce(-given.gold, 0) <> CASE WHEN r.state IN ('failed', 'reversed') THEN r.gold ELSE 0 END
        ORDER BY r.id""",
    "every refund in the ledger is an order's": """
        SELECT format('transfer %s has none', t.key) FROM payment_transfer t
        WHERE t.reason = 'refund' AND NOT EXISTS (
            SELECT FROM payment_refund r WHERE t.key IN ('refund:' || r.number, 'refund-undone:' || r.number))
        ORDER BY t.id""",
    "an order is refunded exactly where its refund succeeded": """
        SELECT format('order %s is %s', o.number, o.state) FROM payment_order o
        WHERE (o.state = 'refunded') <> EXISTS (
            SELECT FROM payment_refund r WHERE r.order_id = o.id AND r.state = 'succeeded') ORDER BY o.id""",
    "what a gateway told us is settled within ten minutes": """
        SELECT format('notification %s about order %s waits since %s', n.id, n.order_id, n.received_at)
        FROM payment_notification n
        WHERE n.verdict = 'accepted' AND n.settled_at IS NULL AND n.received_at < now() - interval '10 minutes'
        ORDER BY n.id""",
    "every payment in a gateway's bill is a paid order of that amount": """
        SELECT format('%s %s: %s fen for order %s, which is %s',
                      b.channel, b.day, l.fen, l.order_number, coalesce(o.state || ' of ' || o.pay_money, 'none'))
        FROM payment_billline l JOIN payment_bill b ON b.id = l.bill_id
        LEFT JOIN payment_order o ON o.number = l.order_number AND o.channel = b.channel
        WHERE l.fen > 0 AND (o.id IS NULL OR o.state NOT IN ('paid', 'refunded') OR o.pay_money <> l.fen)
        ORDER BY l.id""",
    "every order paid on a billed day is in the bill": """
        SELECT format('%s %s: order %s of %s fen is not', b.channel, b.day, o.number, o.pay_money)
        FROM payment_bill b JOIN payment_order o ON o.channel = b.channel AND o.state IN ('paid', 'refunded')
            AND (o.paid_at AT TIME ZONE 'Asia/Shanghai')::date = b.day
        WHERE NOT EXISTS (SELECT FROM payment_billline l
                          WHERE l.bill_id = b.id AND l.order_number = o.number AND l.fen = o.pay_money)
        ORDER BY o.id""",
    "every refund in a gateway's bill is ours": """
        SELECT format('%s %s: %s fen for order %s, which is %s',
                      b.channel, b.day, l.fen, l.order_number, coalesce(o.state, 'none'))
        FROM payment_billline l JOIN payment_bill b ON b.id = l.bill_id
        LEFT JOIN payment_order o ON o.number = l.order_number AND o.channel = b.channel
        WHERE l.fen < 0 AND (o.id IS NULL OR -l.fen <> o.pay_money OR NOT EXISTS (
            SELECT FROM payment_refund r WHERE r.order_id = o.id AND r.state IN ('requested', 'succeeded')))
        ORDER BY l.id""",
}
