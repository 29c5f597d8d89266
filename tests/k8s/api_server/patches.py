"""The ways in which a change comes: JSON merge patch, strategic merge patch, server-side apply."""

from collections.abc import Iterator
from typing import Any

from tests.k8s.api_server.fields import Field
from tests.k8s.api_server.status import Document

ORDER, DELETED, KEPT, DIRECTIVE = "$setElementOrder/", "$deleteFromPrimitiveList/", "$retainKeys", "$patch"


def json_merge(current: Any, patch: Any) -> Any:
    """RFC 7386: null removes, lists are replaced."""
    if not isinstance(patch, dict):
        return patch
    result = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = json_merge(result.get(key), value)
    return result


def strategic_merge(current: Document, patch: Document, field: Field) -> Document:
    """Merge as the schema of the field says (the strategic merge patch of kubernetes/community)."""
    if patch.get(DIRECTIVE) == "replace":
        return {key: value for key, value in patch.items() if key != DIRECTIVE}
    kept = patch.get(KEPT)
    result = {key: value for key, value in current.items() if kept is None or key in kept}
    for key, value in patch.items():
        if key.startswith(DELETED):
            name = key.removeprefix(DELETED)
            result[name] = [item for item in result.get(name, []) if item not in value]
        elif key.startswith("$"):
            continue
        elif value is None or (isinstance(value, dict) and value.get(DIRECTIVE) == "delete"):
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = strategic_merge(result.get(key) or {}, value, field.child(key))
        elif isinstance(value, list):
            result[key] = _merged_list(result.get(key) or [], value, field.child(key))
        else:
            result[key] = value
    for key in (key for key in patch if key.startswith(ORDER)):
        name = key.removeprefix(ORDER)
        result[name] = _ordered(result.get(name, []), patch[key], field.child(name).merge_key)
    return result


def _merged_list(current: list[Any], patch: list[Any], field: Field) -> list[Any]:
    if not field.is_merged:
        return patch
    if field.merge_key is None:
        return current + [item for item in patch if item not in current]
    if any(item.get(DIRECTIVE) == "replace" for item in patch):
        return [item for item in patch if item.get(DIRECTIVE) != "replace"]
    items = {item.get(field.merge_key): item for item in current}
    for change in patch:
        key = change.get(field.merge_key)
        if change.get(DIRECTIVE) == "delete":
            items.pop(key, None)
        else:
            items[key] = strategic_merge(items.get(key, {}), change, field.item)
    return list(items.values())


def _ordered(items: list[Any], order: list[Any], key: str | None) -> list[Any]:
    """Sort as the patch says; what it does not name comes last."""
    wanted = [one.get(key) if key else one for one in order]
    ranks = {rank: position for position, rank in enumerate(wanted)}
    return sorted(items, key=lambda item: ranks.get(item.get(key) if key else item, len(ranks)))


def server_side_apply(current: Any, previous: Any, wanted: Any, field: Field) -> Any:
    """Give what is wanted, and of the current state what this manager has never applied."""
    if isinstance(wanted, dict) and isinstance(current, dict) and not field.is_atomic:
        before = previous if isinstance(previous, dict) else {}
        result = {key: value for key, value in current.items() if key in wanted or key not in before}
        for key, value in wanted.items():
            result[key] = server_side_apply(current.get(key), before.get(key), value, field.child(key))
        return result
    if isinstance(wanted, list) and isinstance(current, list):
        if field.map_keys:
            return _applied_list(current, previous or [], wanted, field)
        if field.is_set:
            return wanted + [item for item in current if item not in wanted + (previous or [])]
    return wanted


def _applied_list(current: list[Any], previous: list[Any], wanted: list[Any], field: Field) -> list[Any]:
    known, before = dict(_keyed(current, field)), dict(_keyed(previous, field))
    applied = {
        key: server_side_apply(known.get(key), before.get(key), item, field.item)
        for key, item in _keyed(wanted, field)
    }
    foreign = (item for key, item in known.items() if key not in applied and key not in before)
    return [*applied.values(), *foreign]


def _keyed(items: list[Any], field: Field) -> Iterator[tuple[tuple[Any, ...], Any]]:
    for item in items:
        yield tuple(item.get(key, "TCP" if key == "protocol" else None) for key in field.map_keys), item
