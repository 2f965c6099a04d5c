"""A month settled on paper: every carpool in turn, one set of counters, one budget, and the entries that follow."""

from __future__ import annotations

import json

from covoiturage.carpool import hash_facts
from covoiturage.policy.caps import Counters
from covoiturage.policy.explain import explain_car, render_exact
from covoiturage.policy.facts import read_car
from covoiturage.policy.trips import CarJudge
from mobigo.services.covoiturage.wording import step_sentence


class Noting(dict):
    """Counters that note what was looked at, as it was."""

    def get(self, key, default=None):
        value = super().get(key, default)
        self.seen.setdefault(key, value)
        return value


def settle_on_paper(policy, carpools, granted=None):
    """`carpools` are (canonical facts, cents reserved); what is kept of each decision, and every entry as (key, legs).

    `granted` is the budget that was granted, of which the reserves were taken already; None: there is none.
    """
    cars = [(read_car(json.loads(facts)), facts, reserved) for facts, reserved in carpools]
    cars.sort(key=lambda one: (one[0].end_at, one[0].carpool_id))
    counters = Counters()
    counters.values = Noting()
    left = None if granted is None else granted - sum(reserved for _facts, reserved in carpools)
    used, decisions, entries = 0, [], []
    for car, facts, reserved in cars:
        budget = None if left is None else used + left + reserved
        judge = CarJudge(policy, budget_cents=budget)
        counters.values.seen = {}
        if budget is not None:
            counters.values.get(("amount_cents", "campaign", None, "campaign", None), 0)
        decision = judge.decide(car, counters)
        before = dict(counters.values.seen)
        after = {key: counters.values[key] for key in before if key in counters.values}
        charged = {key: after[key] - before[key] for key in after if after[key] != before[key]}
        paid = decision.amount_cents
        legs = {f"region:subsidy_expense:{policy.id}": paid, f"driver:{car.driver}:payable": -paid}
        if left is not None:
            legs[f"region:budget_used:{policy.id}"] = paid
            legs[f"reserve:{policy.id}"] = -reserved
            legs[f"region:budget:{policy.id}"] = reserved - paid
            used, left = used + paid, left + reserved - paid
        entries.append((f"carpool:{car.carpool_id}:decision:1", legs))
        for ride in decision.outing.rides if decision.eligible else ():
            fare = policy.car.fare.cents * ride.seats
            legs = {f"passenger:{ride.couple.passenger}:receivable": fare, "region:fare_revenue": -fare}
            entries.append((f"ride:{ride.ride_id}:fare", legs))
        steps = [
            {
                "step": step.step,
                "type": step.type,
                "slice": step.slice,
                "exact": None if step.exact is None else render_exact(step.exact),
                "text": step_sentence(step),
            }
            for step in explain_car(judge, car, decision)
        ]
        decisions.append(
            {
                "carpool_id": car.carpool_id,
                "number": 1,
                "policy_sha256": policy.version,
                "facts_sha256": hash_facts(facts),
                "reason": decision.reason,
                "stateless_cents": decision.stateless_cents,
                "amount_cents": paid,
                "fare_cents": decision.fare_cents,
                "budget_cents": budget,
                "counters_before": Counters(before).as_rows(),
                "charged": Counters(charged).as_rows(),
                "explanation": steps,
            }
        )
    moved = [(key, {account: cents for account, cents in legs.items() if cents}) for key, legs in entries]
    return decisions, [(key, legs) for key, legs in moved if legs]
