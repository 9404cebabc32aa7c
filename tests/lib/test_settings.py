import os
import stat

import pytest

from lib.settings import SettingsError, load


def load_in(tmp_path, **environ):
    return load({"INSTANCE_PATH": str(tmp_path / "instance"), **environ})


def test_nothing_given_means_the_embedded_default(tmp_path):
    settings = load_in(tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path}/instance/repocast.db"
    assert settings.queue_url == f"sqlite:///{tmp_path}/instance/queue.db"
    assert (settings.base_url, settings.workers, settings.secure) == ("http://127.0.0.1:5000", 5, False)


def test_made_secrets_are_kept_and_only_their_owner_reads_them(tmp_path):
    first, second = load_in(tmp_path), load_in(tmp_path)
    assert first.secret_key.get_secret_value() == second.secret_key.get_secret_value() != ""
    assert first.encryption_keys == second.encryption_keys
    for name in ("secret_key", "encryption_keys"):
        assert stat.S_IMODE((tmp_path / "instance" / name).stat().st_mode) == 0o600
    assert len(os.listdir(tmp_path / "instance")) == 2  # noqa: PTH208


def test_relative_files_lie_in_the_instance_folder_for_web_and_worker_alike(tmp_path):
    settings = load_in(tmp_path, DATABASE_URL="sqlite:///my.db", QUEUE_URL="sqlite:///bells.db")
    assert settings.database_url == f"sqlite:///{tmp_path}/instance/my.db"
    assert settings.queue_url == f"sqlite:///{tmp_path}/instance/bells.db"


def test_postgresql_carries_the_queue_too(tmp_path):
    settings = load_in(tmp_path, DATABASE_URL="postgresql://u@h/db")
    assert settings.queue_url == "postgresql://u@h/db"


def test_a_value_may_stand_in_a_file(tmp_path):
    (tmp_path / "key").write_text("from a file\n")
    settings = load_in(tmp_path, SECRET_KEY_FILE=str(tmp_path / "key"))
    assert settings.secret_key.get_secret_value() == "from a file"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"SECRET_KEY_FILE: .*nowhere cannot be read"):
        load_in(tmp_path, SECRET_KEY_FILE=str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "http", "PORT: "),
        ("PORT", "70000", "PORT: "),
        ("WORKERS", "0", "WORKERS: "),
        ("BASE_URL", "repocast.example", "BASE_URL: wants an address that starts with http:// or https://."),
        (
            "DATABASE_URL",
            "mysql://x/y",
            "DATABASE_URL: wants an address that starts with sqlite:// or postgresql://",
        ),
        ("MAIL_USE_TLS", "maybe", "MAIL_USE_TLS: wants true or false."),
        ("ENCRYPTION_KEYS", "short", "ENCRYPTION_KEYS: each key wants 32 url-safe base64-encoded bytes"),
        ("REGISTRATION", "ajar", "REGISTRATION: "),
        ("GIT_ROOT", "/no/such/folder", "GIT_ROOT wants an existing folder"),
        ("LINKEDIN_API_VERSION", "2026-07", "LINKEDIN_API_VERSION: "),
        ("MODEL_PRICES", "0.40", 'MODEL_PRICES: wants JSON such as {"a-model": {"input": 0.5, '),
        ("MODEL_PRICES", '{"m": 3}', "MODEL_PRICES: wants JSON such as "),
        ("MODEL_PRICES", '{"m": {"input": 1}}', "MODEL_PRICES.M.OUTPUT: Field required."),
        ("MODEL_PRICES", '{"m": {"input": -1, "output": 1}}', "MODEL_PRICES.M.INPUT: "),
        ("MODEL_PRICES", '{"m": {"input": NaN, "output": 1}}', "MODEL_PRICES.M.INPUT: "),
        ("MODEL_PRICES", '{"m": {"input": 1, "output": 1, "ouput": 2}}', "MODEL_PRICES.M.OUPUT: "),
        ("MODEL_CURRENCY", "dollars", "MODEL_CURRENCY: "),
    ],
)
def test_a_malformed_value_stops_the_start_with_a_hint(tmp_path, name, value, said):
    with pytest.raises(SettingsError) as error:
        load_in(tmp_path, **{name: value})
    assert said in str(error.value)


def test_every_mistake_is_named_at_once(tmp_path):
    with pytest.raises(SettingsError) as error:
        load_in(tmp_path, PORT="x", WORKERS="y")
    assert [line.split(":")[0] for line in str(error.value).splitlines()] == ["PORT", "WORKERS"]


def test_no_secret_is_shown(tmp_path):
    shown = repr(
        load_in(tmp_path, OPENAI_API_KEY="sk-hidden", MAIL_PASSWORD="pw-hidden", GITHUB_TOKEN="gh-hidden")
    )
    assert "hidden" not in shown


def test_an_address_that_is_a_secret_is_not_shown(tmp_path):
    settings = load_in(tmp_path, HEALTHCHECK_URL="https://hc.example/ping/uuid")
    assert settings.healthcheck_url.get_secret_value() == "https://hc.example/ping/uuid"
    assert "uuid" not in repr(settings)
    with pytest.raises(SettingsError, match="HEALTHCHECK_URL: wants an address that starts with http"):
        load_in(tmp_path, HEALTHCHECK_URL="hc.example/ping")


def test_prices_are_read_exactly(tmp_path):
    settings = load_in(tmp_path, MODEL_PRICES='{"gpt-4.1-mini": {"input": 0.40, "output": 1.60}}')
    price = settings.model_prices["gpt-4.1-mini"]
    assert (str(price.input), str(price.output), settings.model_currency) == ("0.4", "1.6", "USD")
