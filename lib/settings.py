"""Every setting, read once from the environment and validated; a malformed value stops the start with a
hint."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

KEY_BYTES = 32
"""Of a Fernet key: 16 sign, 16 encrypt."""
ROOT = Path(__file__).resolve().parent.parent
PRICES_EXAMPLE = '{"a-model": {"input": 0.5, "output": 1.5}}'
PRICE_MOST = 1_000_000


class SettingsError(Exception):
    """The environment is wrong; the message says which name and what it wants."""


def _url(*schemes: str) -> BeforeValidator:
    def check(value: object) -> object:
        text = str(value).rstrip("/")
        parts = urlsplit(text)
        if parts.scheme not in schemes or not (parts.netloc or parts.path):
            raise ValueError(f"wants an address that starts with {' or '.join(s + '://' for s in schemes)}")
        return text

    return BeforeValidator(check)


def _words(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _flag(value: object) -> object:
    if isinstance(value, str):
        known = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        if value.lower() not in known:
            raise ValueError("wants true or false")
        return known[value.lower()]
    return value


def _prices(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, dict) and name for name, one in found.items()):
        raise ValueError(f"wants JSON such as {PRICES_EXAMPLE}, per million tokens")
    return found


Http = Annotated[str, _url("http", "https")]
Flag = Annotated[bool, BeforeValidator(_flag)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Price(BaseModel):
    """Of a million tokens, in MODEL_CURRENCY."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Annotated[Decimal, Field(ge=0, le=PRICE_MOST)]
    output: Annotated[Decimal, Field(ge=0, le=PRICE_MOST)]


class Settings(BaseModel):
    """The names are those of the environment, in lower case."""

    model_config = ConfigDict(frozen=True)

    instance_path: Path = ROOT / "instance"
    database_url: Annotated[str, _url("sqlite", "postgresql", "postgresql+psycopg")] = ""
    queue_url: Annotated[str, _url("sqlite", "postgresql", "redis", "rediss")] = ""
    secret_key: SecretStr = SecretStr("")
    encryption_keys: Annotated[list[SecretStr], BeforeValidator(_words)] = []
    host: str = "127.0.0.1"
    port: Port = 5000
    base_url: Http = ""
    github_api_url: Http = "https://api.github.com"
    github_token: SecretStr | None = None
    openai_api_key: SecretStr | None = None
    openai_base_url: Http | None = None
    openai_model: str = "gpt-5-mini"
    model_prices: Annotated[dict[str, Price], BeforeValidator(_prices)] = {}
    model_currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    devto_api_url: Http = "https://dev.to/api"
    hashnode_api_url: Http = "https://gql-beta.hashnode.com"
    linkedin_api_url: Http = "https://api.linkedin.com"
    linkedin_api_version: Annotated[str, Field(pattern=r"^20\d{4}$")] = "202607"
    mail_server: str | None = None
    mail_port: Port = 587
    mail_username: str | None = None
    mail_password: SecretStr | None = None
    mail_use_tls: Flag = False
    mail_use_ssl: Flag = False
    mail_default_sender: str = "Repocast <repocast@localhost>"
    design_page: Flag = False  # every piece of the pages at /design, for whoever works on them
    git_root: Path | None = None
    workers: Annotated[int, Field(ge=1, le=100)] = 5
    linkedin_client_id: str | None = None
    linkedin_client_secret: SecretStr | None = None
    registration: Literal["open", "closed"] = "open"
    retention_days: Annotated[int, Field(ge=1)] = 365
    scan_commits: Annotated[int, Field(ge=100, le=100_000)] = 2_000
    scan_details: Annotated[int, Field(ge=0, le=1_000)] = 50
    scan_files: Annotated[int, Field(ge=1, le=300)] = 100  # a page of GitHub's holds no more
    scan_text: Annotated[int, Field(ge=200, le=200_000)] = 10_000
    healthcheck_url: Annotated[SecretStr, _url("http", "https")] | None = None  # whoever knows it may ping

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, values: dict[str, Any]) -> dict[str, Any]:
        instance = Path(values.get("instance_path") or ROOT / "instance").resolve()
        database = values.get("database_url") or f"sqlite:///{instance / 'repocast.db'}"
        if database.startswith("postgres://"):
            database = "postgresql://" + database.removeprefix("postgres://")
        database = _absolute(database, instance)
        queue = values.get("queue_url") or (
            database.replace("+psycopg", "", 1)
            if database.startswith("postgresql")
            else f"sqlite:///{_queue_file(database)}"
        )
        queue = _absolute(queue, instance)
        host, port = values.get("host") or "127.0.0.1", values.get("port") or 5000
        base = values.get("base_url") or f"http://{host}:{port}"
        return values | {
            "instance_path": instance,
            "database_url": database,
            "queue_url": queue,
            "base_url": base,
        }

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if self.mail_use_tls and self.mail_use_ssl:
            raise ValueError("MAIL_USE_TLS and MAIL_USE_SSL exclude each other: set one")
        if self.git_root is not None and not self.git_root.is_dir():
            raise ValueError(f"GIT_ROOT wants an existing folder, {self.git_root} is none")
        return self

    @property
    def secure(self) -> bool:
        """Whether people reach this instance over https; cookies are then marked Secure."""
        return self.base_url.startswith("https://")


def _absolute(url: str, instance: Path) -> str:
    """A relative SQLite file lies in the instance folder, for web and worker alike."""
    if not url.startswith("sqlite:///"):
        return url
    return f"sqlite:///{instance / url.removeprefix('sqlite:///')}"


def _queue_file(database: str) -> Path:
    """The queue's own SQLite file lies beside the database's."""
    return Path(database.removeprefix("sqlite:///")).with_name("queue.db")


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment (default `os.environ`); `NAME_FILE` names a file that holds the value.

    Secrets that are not given are made once and kept in the instance folder, readable by its owner alone.
    Raises SettingsError with one line per mistake.
    """
    environ = os.environ if environ is None else environ
    values = {name: text for name in Settings.model_fields if (text := _read(environ, name.upper()))}
    try:
        found = Settings.model_validate(values)
        if found.secret_key.get_secret_value() and found.encryption_keys:
            kept: dict[str, Any] = {}
        else:
            kept = {
                "secret_key": found.secret_key.get_secret_value()
                or _kept(found, "secret_key", lambda: secrets.token_urlsafe(48)),
                "encryption_keys": [k.get_secret_value() for k in found.encryption_keys]
                or _kept(found, "encryption_keys", _new_key),
            }
        settings = Settings.model_validate(values | kept)
        for key in settings.encryption_keys:
            _check_key(key.get_secret_value())
    except ValidationError as error:
        raise SettingsError("\n".join(_hint(e) for e in error.errors())) from None
    return settings


def _read(environ: Mapping[str, str], name: str) -> str | None:
    if environ.get(name):
        return environ[name].strip()
    if path := environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise SettingsError(f"{name}_FILE: {path} cannot be read ({error.strerror}).") from None
    return None


def _kept(settings: Settings, name: str, make: Any) -> str:
    file = settings.instance_path / name
    settings.instance_path.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        # Web and worker may start together: the first to link the finished file wins, the other reads it.
        draft = file.with_name(f".{name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(make())
        with suppress(FileExistsError):
            file.hardlink_to(draft)
        draft.unlink()
    return file.read_text().strip()


def _check_key(key: str) -> None:
    try:
        raw = base64.b64decode(key, altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    if len(raw) != KEY_BYTES:
        raise SettingsError(
            "ENCRYPTION_KEYS: each key wants 32 url-safe base64-encoded bytes, as from Fernet.generate_key()."
        )


def _new_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()


def _hint(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"]).upper()
    text = error["msg"].removeprefix("Value error, ")
    return f"{where}: {text}." if where else f"{text}."
