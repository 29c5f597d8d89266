"""Users, sessions and tokens; and the audit log."""

import secrets
from collections.abc import Callable
from dataclasses import replace

from pymongo.errors import DuplicateKeyError

from services.common.access.accounts import (
    MOST_NETWORKS,
    SECONDS_BETWEEN_MARKS,
    AuditEntry,
    Session,
    Token,
    User,
    UserRole,
    folded_name,
)
from services.common.database.documents import EPOCH, audit_document, audit_entry_from, date_of, seconds_of
from services.common.database.link import DatabaseLink, Document
from services.common.database.schema import AUDIT, SESSIONS, TOKENS, USERS, Schema
from services.core.errors import ConflictError, DiskFullError, NotFoundError
from services.core.sentences.sentence import Sentence

ALL_TIME = {"$gte": EPOCH}
MOST_USERS, MOST_TOKENS, MOST_SESSIONS_EACH = 1000, 1000, 50


class Accounts:
    """Who may use the system: users, their sessions and tokens."""

    def __init__(self, link: DatabaseLink, schema: Schema, now_s: Callable[[], float]) -> None:
        self._link, self._schema, self._now_s = link, schema, now_s

    async def users(self) -> list[User]:
        """Give all users, the oldest first."""
        with self._link.guarded():
            found = self._link.collection(USERS).find({"time": ALL_TIME}).sort([("time", 1), ("_id", 1)])
            return [_user(document) async for document in found]

    async def user(self, name: str) -> User | None:
        """Give one user, however the name is spelled; None when there is none."""
        with self._link.guarded():
            document = await self._link.collection(USERS).find_one({"_id": folded_name(name)})
        return None if document is None else _user(document)

    async def add_user(self, name: str, role: UserRole, password_hash: str) -> User:
        """Keep a new user; ConflictError when the name is taken."""
        await self._schema.before_writing()
        if len(await self.users()) >= MOST_USERS:
            raise ConflictError("user-limit", most=MOST_USERS)
        user = User(name, role, password_hash, self._now_s(), secrets.token_hex(8), secrets.token_hex(8))
        await self._insert_user(user)
        return user

    async def _insert_user(self, user: User) -> None:
        with self._link.guarded():
            try:
                await self._link.collection(USERS).insert_one(_user_document(user))
            except DuplicateKeyError:
                raise ConflictError("user-exists", user=user.name) from None

    async def change_user(
        self,
        user: User,
        role: UserRole | None = None,
        password_hash: str | None = None,
        keep_tokens: bool = False,
    ) -> User:
        """Change role or password, which ends the user's sessions, and with a new password the tokens.

        ConflictError when that would leave no admin, or when somebody else changed the user just now.
        """
        await self._schema.before_writing()
        ends_tokens = password_hash is not None and not keep_tokens
        changed = replace(
            user,
            role=role or user.role,
            password_hash=password_hash or user.password_hash,
            id=secrets.token_hex(8) if ends_tokens else user.id,
            stamp=secrets.token_hex(8),
        )
        await self._replace_user(user.stamp, changed)
        if user.role is UserRole.ADMIN and changed.role is not UserRole.ADMIN and not await self._has_admin():
            await self._replace_user(changed.stamp, user)
            raise _last_admin(user.name)
        await self._end_sessions(user.name)
        if ends_tokens:
            await self._delete_tokens(user.id)
        return changed

    async def remember_network(self, user: User, network: str) -> None:
        """Keep that somebody logged in to an account from a network, within a bound."""
        if not network or user.networks[-1:] == (network,):
            return
        await self._schema.before_writing()
        known = [other for other in user.networks if other != network]
        with self._link.guarded():
            await self._link.collection(USERS).update_one(
                {"_id": user.name, "stamp": user.stamp},
                {"$set": {"networks": [*known, network][-MOST_NETWORKS:]}},
            )

    async def renew_password_hash(self, user: User, password_hash: str) -> None:
        """Keep the same password under newer parameters; sessions go on."""
        await self._replace_user(user.stamp, replace(user, password_hash=password_hash))

    async def _replace_user(self, stamp: str, user: User) -> None:
        await self._schema.before_writing()
        with self._link.guarded():
            result = await self._link.collection(USERS).replace_one(
                {"_id": user.name, "stamp": stamp}, _user_document(user)
            )
        if result.matched_count == 0:
            raise ConflictError("user-changed", user=user.name)

    async def delete_user(self, user: User) -> None:
        """Remove a user with sessions and tokens; ConflictError when no admin would be left."""
        await self._schema.before_writing()
        with self._link.guarded():
            await self._link.collection(USERS).delete_one({"_id": user.name, "user_id": user.id})
        if user.role is UserRole.ADMIN and not await self._has_admin():
            await self._insert_user(user)
            raise _last_admin(user.name)
        await self._end_sessions(user.name)
        await self._delete_tokens(user.id)

    async def _delete_tokens(self, owner_id: str) -> None:
        """Remove what opens nothing any more since its owner has another id, or is gone."""
        with self._link.guarded():
            await self._link.collection(TOKENS).delete_many({"owner_id": owner_id, "time": ALL_TIME})

    async def _has_admin(self) -> bool:
        """Ask after the change, not before: two admins who remove each other both see that nobody is left."""
        return any(user.role is UserRole.ADMIN for user in await self.users())

    async def add_session(self, hash: str, user: User) -> Session:
        """Begin a session; of very many of one user the oldest end."""
        await self._schema.before_writing()
        await self._make_room_for_session(user.name)
        now_s = self._now_s()
        session = Session(hash, user.name, user.stamp, now_s, now_s)
        with self._link.guarded():
            await self._link.collection(SESSIONS).insert_one(
                {
                    "_id": hash,
                    "time": date_of(now_s),
                    "user": user.name,
                    "stamp": user.stamp,
                    "seen": date_of(now_s),
                }
            )
        return session

    async def _make_room_for_session(self, user: str) -> None:
        sessions = self._link.collection(SESSIONS)
        with self._link.guarded():
            found = sessions.find({"user": user, "time": ALL_TIME}, ["_id"]).sort([("time", -1)])
            too_many = [document["_id"] async for document in found.skip(MOST_SESSIONS_EACH - 1)]
            if too_many:
                await sessions.delete_many({"_id": {"$in": too_many}, "time": ALL_TIME})

    async def session(self, hash: str) -> tuple[Session, User] | None:
        """Give a session that goes on, with its user, and note that it was used; None when it is over."""
        with self._link.guarded():
            document = await self._link.collection(SESSIONS).find_one({"_id": hash})
        if document is None:
            return None
        session = Session(
            hash,
            document["user"],
            document["stamp"],
            seconds_of(document["time"]),
            seconds_of(document["seen"]),
        )
        user = await self.user(session.user)
        now_s = self._now_s()
        if user is None or user.stamp != session.stamp or session.is_over(now_s):
            return None
        if now_s - session.seen_s >= SECONDS_BETWEEN_MARKS:
            await self._schema.before_writing()
            with self._link.guarded():
                await self._link.collection(SESSIONS).update_one(
                    {"_id": hash}, {"$set": {"seen": date_of(now_s)}}
                )
        return session, user

    async def delete_session(self, hash: str) -> None:
        """End a session."""
        await self._schema.before_writing()
        with self._link.guarded():
            await self._link.collection(SESSIONS).delete_one({"_id": hash})

    async def _end_sessions(self, user: str) -> None:
        with self._link.guarded():
            await self._link.collection(SESSIONS).delete_many({"user": user, "time": ALL_TIME})

    async def tokens(self) -> list[Token]:
        """Give all tokens, the oldest first, expired ones too."""
        with self._link.guarded():
            found = self._link.collection(TOKENS).find({"time": ALL_TIME}).sort([("time", 1), ("_id", 1)])
            return [_token(document) async for document in found]

    async def token(self, hash: str) -> tuple[Token, User | None] | None:
        """Give a token that is valid, with its owner; None when it is not."""
        with self._link.guarded():
            document = await self._link.collection(TOKENS).find_one({"_id": hash[:16], "hash": hash})
        if document is None:
            return None
        token = _token(document)
        owner = None if token.owner is None else await self.user(token.owner)
        if token.is_over(self._now_s()) or not is_owned(token, owner):
            return None
        return token, owner

    async def add_token(self, token: Token) -> None:
        """Keep a new token."""
        await self._schema.before_writing()
        if len(await self.tokens()) >= MOST_TOKENS:
            raise ConflictError("token-limit", most=MOST_TOKENS)
        with self._link.guarded():
            await self._link.collection(TOKENS).insert_one(_token_document(token))

    async def delete_token(self, id: str) -> Token:
        """Remove a token and give it; NotFoundError when there is none."""
        await self._schema.before_writing()
        with self._link.guarded():
            document = await self._link.collection(TOKENS).find_one_and_delete({"_id": id})
        if document is None:
            raise NotFoundError("token-missing", token=id[:40])
        return _token(document)


class AuditTrail:
    """What was done, by whom."""

    def __init__(
        self,
        link: DatabaseLink,
        schema: Schema,
        now_s: Callable[[], float],
        refusal: Callable[[], Sentence | None] | None = None,
    ) -> None:
        """`refusal` gives the reason why no entry is taken now, and gives None while one is."""
        self._link, self._schema, self._now_s = link, schema, now_s
        self._refusal = refusal

    async def add_audit(self, entry: AuditEntry, must: bool = False) -> None:
        """Keep what was done; DiskFullError where the disk has no room for it, unless it `must` be kept."""
        reason = None if must or self._refusal is None else self._refusal()
        if reason is not None:
            raise DiskFullError(reason)
        await self._schema.before_writing()
        document = audit_document(entry, secrets.token_hex(8), self._now_s())
        with self._link.guarded():
            await self._link.collection(AUDIT).insert_one(document)

    async def audit(self, limit: int, before: tuple[float, str] | None = None) -> list[AuditEntry]:
        """Give entries, newest first; `before` is time and id of the last one of the page before."""
        query: Document = {"time": ALL_TIME}
        if before is not None:
            time, id = date_of(before[0]), before[1]
            query["time"] = {**ALL_TIME, "$lte": time}
            query["$or"] = [{"time": {"$lt": time}}, {"_id": {"$lt": id}}]
        with self._link.guarded():
            found = self._link.collection(AUDIT).find(query).sort([("time", -1), ("_id", -1)]).limit(limit)
            return [audit_entry_from(document) async for document in found]


def is_owned(token: Token, owner: User | None) -> bool:
    """Return whether the account that made the token is still there."""
    return token.owner is None or (owner is not None and owner.id == token.owner_id)


def _last_admin(name: str) -> ConflictError:
    return ConflictError("user-last-admin", user=name)


def _user_document(user: User) -> Document:
    return {
        "_id": user.name,
        "time": date_of(user.created_s),
        "role": user.role.value,
        "password_hash": user.password_hash,
        "user_id": user.id,
        "stamp": user.stamp,
        "networks": list(user.networks),
    }


def _user(document: Document) -> User:
    return User(
        document["_id"],
        UserRole(document["role"]),
        document["password_hash"],
        seconds_of(document["time"]),
        document["user_id"],
        document["stamp"],
        tuple(document.get("networks", ())),
    )


def _token_document(token: Token) -> Document:
    return {
        "_id": token.id,
        "time": date_of(token.created_s),
        "name": token.name,
        "role": token.role.value,
        "hash": token.hash,
        "expires": None if token.expires_s is None else date_of(token.expires_s),
        "owner": token.owner,
        "owner_id": token.owner_id,
    }


def _token(document: Document) -> Token:
    expires = document["expires"]
    return Token(
        document["name"],
        UserRole(document["role"]),
        document["hash"],
        seconds_of(document["time"]),
        None if expires is None else seconds_of(expires),
        document["owner"],
        document["owner_id"],
    )
