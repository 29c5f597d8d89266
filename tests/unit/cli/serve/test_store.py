"""How the store is doing, as the other processes see it."""

import asyncio

from services.cli.serve.store import keep_status
from services.common.leases.local import LocalLeaseStore, LocalLeaseTable
from services.common.leases.protocol import Member


async def test_others_see_what_is_not_stored_and_when_it_is_again() -> None:
    table, wanted = LocalLeaseTable(), ["the paths of tracks are not stored (400 MB free)"]
    store, page = LocalLeaseStore(table), LocalLeaseStore(table)
    member = Member("store-1", "store")
    await store.join(member)
    telling = asyncio.create_task(keep_status(store, member, lambda: wanted[0], every_s=0.001))

    async def seen(status: str) -> None:
        async with asyncio.timeout(5):
            while [other.status for other in page.members("store") or ()] != [status]:
                await asyncio.sleep(0.001)

    try:
        await seen(wanted[0])
        wanted[0] = "running"
        await seen("running")
    finally:
        telling.cancel()
