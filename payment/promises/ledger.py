"""What the ledger alone must show (I3, D35)."""

PROMISES = {
    "every transfer sums to zero per currency": """
        SELECT format('transfer %s is off by %s %s', transfer_id, sum(amount), currency)
        FROM payment_entry GROUP BY transfer_id, currency HAVING sum(amount) <> 0 ORDER BY transfer_id""",
    "every transfer has legs": """
        SELECT format('transfer %s has none', t.id) FROM payment_transfer t
        WHERE NOT EXISTS (SELECT FROM payment_entry e WHERE e.transfer_id = t.id) ORDER BY t.id""",
    "every balance is the sum of its entries": """
        SELECT format('account %s of user %s holds %s %s, its entries sum to %s',
                      a.id, a.owner_id, a.balance, a.currency, coalesce(e.total, 0))
        FROM payment_account a
        LEFT JOIN (SELECT account_id, sum(amount) AS total FROM payment_entry GROUP BY account_id) e
               ON e.account_id = a.id
        WHERE a.owner_id IS NOT NULL AND a.balance <> coalesce(e.total, 0) ORDER BY a.id""",
    "no balance is negative, and no house account keeps one": """
        SELECT format('account %s holds %s %s', id, balance, currency) FROM payment_account
        WHERE balance < 0 OR (owner_id IS NULL AND balance <> 0) ORDER BY id""",
    "every entry of a purse records the balance it left": """
        SELECT format('entry %s of account %s says %s, the entries up to it sum to %s',
                      id, account_id, coalesce(balance_after::text, 'nothing'), running)
        FROM (SELECT e.id, e.account_id, e.balance_after,
                     sum(e.amount) OVER (PARTITION BY e.account_id ORDER BY e.id) AS running
              FROM payment_entry e JOIN payment_account a ON a.id = e.account_id
              WHERE a.owner_id IS NOT NULL) chain
        WHERE balance_after IS DISTINCT FROM running ORDER BY id""",
    "every entry is in its account's currency": """
        SELECT format('entry %s is in %s, account %s in %s', e.id, e.currency, a.id, a.currency)
        FROM payment_entry e JOIN payment_account a ON a.id = e.account_id
        WHERE a.currency <> e.currency ORDER BY e.id""",
    "nobody holds gold while owing some": """
        SELECT format('user %s holds %s gold and owes %s', g.owner_id, g.balance, d.balance)
        FROM payment_account d JOIN payment_account g ON g.owner_id = d.owner_id AND g.currency = 'gold'
        WHERE d.currency = 'debt' AND d.balance > 0 AND g.balance > 0 ORDER BY g.owner_id""",
    "the house is short of as much gold as is owed": """
        SELECT format('%s gold is owed, the house is short of %s', owed, short) FROM (
            SELECT (SELECT coalesce(sum(balance), 0) FROM payment_account WHERE currency = 'debt') AS owed,
                   (SELECT coalesce(-sum(e.amount), 0)
                    FROM payment_entry e JOIN payment_account a ON a.id = e.account_id
                    WHERE a.owner_id IS NULL AND a.name = 'debts' AND a.currency = 'gold') AS short) sums
        WHERE owed <> short""",
}
