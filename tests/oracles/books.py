"""Books in thirty lines: a list of entries, and sums over all of it whenever one is wanted."""

from __future__ import annotations

from dataclasses import dataclass, field

from socle.accounting import REVERSAL, Account, Entry, Posting


@dataclass
class PlainBooks:
    """What the books hold, and what they answer."""

    accounts: dict[str, Account] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    def cents(self, code: str) -> int:
        """What stands on an account."""
        return sum(leg.cents for entry in self.entries for leg in entry.postings if leg.account == code)

    def refusal(self, entry: Entry) -> str | None:
        """Why the entry may not be entered; `replayed` when it is there already."""
        for one in self.entries:
            if one.key == entry.key:
                return "replayed" if one == entry else "entry_key_reused"
        if entry.kind == REVERSAL:
            undone = [one for one in self.entries if one.key == entry.reverses]
            if not undone:
                return "unknown_entry"
            if undone[0].kind == REVERSAL:
                return "reversal_of_reversal"
            if any(one.reverses == entry.reverses for one in self.entries):
                return "reversed_already"
            if undone[0].postings != tuple(Posting(leg.account, -leg.cents) for leg in entry.postings):
                return "not_the_negation"
        for leg in entry.postings:
            if leg.account not in self.accounts:
                return "unknown_account"
            least = self.accounts[leg.account].min_balance_cents
            if least is not None and leg.cents < 0 and self.cents(leg.account) + leg.cents < least:
                return "balance_too_low"
        return None

    def enter(self, entries: list[Entry]) -> list[bool] | str:
        """Enter all of `entries`, and whether each is new; or none of them, and why."""
        before, new = len(self.entries), []
        for entry in entries:
            why = self.refusal(entry)
            if why not in (None, "replayed"):
                del self.entries[before:]
                return why
            new.append(why is None)
            if why is None:
                self.entries.append(entry)
        return new
