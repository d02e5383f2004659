"""What is deployed is closed by default: no password that anyone knows, no door but Caddy's, no part unwatched."""

import configparser
import re
from pathlib import Path
from typing import Any

import yaml

from server.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN")
REFERENCE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")


class _Strict(yaml.SafeLoader):
    """Refuses a key that stands twice, as Compose does; PyYAML takes the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = sorted({name for name in names if names.count(name) > 1})
        assert not twice, f"{twice} stand twice at line {node.start_mark.line + 1}"
        return super().construct_mapping(node, deep)


def compose() -> dict[str, Any]:
    # Safe: the loader is the safe one, only stricter.
    loaded: dict[str, Any] = yaml.load((ROOT / "docker-compose.yml").read_text("utf-8"), _Strict)
    return loaded


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def test_the_four_parts_stand_in_the_composition() -> None:
    assert set(services()) == {"server", "postgresql", "couchdb", "caddy"}


def test_every_secret_comes_from_the_environment_and_stops_the_start_when_missing() -> None:
    for name, service in services().items():
        for variable, value in service["environment"].items():
            references = REFERENCE.findall(str(value))
            if SECRET.search(variable):
                assert references, f"{name}: {variable} is written down"
            for referred, kind, sentence in references:
                if SECRET.search(referred):
                    assert (kind, bool(sentence)) == ("?", True), f"{name}: {referred} has a default or no sentence"


def test_no_password_stands_in_an_address() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    for password in re.findall(r"://\w+:(.*?)@\w+:\d", text):
        assert password.startswith("${"), "a password is written into an address"


def test_the_example_environment_names_every_variable_that_must_be_set_and_gives_no_value() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    required = {name for name, kind, _sentence in REFERENCE.findall(text) if kind == "?"}
    lines = (ROOT / "deploy/env.example").read_text("utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(given) == required
    assert not any(given.values())


def test_every_part_has_a_health_check_a_limit_and_comes_back_by_itself() -> None:
    for name, service in services().items():
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["restart"] == "unless-stopped", name
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits), name
        assert "no-new-privileges:true" in service["security_opt"], name


def test_only_caddy_is_reached_from_outside() -> None:
    assert [name for name, service in services().items() if "ports" in service] == ["caddy"]
    assert compose()["networks"]["data"]["internal"] is True
    for name in ("postgresql", "couchdb"):
        assert services()[name]["networks"] == ["data"]


def test_the_server_believes_only_its_own_proxy() -> None:
    networks = compose()["networks"]
    assert (
        services()["server"]["environment"]["NUONG_TRUSTED_PROXIES"] == networks["edge"]["ipam"]["config"][0]["subnet"]
    )


def test_what_is_stored_stands_in_named_volumes() -> None:
    declared = set(compose()["volumes"])
    used = {
        volume.split(":")[0]
        for service in services().values()
        for volume in service["volumes"]
        if re.match(r"[a-z][a-z-]*:", volume)
    }
    assert used == declared


def test_the_server_is_given_only_settings_that_it_knows() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert set(services()["server"]["environment"]) <= known


def test_images_are_pinned_to_a_release_and_the_server_does_not_run_as_root() -> None:
    for service in services().values():
        assert re.search(r":\d", service["image"]), service["image"]
    dockerfile = (ROOT / "deploy/Dockerfile").read_text("utf-8")
    last = dockerfile.rsplit("\nFROM ", 1)[1]
    assert "\nUSER nuong\n" in last
    assert "\nHEALTHCHECK " in last
    assert "--require-hashes" in dockerfile
    assert "npm ci" in dockerfile


def test_couchdb_starts_with_no_key_and_asks_everyone_who_they_are() -> None:
    settings = configparser.ConfigParser(interpolation=None)
    settings.read([ROOT / "deploy/couchdb/10-nuong.ini", ROOT / "deploy/couchdb/20-jwt-keys.ini"], "utf-8")
    assert settings["chttpd"]["require_valid_user_except_for_up"] == "true"
    assert "jwt_authentication_handler" in settings["chttpd"]["authentication_handlers"]
    assert settings["jwt_auth"]["required_claims"] == "exp"
    assert not dict(settings["jwt_keys"])
    assert "admins" not in settings
