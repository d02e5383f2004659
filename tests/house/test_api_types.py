"""The app's types of the API are those of this server, and no two bodies share a name."""

import pytest

from tests.house import api_types


def test_the_apps_types_are_made_from_this_servers_schemas() -> None:
    first = api_types.TYPES.read_text("utf-8").split("\n")[0] + "\n"
    assert first == api_types.heading(api_types.openapi()), "the API's schemas have changed: make api-types"


def test_making_the_apps_types_again_changes_nothing() -> None:
    if not api_types.TOOL.exists():
        pytest.skip("the app's packages are not installed: make install-app")
    assert api_types.TYPES.read_text("utf-8") == api_types.types_of(api_types.openapi()), "make api-types"


def test_no_two_bodies_of_the_api_share_a_name() -> None:
    # The framework tells schemas of one name apart by putting their modules before it.
    assert not [name for name in api_types.openapi()["components"]["schemas"] if "_" in name]
