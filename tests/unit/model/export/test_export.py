import pytest

from model.export.writing import without_folders


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("sightline train --data /a/b/traffic", "sightline train --data traffic"),
        (
            "sightline train --data mask=/a/masks@0.3 --run runs/x",
            "sightline train --data mask=masks@0.3 --run runs/x",
        ),
        ("sightline train --run=/a/b/ --data '/a b/c d'", "sightline train --run=b/ --data 'c d'"),
        ("sightline train --data demo@0.36", "sightline train --data demo@0.36"),
    ],
)
def test_a_model_file_does_not_tell_its_makers_folders(command: str, told: str) -> None:
    assert without_folders(command) == told
