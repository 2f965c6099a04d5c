"""Compare: what the database itself finds wrong with the books, where a loop of ours would be slower.

Each question answers rows of (fault, number of the entry, account) and no row when all is well.
What an entry says stands in its bytes alone. What is repeated beside them is written out as it
would stand in the bytes, and looked for there: no quotation mark can stand in any field, so a
piece that begins and ends with a field's name can be found in its own place only.
"""

from __future__ import annotations

from typing import Final

KEYS: Final = {
    "sqlite": """
        SELECT 'ledger_columns', seq, NULL FROM entry
        WHERE coalesce(instr(bytes, CAST(',"key":"' || key || '","kind":"' AS BLOB)), 0) = 0
           OR coalesce(instr(bytes, CAST(
                ',"reverses":' || coalesce('"' || reverses || '"', 'null') || ',"seq":' || seq || '}' AS BLOB)), 0) = 0
    """,
    "postgresql": """
        SELECT 'ledger_columns', seq, NULL FROM entry
        WHERE position(convert_to(',"key":"' || key || '","kind":"', 'UTF8') IN bytes) = 0
           OR position(convert_to(
                ',"reverses":' || coalesce('"' || reverses || '"', 'null') || ',"seq":' || seq || '}', 'UTF8'
              ) IN bytes) = 0
    """,
}

POSTINGS: Final = {
    "sqlite": """
        SELECT 'ledger_postings', told.entry_seq, NULL FROM (
            SELECT
                entry_seq, sum(cents) AS off,
                group_concat('["' || coalesce(code, '?') || '",' || cents || ']') AS legs
            FROM (
                SELECT posting.entry_seq, account.code, posting.cents
                FROM posting LEFT JOIN account ON account.id = posting.account_id
                ORDER BY posting.entry_seq, account.code
            ) GROUP BY entry_seq
        ) AS told LEFT JOIN entry ON entry.seq = told.entry_seq
        WHERE told.off <> 0 OR coalesce(
            instr(entry.bytes, CAST(',"postings":[' || told.legs || '],"recorded_at":"' AS BLOB)), 0) = 0
    """,
    "postgresql": """
        SELECT 'ledger_postings', told.entry_seq, NULL FROM (
            SELECT posting.entry_seq, sum(posting.cents) AS off, string_agg(
                '["' || coalesce(account.code, '?') || '",' || posting.cents || ']', ','
                ORDER BY account.code COLLATE "C"
            ) AS legs
            FROM posting LEFT JOIN account ON account.id = posting.account_id GROUP BY posting.entry_seq
        ) AS told LEFT JOIN entry ON entry.seq = told.entry_seq
        WHERE told.off <> 0 OR coalesce(position(
            convert_to(',"postings":[' || told.legs || '],"recorded_at":"', 'UTF8') IN entry.bytes), 0) = 0
    """,
}

WITHOUT_POSTINGS: Final = """
    SELECT 'ledger_postings', seq, NULL FROM entry
    WHERE NOT EXISTS (SELECT 1 FROM posting WHERE posting.entry_seq = entry.seq)
"""

BALANCES: Final = """
    SELECT 'ledger_balance', NULL, account.code
    FROM account
    LEFT JOIN balance ON balance.account_id = account.id
    LEFT JOIN (
        SELECT account_id, sum(cents) AS cents, max(entry_seq) AS entry_seq FROM posting GROUP BY account_id
    ) AS told ON told.account_id = account.id
    WHERE balance.account_id IS NULL
       OR balance.cents <> coalesce(told.cents, 0)
       OR balance.entry_seq <> coalesce(told.entry_seq, 0)
       OR (balance.cents < account.min_balance_cents AND account.min_balance_cents <= 0)
"""

STRAY_BALANCES: Final = """
    SELECT 'ledger_balance', NULL, CAST(account_id AS VARCHAR) FROM balance
    WHERE NOT EXISTS (SELECT 1 FROM account WHERE account.id = balance.account_id)
"""

LOST_ENTRIES: Final = """
    SELECT 'ledger_missing', (SELECT coalesce(max(seq), 0) + 1 FROM entry), NULL
    WHERE (SELECT max(entry_seq) FROM balance) > (SELECT coalesce(max(seq), 0) FROM entry)
"""


def questions(dialect: str) -> tuple[str, ...]:
    """All that is asked, the longest first."""
    return POSTINGS[dialect], KEYS[dialect], WITHOUT_POSTINGS, BALANCES, STRAY_BALANCES, LOST_ENTRIES
