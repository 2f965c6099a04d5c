"""Two processes answer from one network: a new one is swapped in whole, a killed process is replaced."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.worlds.site import SAMPLE, TUESDAY

ROOT = Path(__file__).parents[2]
N_CLIENTS = 4
PATIENCE_S = 60

pytestmark = pytest.mark.slow


def workers(server):
    """The processes that answer, without the one that watches over them and its helpers."""

    def answers(child):
        try:
            return "spawn_main" in " ".join(child.cmdline())
        except psutil.ZombieProcess:
            return False

    return {child.pid for child in psutil.Process(server.pid).children() if answers(child)}


def wait_until(true):
    """Wait for something that other processes do; `true` may fail to ask for a while."""
    pause = threading.Event()
    for _ in range(PATIENCE_S * 20):
        try:
            if true():
                return
        except OSError:
            pass
        pause.wait(0.05)
    pytest.fail("it never came")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """(the process of `mobigo serve --workers 2`, its address, how to run a command on its data)."""
    environment = {**os.environ, "MOBIGO_DATA_DIR": str(tmp_path_factory.mktemp("two") / "data")}

    def mobigo(*words):
        command = [sys.executable, "-m", "mobigo", *words]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)

    mobigo("feed", "import", f"haut-doubs-demo={SAMPLE}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mobigo", "serve", "--workers", "2", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    wait_until(lambda: urllib.request.urlopen(f"{address}/health/ready", timeout=5).status == 200)
    wait_until(lambda: len(workers(server)) == 2)
    yield server, address, mobigo
    server.terminate()
    assert server.wait(PATIENCE_S) == 0


def ask(address):
    """Itineraries of one morning and the network they come from, on a connection of its own."""
    question = f"fromPlace=46.9059,6.3547&toPlace=47.2473,6.0222&time={TUESDAY}T05:00:00Z"
    with urllib.request.urlopen(f"{address}/api/v6/plan?{question}", timeout=PATIENCE_S) as answer:
        told = json.load(answer)
    return told["itineraries"], told["mobigo"]["release"]


def test_a_new_network_is_swapped_in_without_a_lost_or_a_wrong_answer(site):
    _server, address, mobigo = site
    expected, before = ask(address)
    assert expected
    over = threading.Event()

    def client():
        answers = []
        while not over.is_set() or not answers:
            answers.append(ask(address))
        return answers

    with ThreadPoolExecutor(N_CLIENTS) as clients:
        asked = [clients.submit(client) for _ in range(N_CLIENTS)]
        try:
            mobigo("network", "build")
            wait_until(lambda: ask(address)[1] != before)
        finally:
            over.set()
        answers = [answer for each in asked for answer in each.result(PATIENCE_S)]
    assert all(itineraries == expected for itineraries, _release in answers)
    assert len(answers) > N_CLIENTS


def test_a_killed_process_is_replaced_and_the_other_goes_on(site):
    server, address, _mobigo = site
    expected, _release = ask(address)
    before = workers(server)
    os.kill(min(before), signal.SIGKILL)
    wait_until(lambda: len(workers(server) - {min(before)}) == 2)
    assert {json.dumps(ask(address)[0]) for _ in range(20)} == {json.dumps(expected)}
