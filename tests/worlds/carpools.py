"""Carpools said in one line, as an application declares them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

MORNING = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
IBAN = "DE89370400440532013000"  # the example of the register of IBANs: no account


def told(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def carpool(name="C1", *, driver="d1", passengers=("p1",), metres=33_000, at=MORNING, proven=True):
    """A finished carpool; each passenger scanned at both ends, or did not."""
    end = at + timedelta(minutes=40)

    def evidence(passenger):
        sides = (("board", at), ("alight", end))
        scan = {"kind": "qr", "by": "passenger", "device": f"phone-{passenger}"}
        return [{**scan, "side": side, "at": told(when)} for side, when in sides] if proven else []

    return {
        "carpool_id": name,
        "driver": driver,
        "start_at": told(at),
        "end_at": told(end),
        "official_m": metres,
        "rides": [
            {
                "ride_id": f"{name}-{passenger}",
                "passenger": passenger,
                "seats": 1,
                "board_at": told(at),
                "alight_at": told(end),
                "distance_m": metres,
                "evidence": evidence(passenger),
            }
            for passenger in passengers
        ],
    }
