"""Clients of a web service that wants a login."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from services.common.access.accounts import UserRole
from services.common.access.passwords import hash_password
from services.web.settings import WebSettings
from tests.tables import Tables

ORIGIN = "http://sightline.example:8080"
OPEN_TO_ALL = WebSettings(host="0.0.0.0")
SESSION = "/api/v1/session"
PASSWORD = "correct horse battery"


async def add_user(tables: Tables, name: str, role: UserRole, password: str = PASSWORD) -> None:
    """Make an account."""
    await tables.accounts.add_user(name, role, hash_password(password))


@asynccontextmanager
async def browser(
    app: FastAPI, user: str | None = None, password: str = PASSWORD
) -> AsyncIterator[httpx.AsyncClient]:
    """A client that keeps cookies and says where its requests come from, logged in where a user is given."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("198.51.100.9", 4000))
    headers = {"Origin": ORIGIN}
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers, timeout=20) as client:
        if user is not None:
            answer = await client.post(SESSION, json={"user": user, "password": password})
            assert answer.status_code == 200, answer.text
        yield client


@asynccontextmanager
async def program(app: FastAPI, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client without cookies, with a token where one is given."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("198.51.100.10", 4000))
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers, timeout=20) as client:
        yield client
