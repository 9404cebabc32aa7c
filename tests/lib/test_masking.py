"""What has a secret's shape, and what only looks a little like it. No secret stands here in one piece, so
that nobody's scanner takes this file for a leak."""

import json
import random
import string
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.masking import MASK, entropy, is_random, mask

RANDOM = "Xq7Vd2LmT9pRk4Zs8WbY3cHf6JnG1aEuKo5Ti0Qy"
HEX = "9f86d081884c7d659a2feaa0c5ad015a3bf4f1b2b0b822cd15d6c15b0f00a08e"
UPPER = "J7Q2ZK4MNP8R5TVW"
DIGITS = "123456789012"
TOKENS = {
    "GitHub": "ghp_" + RANDOM[:36],
    "GitHub server, as a JWT": f"ghs_12345_eyJ{RANDOM}.eyJ{RANDOM}.{RANDOM}",
    "GitHub fine-grained": f"github_pat_11{RANDOM[:20]}_{RANDOM}",
    "GitLab": "glpat-" + RANDOM[:20],
    "GitLab runner": f"glrt-{RANDOM[:12]}_{RANDOM[:8]}",
    "AWS": "AKIA" + UPPER,
    "AWS, temporary": "ASIA" + UPPER,
    "Slack": f"xoxb-{DIGITS}-{DIGITS}-{RANDOM[:24]}",
    "Slack app": f"xapp-1-A{DIGITS}-{RANDOM[:24]}",
    "Stripe": "sk_" + f"live_{RANDOM[:24]}",
    "Stripe, restricted": "rk_" + f"test_{RANDOM[:24]}",
    "Stripe webhook": "whsec_" + RANDOM[:32],
    "OpenAI": "sk-" + f"proj-{RANDOM}",
    "OpenAI, old": "sk-" + RANDOM + RANDOM[:8],
    "Anthropic": "sk-" + f"ant-api03-{RANDOM}",
    "Google": "AIza" + RANDOM[:35],
    "Google OAuth": "ya29." + RANDOM,
    "Google client": "GOCSPX-" + RANDOM[:28],
    "Hugging Face": "hf_" + RANDOM[:34],
    "npm": "npm_" + RANDOM[:36],
    "PyPI": f"pypi-AgE{RANDOM}{RANDOM}",
    "Docker": f"dckr_pat_{RANDOM[:27]}",
    "SendGrid": f"SG.{RANDOM[:22]}.{RANDOM}",
    "Twilio": "SK" + HEX[:32],
    "Mailgun": "key-" + HEX[:32],
    "Mailchimp": HEX[:32] + "-us12",
    "Telegram": f"1234567890:AA{RANDOM[:33]}",
    "DigitalOcean": "dop_v1_" + HEX,
    "Shopify": "shpat_" + HEX[:32],
    "Databricks": "dapi" + HEX[:32],
    "Grafana": "glsa_" + RANDOM[:32],
    "Vault": "hvs." + RANDOM,
    "Terraform": f"{RANDOM[:14]}.atlasv1.{RANDOM}",
    "Atlassian": f"ATATT3{RANDOM}={HEX[:8].upper()}",
    "Azure AD": f"abC8Q~{RANDOM[:34]}",
    "JWT": f"eyJ{RANDOM}.eyJ{RANDOM}.{RANDOM}",
    "JWT without signature": f"eyJ{RANDOM}.eyJ{RANDOM}.",
}
ASSIGNED = [
    "password = '{}'", 'DB_PASSWORD="{}"', "export API_KEY={}", '"api_key": "{}",', "client_secret: {}",
    "secret => '{}'", "token := `{}`", "aws_secret_access_key = {}", "the password is {}", "auth_token={}&x",
    "password: str = '{}'", "MYSQL_PWD={}", "private key: {}", "--access-key={}", "AccessKey: {}",
    "credentials='{}'",
]  # fmt: skip
HEADERS = ["Authorization: Bearer {}", "authorization: token {}", '-H "Authorization: Basic {}"', "bearer {}"]
KEY = "-----BEGIN {0}PRIVATE KEY{1}-----\n" + RANDOM + "\n-----END {0}PRIVATE KEY{1}-----"


def hidden(text: str, secret: str) -> str:
    """The text masked; nothing of the secret longer than its prefix is left, and once is enough."""
    masked = mask(text)
    assert MASK in masked
    assert mask(masked) == masked
    assert not any(secret[at : at + 8] in masked for at in range(4, max(5, len(secret) - 7)))
    return masked


@pytest.mark.parametrize("service", TOKENS)
@pytest.mark.parametrize(
    "around", ["{}", "Use {} now", "key={}\n", "({})", "`{}`.", '"{}"', "x:{},", "https://a.example/?k={}"]
)
def test_tokens_are_masked_wherever_they_stand(service, around):
    hidden(around.format(TOKENS[service]), TOKENS[service])


@pytest.mark.parametrize("form", ASSIGNED)
@pytest.mark.parametrize(
    "value", [RANDOM[:16], "Tr0ub4dor&3x", HEX[:32], "550e8400-e29b-41d4-a716-446655440000"]
)
def test_what_is_assigned_to_a_secret_name_is_masked(form, value):
    hidden(form.format(value), value)


@pytest.mark.parametrize("form", HEADERS)
@pytest.mark.parametrize("value", [RANDOM, "dXNlcjpwYXNzd29yZDEyMw==", HEX])
def test_what_a_header_carries_is_masked(form, value):
    hidden(form.format(value), value)


@pytest.mark.parametrize(
    "kind", [("", ""), ("RSA ", ""), ("OPENSSH ", ""), ("ENCRYPTED ", ""), ("PGP ", " BLOCK")]
)
def test_key_blocks_are_masked_whole(kind):
    assert mask(f"before\n{KEY.format(*kind)}\nafter") == f"before\n{MASK}\nafter"
    cut_off = KEY.format(*kind).partition("\n-----END")[0]
    assert mask(f"before\n{cut_off}") == f"before\n{MASK}"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://admin:s3cr3t@db.example.com/app", f"postgres://{MASK}@db.example.com/app"),
        ("clone https://x-access-token:abc@github.com/o/r", f"clone https://{MASK}@github.com/o/r"),
        (f"https://{HEX[:40]}@github.com/o/r", f"https://{MASK}@github.com/o/r"),
        ("amqp://user:p@ss:w0rd@mq.example.com/x", f"amqp://{MASK}@mq.example.com/x"),
        ("redis://:hunter2@cache:6379/0", f"redis://{MASK}@cache:6379/0"),
        ("https://hooks.slack.com/services/" + "T0/B0/" + RANDOM, f"https://hooks.slack.com/services/{MASK}"),
        ("AccountKey=" + RANDOM * 2 + "==;", f"AccountKey={MASK};"),
        ("Signed-off-by: Jane Roe <jane@roe.io>", f"Signed-off-by: Jane Roe <{MASK}>"),
        ("write to jane.roe+git@mail.roe.co.uk.", f"write to {MASK}."),
        ("jürgen@müller-söhne.de", "jürgen@müller-söhne.de"),  # no address that git or GitHub would write
        ("the host 10.20.30.40 is down", f"the host {MASK} is down"),
        ("HOST=192.168.1.15:8080", f"HOST={MASK}:8080"),
        ("route 172.20.0.0/16", f"route {MASK}"),
        ("fd12:3456:789a:1::1 and fe80::1%eth0", f"{MASK} and {MASK}"),
        ("see http://build.corp.internal/job/7", f"see http://{MASK}/job/7"),
        ("jenkins.example.lan:8080 hangs", f"{MASK}:8080 hangs"),
        ("ssh deploy@10.0.0.5", f"ssh deploy@{MASK}"),
    ],
)
def test_addresses(text, masked):
    assert mask(text) == masked
    assert mask(masked) == masked


ORDINARY = """\
Merge pull request #5800 from pallets/release-3.1.2
This reverts commit 330123258e8c3dc391cbe55ab1ed94891ca83af3.
sha256:9f86d081884c7d659a2feaa0c5ad015a3bf4f1b2b0b822cd15d6c15b0f00a08e
integrity sha512-abcdEFGH1234567890abcdEFGH1234567890abcdEFGH1234567890abcdEFGH1234567890abcdEFGH123456==
550e8400-e29b-41d4-a716-446655440000
Bump requests from 2.31.0 to 2.32.4
Bump Microsoft.Data from 10.0.0.1 to 10.0.1.2
Pin electron==10.1.2.3
version v10.0.0.1, released 2025-08-19T21:03:43Z
token = request.headers.get("Authorization")
password: str | None = None
password = getpass.getpass()
secret = os.environ["SECRET_KEY"]
token: ${{ secrets.GITHUB_TOKEN }}
SECRET_KEY = settings.SECRET_KEY_2
PASSWORD_HASHERS = django.contrib.auth.hashers.PBKDF2PasswordHasher
Fix token refresh: handle expired tokens in oauth2-proxy
fix(token): support RS256/ES256
feat(secrets): bump detect-secrets to v1.5.0
add password: argon2id hashing
api_key=YOUR_API_KEY
password=changeme
password: ********
Authorization: Bearer <token>
Authorization: Bearer $TOKEN
Set the bearer token.
X-CSRF-Token: X-CSRFToken
secret-scanning: enable push protection
keyboard=something12345678
Passwords need at least 8 characters
git@github.com:pallets/flask.git
ssh://git@github.com/pallets/flask.git
https://user@github.com/pallets/flask
postgres://${USER}:${PASSWORD}@db.example.com/app
http://<user>:<password>@host/
Co-authored-by: X <1234+x@users.noreply.github.com>
dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>
From: noreply@github.com
Write to security@palletsprojects.com or you@example.com
Thanks @octocat, @jane-doe and @acme/core
@user@mastodon.social
uses: actions/checkout@v4
npm install @babel/core@7.0.0-beta.46 lodash@4.17.21
static/icon@2x.png, getty@tty1.service
Listen on 127.0.0.1:5000, http://localhost:8000 or 0.0.0.0:80
Treat 10.0.0.0/8, 192.168.0.0/16 and fc00::/7 as private
docker-compose.local.yml, settings.local, threading.local
kotlinx.coroutines.internal and werkzeug._internal
host.docker.internal:5432
-----BEGIN PUBLIC KEY-----
-----BEGIN CERTIFICATE-----
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ user
AKIA is a prefix, ghp_ too, and sk-learn is none
task-1234567890123456789012345
std::fmt::Display and abc::def
Closes https://github.com/pallets/flask/issues/5786
Straße, naïve, 日本語, Привет""".splitlines()


@pytest.mark.parametrize("text", ORDINARY)
def test_the_ordinary_stays(text):
    assert mask(text) == text


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in strings(one)]


def test_real_activity_has_nothing_masked(shared_data: Path):
    """Messages, titles, notes, files, people and addresses of four repositories."""
    texts = [
        text
        for file in sorted((shared_data / "activity").glob("*.json"))
        for text in strings(json.loads(file.read_text()))
    ]
    assert len(texts) > 3000
    assert [text for text in texts if mask(text) != text] == []


@given(st.text())
def test_any_text_is_masked_once_and_for_all(text):
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize(
    "bait",
    [
        "eyJ",
        "a@",
        "-----BEGIN PRIVATE KEY-----",
        "password=",
        "https://a:",
        "10.10.",
        "fd:",
        "a.",
        "x-",
        "_",
        "://",
    ],
)
def test_no_text_takes_long(bait):
    """A hundred thousand characters of what a pattern begins with: in quadratic time it took minutes."""
    text = (bait * 100_000)[:100_000] + "!"
    taken = []
    for _ in range(3):
        began = time.process_time()
        mask(text)
        taken.append(time.process_time() - began)
    assert min(taken) < 1.0


def test_random_values_are_told_from_names():
    letters = random.Random(4)
    alphabet = string.ascii_letters + string.digits
    values = ["".join(letters.choices(alphabet, k=20)) for _ in range(500)]
    assert sum(map(is_random, values)) >= 495
    names = ["get_password", "oauth2-proxy", "SECRET_KEY_2", "settings.local", "v1.2.3-rc.1", "2025-08-19"]
    names += ["getPasswordFromEnvironment", "UserAuthenticationTokenFactory", "XMLHttpRequestUpload"]
    assert not any(map(is_random, names))
    assert entropy("aaaaaaaa") == 0 < entropy("abababab") == 1 < entropy("abcdefgh") == 3
