"""What failures of the database are called."""

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
    WriteError,
)

from services.common.database.link import DatabaseLink
from services.core.errors import DatabaseUnavailableError, DiskFullError

URI = "mongodb://user:s3cret@127.0.0.1:1/"
BULK = {"writeErrors": [], "writeConcernErrors": []}


def _told(error: PyMongoError, explain: str | None = None) -> DatabaseUnavailableError:
    link = DatabaseLink(URI, explain=lambda: explain)
    with pytest.raises(DatabaseUnavailableError) as told, link.guarded():
        raise error
    assert "s3cret" not in str(told.value)
    return told.value


@pytest.mark.parametrize(
    "error",
    [
        OperationFailure("no", 14_031, {"codeName": "OutOfDiskSpace"}),
        WriteError("no", 14_031),
        WriteConcernError("no", 14_031),
        BulkWriteError({**BULK, "writeErrors": [{"code": 14_031, "errmsg": "no"}]}),
        BulkWriteError({**BULK, "writeConcernErrors": [{"code": 14_031, "errmsg": "no"}]}),
        BulkWriteError({**BULK, "writeErrors": [{"code": 8, "errmsg": "28: No space left on device"}]}),
        OperationFailure("journal write failed: No space left on device", 1),
        AutoReconnect("pwrite: Disk quota exceeded"),
    ],
)
def test_a_full_disk_is_called_that_whatever_the_answer(error: PyMongoError) -> None:
    told = _told(error)
    assert isinstance(told, DiskFullError)
    assert str(told) == "the disk of the database at 127.0.0.1:1 is full"


def test_other_failures_are_not() -> None:
    refused = BulkWriteError({**BULK, "writeErrors": [{"code": 121, "errmsg": "no"}]})
    for error in (OperationFailure("no", 1), AutoReconnect("closed"), OperationFailure("no", 13), refused):
        assert not isinstance(_told(error), DiskFullError)


def test_who_knows_more_of_the_database_says_why_but_not_for_a_login() -> None:
    for error in (OperationFailure("internal server error", 1), AutoReconnect("closed")):
        assert str(_told(error, "the disk of /data is full")) == "the disk of /data is full"
    assert str(_told(OperationFailure("no", 18), "x")) == "the database at 127.0.0.1:1 refuses the login"
