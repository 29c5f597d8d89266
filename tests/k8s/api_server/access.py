"""Who may do what: the tokens of ServiceAccounts, and the Roles that are stored for them."""

import secrets
from collections.abc import Iterator

from tests.k8s.api_server.resources import Address
from tests.k8s.api_server.status import Document, StatusError, forbidden
from tests.k8s.api_server.store import Store

GROUP_PREFIX = "system:serviceaccounts"


class Access:
    """Tokens, and what they allow. A request without a token is the administrator's too."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.administrator = secrets.token_urlsafe(24)
        """A token that allows everything: over TLS kubectl wants one."""
        self._accounts: dict[str, tuple[str, str]] = {}

    def token(self, namespace: str, account: str) -> str:
        """Give a token of a ServiceAccount that is there, as the kubelet does for a pod."""
        if self._store.find("serviceaccounts", namespace, account) is None:
            raise KeyError(f"no ServiceAccount {namespace}/{account}")
        token = secrets.token_urlsafe(24)
        self._accounts[token] = namespace, account
        return token

    def check(self, authorization: str | None, verb: str, where: Address) -> None:
        """Refuse what the Roles of the one who asks do not allow."""
        token = (authorization or "").removeprefix("Bearer ")
        if token in ("", self.administrator):
            return
        account = self._accounts.get(token)
        if account is None:
            raise StatusError(401, "Unauthorized", "Unauthorized")
        if any(_allows(rule, verb, where) for rule in self._rules(account, where.namespace)):
            return
        user = ":".join(("system:serviceaccount", *account))
        group, scope = where.resource.group, f'in the namespace "{where.namespace}"'
        raise forbidden(
            f'{where.resource.full_name} is forbidden: User "{user}" cannot {verb} resource '
            f'"{where.resource.plural}" in API group "{group}" '
            f"{scope if where.namespace else 'at the cluster scope'}"
        )

    def _rules(self, account: tuple[str, str], namespace: str | None) -> Iterator[Document]:
        if namespace is None:
            return
        for binding in self._store.all("rolebindings", namespace):
            if any(_is_subject(subject, account, namespace) for subject in binding.get("subjects") or []):
                role = self._store.find("roles", namespace, binding["roleRef"]["name"])
                if role is not None and binding["roleRef"]["kind"] == "Role":
                    yield from role.get("rules") or []


def _is_subject(subject: Document, account: tuple[str, str], namespace: str) -> bool:
    if subject["kind"] == "Group":
        return subject["name"] in (GROUP_PREFIX, f"{GROUP_PREFIX}:{account[0]}")
    return (
        subject["kind"] == "ServiceAccount"
        and (subject.get("namespace", namespace), subject["name"]) == account
    )


def _allows(rule: Document, verb: str, where: Address) -> bool:
    """Whether a rule covers a request. One that is limited to names never covers what has no name yet."""
    plural = f"{where.resource.plural}/{where.part}" if where.part else where.resource.plural
    wanted = {"verbs": verb, "apiGroups": where.resource.group, "resources": plural}
    names = rule.get("resourceNames")
    return all({value, "*"} & set(rule.get(key) or []) for key, value in wanted.items()) and (
        not names or (where.name in names and verb != "create")
    )
