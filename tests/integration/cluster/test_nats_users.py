"""What each service may do at NATS with the users that ship, and what it must not."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import get_args

import nats
import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from services.common.access.check import Access
from services.common.bus.messages import encode_event, encode_setups, event_identity
from services.common.bus.nats.bus import NatsBus
from services.common.bus.nats.connection import Refusals, nats_connection, why_closed
from services.common.bus.nats.events import STREAM, event_subject
from services.common.bus.nats.publishing import until_sent
from services.common.bus.nats.reader import CONSUMER
from services.common.bus.nats.setups import ACCESS, ADDRESSES, CAMERAS, OLD_STREAM
from services.common.leases.nats.records import BUCKET as LEASES
from services.common.leases.nats.store import NatsLeaseStore
from services.common.leases.protocol import Member, Role
from services.core.types import (
    AccessAction,
    AccessNote,
    AnalysedSecond,
    CameraSetup,
    CameraState,
    CameraStatus,
    Event,
    Ownership,
    RepeatedSpan,
    StatusChange,
    TrackedFrame,
)
from tests.bus_ends import assert_no_more_events, bus_end, read_events, until
from tests.makers import GATE, camera, crossing, line, trajectory
from tests.nats_server import ADMIN, NatsServer, nats_server, new_users

NOON_S = 1_790_000_000.0
PASSWORD = "tops3cret"
SETUP = CameraSetup(replace(camera(), url=f"rtsp://user:{PASSWORD}@host/cam"), (line(),), 3)
BARE = replace(SETUP, camera=replace(SETUP.camera, url=""))
WHO = Access({"anna": "$argon2id$v=19$ha5h"}, frozenset({"ab" * 32}))
ROLES: tuple[Role, ...] = get_args(Role)
REPEATED = RepeatedSpan(GATE, NOON_S, NOON_S + 60, 0, NOON_S + 60, "its clock was set back")
STATUS = StatusChange(GATE, NOON_S, CameraStatus.LIVE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with nats_server(tmp_path_factory.mktemp("users"), users=new_users()) as server:
        yield server


@pytest.fixture
def fresh(tmp_path) -> Iterator[NatsServer]:
    with nats_server(tmp_path, users=new_users()) as server:
        yield server


def note(place: str) -> AccessNote:
    return AccessNote(f"access-{place}", NOON_S, AccessAction.FAILED, "anna", place, "192.0.2.1")


EVENTS: dict[Role, list[Event]] = {
    "ingest": [STATUS, REPEATED, note("ingest")],
    "detector": [
        Ownership(GATE, 7, NOON_S),
        crossing(1, NOON_S),
        replace(REPEATED, epoch=7),
        replace(STATUS, time_s=NOON_S + 1),
        trajectory(1, NOON_S),
        note("detector"),
        AnalysedSecond(GATE, int(NOON_S), 7),
    ],
    "rtsp": [note("rtsp")],
}


@asynccontextmanager
async def system(server: NatsServer) -> AsyncIterator[tuple[dict[Role, NatsBus], dict[Role, Refusals]]]:
    """The buses of all services; none may have been refused anything at the end."""
    refusals = {role: Refusals() for role in ROLES}
    async with AsyncExitStack() as stack:
        buses = {
            role: await stack.enter_async_context(bus_end(server, role=role, refusals=refusals[role]))
            for role in ROLES
        }
        yield buses, refusals
        assert {role: list(one.missing()) for role, one in refusals.items()} == {role: [] for role in ROLES}


async def test_everybody_can_do_their_work(fresh: NatsServer) -> None:
    """Also when NATS has lost its disk: the store makes its stream again, and web the buckets."""
    async with system(fresh) as (buses, _):
        for number in range(2):
            buses["web"].setups.publish((SETUP,))
            buses["web"].access.publish(WHO)
            for role, wanted in (("ingest", SETUP), ("detector", BARE), ("rtsp", BARE)):
                async with buses[role].setups.follow() as changes:
                    assert await asyncio.wait_for(anext(changes), 10) == (wanted,)
                await until(
                    lambda role=role: buses[role].access.newest() == WHO, f"{role} knows who may watch", 5
                )
            for role, events in EVENTS.items():
                buses[role].events.publish(events)
            got = await read_events(buses["store"], sum(map(len, EVENTS.values())), 15)
            assert {type(event) for event in got} == {type(one) for some in EVENTS.values() for one in some}
            if number == 0:
                fresh.kill()
                fresh.lose_disk()
                fresh.start()
                await asyncio.sleep(0.5)


async def test_states_rates_and_tracks_arrive(server: NatsServer) -> None:
    async with system(server) as (buses, _):
        buses["ingest"].states.publish_state(GATE, CameraState(CameraStatus.LIVE, NOON_S))
        buses["detector"].states.publish_rate(GATE, 9.5)
        for role in ("web", "detector", "ingest", "rtsp"):
            bus = buses[role]
            await until(
                lambda bus=bus: (bus.states.state(GATE) or CameraState()).fps == 9.5, "the state is known", 5
            )
        for role in ("web", "detector", "rtsp"):
            async with buses[role].tracks.follow(GATE) as frames:
                buses["detector"].tracks.publish(TrackedFrame(GATE, 3, NOON_S))
                assert (await asyncio.wait_for(anext(frames), 5)).frame == 3


@pytest.mark.parametrize("max_bytes", [None, 10_000_000])
async def test_members_meet_and_hold_cameras(fresh: NatsServer, max_bytes: int | None) -> None:
    """Also where whoever runs the server has made the bucket with a limit."""
    refusals = {role: Refusals() for role in ROLES}
    if max_bytes is not None:
        async with admin(fresh) as client:
            await client.jetstream().create_key_value(bucket=LEASES, history=1, max_bytes=max_bytes)
    async with AsyncExitStack() as stack:
        stores: dict[Role, NatsLeaseStore] = {}
        for role in ROLES:
            client = await stack.enter_async_context(
                nats_connection(fresh.url_of(role), role, role, refusals[role])
            )
            stores[role] = NatsLeaseStore(client, role=role)
            await stores[role].join(Member(role, role, key="k3y" if role == "ingest" else ""))
            stack.push_async_callback(stores[role].leave)
        for role in ("ingest", "detector"):
            await until(lambda role=role: stores[role].members(role), f"{role} has settled", 5)
            async with asyncio.timeout(10):
                while await stores[role].take(GATE, 0) is None:
                    await asyncio.sleep(0.1)
        for role in ("detector", "rtsp", "web"):
            store = stores[role]
            await until(lambda store=store: store.holder("ingest", GATE), "the camera's ingest is known", 5)
        assert [m.id for r in ROLES for m in stores["web"].members(r) or ()] == list(ROLES)
        assert stores["store"].members("ingest") == (), "the key of the video is none of the store's business"
    assert not [one for some in refusals.values() for one in some.missing()]


def _reads(bucket: str) -> list[str]:
    """All ways to what a bucket holds."""
    stream = f"KV_{bucket}"
    return [
        f"$JS.API.STREAM.MSG.GET.{stream}",
        f"$JS.API.DIRECT.GET.{stream}",
        f"$JS.API.DIRECT.GET.{stream}.$KV.{bucket}.all",
        f"$JS.API.CONSUMER.CREATE.{stream}",
        f"$JS.API.CONSUMER.CREATE.{stream}.mine.$KV.{bucket}.all",
        f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.mine",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.mine",
        f"$JS.API.STREAM.SNAPSHOT.{stream}",
    ]


def _changes(stream: str) -> list[str]:
    """All ways to change, empty or replace a stream."""
    return [
        f"$JS.API.STREAM.{verb}.{stream}" for verb in ("CREATE", "UPDATE", "DELETE", "PURGE", "RESTORE")
    ] + [f"$JS.API.STREAM.MSG.DELETE.{stream}"]


STREAMS = [STREAM, *(f"KV_{bucket}" for bucket in (ADDRESSES, CAMERAS, ACCESS, LEASES))]
MAKERS = {
    ("store", f"$JS.API.STREAM.CREATE.{STREAM}"),
    ("store", f"$JS.API.STREAM.UPDATE.{STREAM}"),
    *(("web", f"$JS.API.STREAM.CREATE.KV_{bucket}") for bucket in (ADDRESSES, CAMERAS, ACCESS, LEASES)),
}
READERS: dict[str, set[Role]] = {
    ADDRESSES: {"ingest", "web"},
    CAMERAS: {"detector", "rtsp", "web"},
    ACCESS: {"ingest", "detector", "rtsp", "web"},
    LEASES: {"ingest", "detector"},
}
EVENT_KINDS: dict[str, set[Role]] = {
    event_subject(crossing(1, NOON_S)): {"detector"},
    event_subject(REPEATED): {"detector", "ingest"},
    event_subject(STATUS): {"detector", "ingest"},
    **{event_subject(note(role)): {role} for role in ("ingest", "detector", "rtsp")},
    "sightline.events.gate": set(),
}
ACKNOWLEDGEMENTS = (
    f"$JS.ACK.{STREAM}.{CONSUMER}.1.1.1.1.0",
    f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{CONSUMER}",
)
OTHERS = (
    "$SYS.REQ.SERVER.PING",
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.CREATE.MINE",
    "anything",
)


def _refused_publications(role: Role) -> Iterator[str]:
    for stream in STREAMS:
        yield from (one for one in _changes(stream) if (role, one) not in MAKERS)
    for bucket, readers in READERS.items():
        get, *others = _reads(bucket)
        yield from others
        if role not in readers:
            yield get
        if role != "web" and bucket != LEASES:
            yield f"$KV.{bucket}.all"
    yield from (one for one, allowed in EVENT_KINDS.items() if role not in allowed)
    yield from (one for one in ACKNOWLEDGEMENTS if role != "store")
    yield f"$JS.API.STREAM.MSG.GET.{STREAM}"
    yield f"$JS.API.CONSUMER.DELETE.{STREAM}.{CONSUMER}"
    yield f"$JS.API.CONSUMER.CREATE.{STREAM}.{CONSUMER}"
    yield f"$JS.API.CONSUMER.DURABLE.CREATE.{STREAM}.mine"
    for other in ROLES:
        if other != role:
            yield f"sightline.members.{other}"
            yield f"_INBOX.{other}.x"
        if other != role or role not in ("ingest", "detector"):
            yield f"$KV.{LEASES}.{other}.gate"
    if role != "ingest":
        yield from ("sightline.states", "sightline.tests.answers.ab")
    if role != "detector":
        yield from ("sightline.rates", "sightline.tracks.gate")
    if role != "web":
        yield from ("sightline.tests.ask", "sightline.tests.cancel")
        yield from ("sightline.setups.changed", f"$JS.API.STREAM.DELETE.{OLD_STREAM}")
    yield from OTHERS


def _refused_subscriptions(role: Role) -> Iterator[str]:
    yield from (">", "_INBOX.>", "_INBOX.*", "$KV.>", "$JS.>", "$SYS.>", "sightline.>", "sightline.events.>")
    yield from ("sightline.members.>", f"$KV.{ADDRESSES}.all", f"$KV.{ACCESS}.all", "$JS.EVENT.>")
    yield from (f"_INBOX.{other}.>" for other in ROLES if other != role)
    if role != "ingest":
        yield from ("sightline.tests.ask", "sightline.tests.cancel", "sightline.tests.>")
    if role != "web":
        yield "sightline.tests.answers.*"
    if role == "store":
        yield from ("sightline.members.ingest", "sightline.tracks.gate", "sightline.states")


@pytest.mark.parametrize("role", ROLES)
async def test_nobody_can_do_more(server: NatsServer, role: Role) -> None:
    refusals: list[str] = []

    async def on_error(error: Exception) -> None:
        refusals.append(str(error))

    client = await nats.connect(server.url_of(role), error_cb=on_error)
    publications, subscriptions = list(_refused_publications(role)), list(_refused_subscriptions(role))
    try:
        for subject in publications:
            await client.publish(subject, b"{}")
        for subject in subscriptions:
            await client.subscribe(subject)
        await until_sent(client)  # the server's errors come before its answer
        wanted = [f'nats: permissions violation for publish to "{one.lower()}"' for one in publications]
        wanted += [
            f'nats: permissions violation for subscription to "{one.lower()}"' for one in subscriptions
        ]
        assert refusals == wanted
    finally:
        await client.close()


async def test_passwords_of_cameras_and_accounts_reach_those_alone_who_need_them(server: NatsServer) -> None:
    async with system(server) as (buses, _):
        buses["web"].setups.publish((SETUP,))
        buses["web"].access.publish(WHO)
        for role in ("ingest", "detector", "rtsp"):
            await until(
                lambda role=role: buses[role].access.newest() == WHO, f"{role} knows who may watch", 5
            )
        async with admin(server) as client:
            kept = {
                bucket: (await client.jetstream().get_last_msg(f"KV_{bucket}", f"$KV.{bucket}.all")).data
                for bucket in (ADDRESSES, CAMERAS)
            }
    assert kept[ADDRESSES] == encode_setups([SETUP])
    assert kept[CAMERAS] == encode_setups([BARE])


@asynccontextmanager
async def admin(server: NatsServer) -> AsyncIterator[Client]:
    client = await nats.connect(server.url_of(ADMIN))
    try:
        yield client
    finally:
        await client.close()


async def test_an_event_where_its_kind_may_not_be_is_removed(server: NatsServer, caplog) -> None:
    """Who may publish what happens at a port cannot put a crossing there."""
    async with bus_end(server, role="store") as store:
        await until(lambda: store.events.waiting == 0, "the store is there")
        async with nats_connection(server.url_of("rtsp"), "forger", "rtsp") as forger:
            subject = event_subject(note("rtsp"))
            async with asyncio.timeout(10):
                while True:
                    try:
                        await forger.jetstream().publish(subject, encode_event(crossing(99, NOON_S)))
                        break
                    except nats.errors.Error:
                        await asyncio.sleep(0.1)
            await forger.jetstream().publish(subject, encode_event(note("ingest")))
            await forger.jetstream().publish(subject, encode_event(note("rtsp")))
        got = await read_events(store, 1)
        assert got == [note("rtsp")]
        assert store.refused_messages == 2
    assert "of another kind than its subject" in caplog.text


async def test_nobody_can_keep_anothers_events_from_the_store(fresh: NatsServer) -> None:
    """Neither by their identities, which the stream takes once, nor by what empties a stream."""
    event = crossing(7, NOON_S)
    async with bus_end(fresh, role="store") as store, bus_end(fresh, role="detector") as detector:
        detector.events.publish([crossing(6, NOON_S)])
        assert await detector.events.flush(10)
        async with nats_connection(fresh.url_of("rtsp"), "bad", "rtsp") as bad:
            headers = {"Nats-Msg-Id": event_identity(event)}
            await bad.jetstream().publish(event_subject(note("rtsp")), b"first", headers=headers)
            for headers in ({"Nats-Rollup": "all"}, {"Nats-TTL": "1s"}):
                with pytest.raises(nats.js.errors.APIError):
                    await bad.jetstream().publish(event_subject(note("rtsp")), b"", headers=headers)
        for number in range(2):
            detector.events.publish([event])
            assert await detector.events.flush(5), number
        assert await read_events(store, 2) == [crossing(6, NOON_S), event]
        await assert_no_more_events(store, 0.3)


async def test_an_answer_sent_elsewhere_does_no_lasting_harm(server: NatsServer) -> None:
    """NATS does not ask where an answer may go: the server's own words land in a bucket, and web mends it."""
    async with bus_end(server, role="web") as web:
        web.setups.publish((SETUP,))
        async with bus_end(server, role="ingest") as ingest, ingest.setups.follow() as changes:
            assert await asyncio.wait_for(anext(changes), 5) == (SETUP,)
        async with nats_connection(server.url_of("rtsp"), "bad", "rtsp") as bad:
            for aim in (f"$KV.{ADDRESSES}.all", f"$JS.API.STREAM.DELETE.{STREAM}", "_INBOX.web.x"):
                await bad.publish(f"$JS.API.STREAM.INFO.KV_{CAMERAS}", b"", reply=aim)
            await until_sent(bad)
        await until(lambda: web.refused_messages, "web sees what is no setup", 5)
        async with bus_end(server, role="ingest") as late, late.setups.follow() as changes:
            assert await asyncio.wait_for(anext(changes), 5) == (SETUP,)
    async with admin(server) as client:
        with pytest.raises(NotFoundError):
            await client.jetstream().stream_info("MINE")


async def test_an_upgrade_removes_the_bucket_that_everybody_could_read(fresh: NatsServer) -> None:
    """Events that an earlier version has queued are read, and its stream takes those of this one."""
    queued = [crossing(1, NOON_S), AnalysedSecond(GATE, int(NOON_S))]
    async with admin(fresh) as client:
        jetstream = client.jetstream()
        old = await jetstream.create_key_value(bucket="sightline-setups", history=1)
        await old.put("all", encode_setups([SETUP]))
        await jetstream.add_stream(
            name=STREAM, subjects=["sightline.events.*"], retention="workqueue", max_bytes=100_000_000
        )
        for event in queued:
            await jetstream.publish(f"sightline.events.{GATE}", encode_event(event))
        async with system(fresh) as (buses, _):
            buses["web"].setups.publish((SETUP,))
            assert await read_events(buses["store"], 2) == queued
            buses["detector"].events.publish([crossing(2, NOON_S)])
            assert await read_events(buses["store"], 1, 10) == [crossing(2, NOON_S)]
            async with buses["detector"].setups.follow() as changes:
                assert await asyncio.wait_for(anext(changes), 5) == (BARE,)
            async with asyncio.timeout(10):
                while True:
                    try:
                        await jetstream.stream_info(OLD_STREAM)
                        await asyncio.sleep(0.05)
                    except NotFoundError:
                        break
        kept = (await jetstream.stream_info(STREAM)).config
    assert kept.max_bytes == 100_000_000, "limits that were changed by hand stay"


async def test_what_is_refused_is_logged_once_and_named(server: NatsServer, caplog) -> None:
    refusals = Refusals()
    async with nats_connection(server.url_of("rtsp"), "test", "rtsp", refusals) as client:
        for _ in range(3):
            await client.publish("sightline.tracks.gate", json.dumps(1).encode())
        await client.subscribe("_INBOX.web.>")
        await until_sent(client)
        for number in range(20):
            await client.publish(f"sightline.tracks.{number}", b"")
        await until_sent(client)
        (missing,) = (one.text for one in refusals.missing())
    assert missing.startswith(
        "NATS refuses to let this service publish to sightline.tracks.gate, subscribe to _inbox.web.>, "
    )
    assert missing.endswith(": its user needs the permissions of configmaps/nats-users.conf")
    assert missing.count("sightline.tracks.") <= 16
    assert caplog.text.count("sightline.tracks.gate") == 1
    assert [one.text for one in refusals.missing()] == [missing]
    refusals.clear()
    assert not refusals.missing()


async def test_permissions_that_are_put_right_are_noticed(fresh: NatsServer, caplog) -> None:
    """Also when the server goes on running; what it still refuses stays named all the time, logged once."""
    listen, say = '          "sightline.members.ingest"\n', '          "sightline.events.access.rtsp"\n'
    fresh.rewrite(lambda text: text.replace(listen, "").replace(say, ""))
    refusals, received = Refusals(), asyncio.Event()

    async def on_message(_message: object) -> None:
        received.set()

    async def publish(client: Client) -> None:
        while True:
            await client.publish("sightline.events.access.rtsp", b"")
            await asyncio.sleep(0.02)

    async with nats_connection(fresh.url_of("rtsp"), "test", "rtsp", refusals, 0.2, 0.3) as client:
        await client.subscribe("sightline.members.ingest", cb=on_message)
        publishing = asyncio.create_task(publish(client))
        await until(lambda: len(refusals.missing()) == 1, "both are refused", 5)
        for _ in range(30):
            assert "subscribe to sightline.members.ingest" in refusals.missing()[0].text
            await asyncio.sleep(0.05)
        assert caplog.text.count("subscribe to sightline.members.ingest") == 1
        fresh.rewrite(lambda text: text.replace('"_INBOX.rtsp.>"\n', f'"_INBOX.rtsp.>"\n{listen}'))
        await until(lambda: "subscribe" not in refusals.missing()[0].text, "one is put right", 10)
        assert "publish to sightline.events.access.rtsp" in refusals.missing()[0].text
        async with admin(fresh) as other:
            await other.publish("sightline.members.ingest", b"")
            await asyncio.wait_for(received.wait(), 5)
        fresh.rewrite(
            lambda text: text.replace('"sightline.members.hello"\n', f'"sightline.members.hello"\n{say}')
        )
        await until(lambda: not refusals.missing(), "all is put right", 10)
        publishing.cancel()
        await asyncio.wait([publishing])


async def test_a_login_that_is_refused_later_is_named(fresh: NatsServer) -> None:
    refusals = Refusals()
    async with nats_connection(fresh.url_of("rtsp"), "test", "rtsp", refusals) as client:
        password = fresh.users["rtsp"]
        fresh.kill()
        fresh.users["rtsp"] = "another"
        fresh.start()
        await until(lambda: refusals.missing(), "it is refused", 10)
        assert [one.text for one in refusals.missing()] == [
            "NATS refuses the login: check user and password in SIGHTLINE_NATS_URL",
        ]
        fresh.kill()
        await until(lambda: not refusals.missing(), "that it is away is something else", 10)
        fresh.users["rtsp"] = password
        fresh.start()
        await until(lambda: client.is_connected, "it is back", 10)
        assert not refusals.missing()
        fresh.rewrite(lambda text: text.replace(password, "another"), "rtsp")
        await until(lambda: client.is_closed, "the server ends the connection", 10)
        assert why_closed(client).text.startswith("NATS now refuses the login: check user and password")
