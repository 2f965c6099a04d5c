import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_python_lock_holds_hashes_and_no_address(lock):
    text = (ROOT / lock).read_text()
    assert "://" not in text
    pinned = re.findall(r"^[a-z0-9][^=\s]*==\S+", text, flags=re.MULTILINE)
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(pinned) == len(blocks) > 30
    assert all("--hash=sha256:" in block for block in blocks)


def test_uv_lock_is_never_committed():
    assert not (ROOT / "uv.lock").exists()


def test_the_front_end_lock_holds_integrity_and_no_address():
    text = (ROOT / "mobigo/web/frontend/package-lock.json").read_text()
    assert "://" not in text
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    npmrc = (ROOT / "mobigo/web/frontend/.npmrc").read_text().splitlines()
    assert npmrc == ["omit-lockfile-registry-resolved=true"]
