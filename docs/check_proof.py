# ruff: noqa: INP001  a script on its own, no package
"""Check a proof that `mobigo ledger proof` wrote. To be called as python3 check_proof.py PROOF.json ROOT.

Needs nothing but Python. ROOT is that of the head as you kept it or as it was published on its day. The proof
says that an entry is under that head, or that its books begin with earlier ones (RFC 6962, section 2.1).
"""

import json
import sys
from hashlib import sha256
from pathlib import Path

proof = json.loads(Path(sys.argv[1]).read_text("utf-8"))
path = [bytes.fromhex(step) for step in proof["path"]]
last = proof["head"]["size"] - 1
if "entry" in proof:
    at = json.loads(proof["entry"])["seq"] - 1
    start = wanted = sha256(b"\0" + proof["entry"].encode()).digest()
else:
    at, wanted = proof["earlier"]["size"] - 1, bytes.fromhex(proof["earlier"]["root"])
    while at % 2 or 0 < at == last:
        at, last = at // 2, last // 2
    start = path.pop(0) if at else wanted
old = new = start
for step in path:
    if at % 2 or at == last:
        old, new = (sha256(b"\1" + step + reached).digest() for reached in (old, new))
        while at and at % 2 == 0:
            at, last = at // 2, last // 2
    else:
        new = sha256(b"\1" + new + step).digest()
    at, last = at // 2, last // 2
holds = last == 0 and new.hex() == sys.argv[2] == proof["head"]["root"] and ("entry" in proof or old == wanted)
sys.stdout.write(f"{proof.get('entry', proof.get('earlier'))}\n{'holds' if holds else 'DOES NOT HOLD'}\n")
sys.exit(not holds)
