#!/usr/bin/env python3
"""Starts the server as the entry point of the official image does: with an empty folder it makes the accounts
first, on an address of its own and without asking for a login, then it asks everybody.

As root it goes on as user 999 without further groups, so that a file which only root or another group may
read is as unreadable here as there.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

from accounts import SCRIPT, make_service_accounts, make_user
from pymongo import MongoClient

DATA = Path("/data/db")
DONE = DATA / ".accounts-made"
USER_ID = 999
INITIAL_PORT = 27018
START_TIMEOUT_MS = 30_000
SERVER = ("secantusd-py", "--storage-path", str(DATA), "--cache-size", "256M", "--sync-on-commit")


def become_ordinary_user() -> None:
    os.chown(DATA, USER_ID, USER_ID)
    os.setgroups([])
    os.setgid(USER_ID)
    os.setuid(USER_ID)


def root_password() -> str:
    file = os.environ.get("MONGO_INITDB_ROOT_PASSWORD_FILE")
    return Path(file).read_text().strip() if file else os.environ["MONGO_INITDB_ROOT_PASSWORD"]


def make_accounts(root_name: str) -> None:
    server = subprocess.Popen([*SERVER, "--host", "127.0.0.1", "--port", str(INITIAL_PORT)])
    try:
        with MongoClient(
            "127.0.0.1", INITIAL_PORT, serverSelectionTimeoutMS=START_TIMEOUT_MS, directConnection=True
        ) as client:
            make_user(client, "admin", root_name, root_password(), ["root"])
            if SCRIPT.exists():
                make_service_accounts(client)
    finally:
        server.terminate()
        server.wait()
    DONE.touch()


def main() -> None:
    if os.getuid() == 0:
        become_ordinary_user()
    root_name = os.environ.get("MONGO_INITDB_ROOT_USERNAME")
    if root_name and not DONE.exists():
        make_accounts(root_name)
    login = ["--auth"] if DONE.exists() or "--auth" in sys.argv else []
    # It tells clients to go on at the address that it listens on, so that this must be one that they reach.
    own_address = socket.gethostbyname(socket.gethostname())
    os.execvp(SERVER[0], [*SERVER, "--host", own_address, "--port", "27017", *login])


main()
