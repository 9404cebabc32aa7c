"""Takes out of a text what has a secret's shape: keys, tokens, passwords, private addresses.

The prefixes are those that the services give their secrets, mostly so that they can be found in public
text; not each was looked up in its service's own words. GitHub, GitLab, AWS, Slack, Stripe and Google are
examples. What has no such mark is taken only where it is assigned to something called a password, a secret,
a token or a key, and looks random. Commit ids, UUIDs, versions and digests standing alone are none of these.

Every pattern runs in a time linear in the text, because strangers write it: repetitions are bounded, or end
at a character that they cannot contain.
"""

import math
import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

MASK = "[withheld]"

_START, _END = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"


class _Shape(NamedTuple):
    """A pattern, looked for only where the text has one of the `hints`. A group named `secret` is what is
    masked, else all of it."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]


def _token(*hints: str, form: str) -> _Shape:
    return _Shape(hints, re.compile(_START + form, re.ASCII))


_KEY_NAME = r"(?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?"
_BLOCKS = (
    # Without its end a block was cut off: then the rest of the text belongs to it.
    _Shape(
        ("PRIVATE KEY",),
        re.compile(rf"-----BEGIN {_KEY_NAME}-----.*?(?:-----END {_KEY_NAME}-----|\Z)", re.DOTALL),
    ),
    _Shape(
        ("PuTTY-User-Key-File-",),
        re.compile(r"PuTTY-User-Key-File-\d:.*?(?:Private-MAC: \w{1,128}|\Z)", re.DOTALL),
    ),
)
_VARIABLE = r"(?:\$\{?\w{1,80}\}?|\$?\{\{[^{}@]{1,80}\}\}|\{\w{1,80}\}|<[^<>@]{1,80}>|\*{1,80}|\.{3}|…)"
_CREDENTIALS = re.compile(
    r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://"
    rf"(?!(?:[^\s/?#@:]{{0,100}}:)?{_VARIABLE}@)"
    # A password may have an @ of its own: the last one before the path counts.
    r"(?P<secret>[^\s/?#@:]{0,100}:[^\s/?#]{1,400}|[A-Za-z0-9_-]{20,400})@",
)
_TOKENS = (
    _Shape(
        ("hooks.slack.com/", "/api/webhooks/"),
        re.compile(
            r"(?:hooks\.slack\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks)"
            r"/(?P<secret>[\w/+-]{16,400})"
        ),
    ),
    _token("ghp_", "gho_", "ghu_", "ghs_", "ghr_", form=r"gh[pousr]_[\w-]{16,800}(?:\.[\w-]{16,2000}){0,2}"),
    _token("github_pat_", form=r"github_pat_\w{20,300}"),
    _token(
        "glpat-",
        "gldt-",
        "glrt-",
        "glcbt-",
        "glptt-",
        "glft-",
        "glimt-",
        "glagent-",
        "gloas-",
        "glsoat-",
        form=r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[\w-]{14,300}(?:\.[0-9a-z]{2}\.[\w-]{7,40})?",
    ),
    _token("AKIA", "ASIA", "ABIA", "ACCA", form=r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}" + _END),
    _token("xox", "xapp-", form=r"(?:xox[a-z](?:\.xox[a-z])?|xapp)-[\w-]{10,300}"),
    _token("_live_", "_test_", form=r"(?:sk|rk)_(?:live|test)_\w{10,300}"),
    _token("whsec_", form=r"whsec_[\w+/=]{16,200}"),
    _token("sk-", form=r"sk-(?:proj|svcacct|admin|ant|or|lf|litellm)-[\w-]{16,400}"),
    _token("sk-", form=r"sk-(?=[A-Za-z]{0,60}[0-9])[A-Za-z0-9]{20,200}"),
    _token("AIza", form=r"AIza[\w-]{30,60}"),
    _token("ya29.", form=r"ya29\.[\w-]{20,400}"),
    _token("GOCSPX-", form=r"GOCSPX-[\w-]{20,60}"),
    _token("hf_", form=r"hf_[A-Za-z0-9]{30,60}"),
    _token("npm_", form=r"npm_[A-Za-z0-9]{30,60}"),
    _token("pypi-AgE", form=r"pypi-AgE[\w-]{20,400}"),
    _token("rubygems_", form=r"rubygems_[0-9a-f]{30,60}"),
    _token("dckr_", form=r"dckr_(?:pat|oat)_[\w-]{20,60}"),
    _token("SG.", form=r"SG\.[\w-]{16,40}\.[\w-]{16,60}"),
    _token("SK", form=r"SK[0-9a-f]{32}" + _END),
    _token("key-", form=r"key-[0-9a-f]{32}" + _END),
    _token("-us", form=r"[0-9a-f]{32}-us[0-9]{1,2}" + _END),
    _token(":AA", form=r"[0-9]{8,10}:AA[\w-]{30,40}"),
    _token("_v1_", form=r"do[opr]_v1_[0-9a-f]{40,64}"),
    _token("lin_api_", form=r"lin_api_\w{30,60}"),
    _token("shpat_", "shpca_", "shppa_", "shpss_", form=r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{30,40}"),
    _token("sq0", form=r"sq0[a-z]{3}-[\w-]{20,60}"),
    _token("dapi", form=r"dapi[0-9a-f]{32}" + _END),
    _token("glc_", "glsa_", form=r"gl(?:c|sa)_[\w+/=]{20,400}"),
    _token("hvs.", "hvb.", "hvr.", form=r"hv[sbr]\.[\w-]{20,300}"),
    _token("atlasv1.", form=r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{20,100}"),
    _token("ATATT3", form=r"ATATT3[\w=-]{20,300}"),
    _token("PMAK-", form=r"PMAK-[0-9a-f-]{30,80}"),
    _token("NRAK-", form=r"NRAK-\w{20,40}"),
    _token("sntrys_", "sntryu_", form=r"sntry[su]_[\w+/=-]{20,400}"),
    _token("pscale_", form=r"pscale_(?:tkn|oauth|pw)_[\w.=-]{20,100}"),
    _token("sbp_", form=r"sbp_[0-9a-f]{30,60}"),
    _token("fo1_", "fm2_", form=r"(?:fo1|fm2)_[\w+/=-]{20,400}"),
    _token("dp.", form=r"dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.]{20,100}"),
    _token("ntn_", form=r"ntn_[A-Za-z0-9]{30,80}"),
    _token("figd_", form=r"figd_[\w-]{30,80}"),
    _token("AGE-SECRET-KEY-1", form=r"AGE-SECRET-KEY-1[A-Z0-9]{20,80}"),
    _token("Q~", form=r"[\w~.-]{3}[0-9]Q~[\w~.-]{28,40}"),
    _token("sig=", form=r"sig=(?P<secret>[\w%+/-]{30,200}={0,2})"),
    _token("AccountKey=", form=r"AccountKey=(?P<secret>[\w+/]{40,100}={0,2})"),
    # RFC 7519 and 7516: a JSON header in base64, then two to four more parts.
    _token("eyJ", form=r"eyJ[\w-]{8,4000}(?:\.[\w-]{0,4000}){1,4}"),
)
_MARKED = [(hint, shape.pattern) for shape in (*_BLOCKS, *_TOKENS) for hint in shape.hints]
_HEADER = re.compile(
    r"\b(?i:authorization['\"]?\s{0,3}[:=]\s{0,3}['\"]?(?:bearer|basic|token)|bearer)\s{1,3}"
    r"(?P<secret>[\w+/.~-]{12,2000}={0,2})"
)
_ASSIGNED = re.compile(
    r"(?i:passw(?:or)?d|pwd|passphrase|secret|token|credential|(?:api|access|auth|private|signing|encryption|"
    r"account|master|shared)[_ -]?key)"
    r"(?:s|[_-]\w{1,40}|[A-Z]\w{0,40})?"
    r"(?:\s?:\s?[A-Za-z][\w.]{0,30}(?=\s?=))?"  # a declared type
    r"[\"'`\]]{0,2}\s{0,3}(?::=|=>|=|:|\s(?i:is|was)\s)\s{0,3}"
    r"(?:[A-Za-z]{0,2}[\"'`])?(?P<secret>[^\s\"'`,;<>(){}\[\]]{8,400})"
)
_ASSIGNED_HINTS = ("pass", "pwd", "secret", "token", "key", "credential")

# `oauth2`, `argon2id`, `PBKDF2PasswordHasher`, `64bit`
_ORDINARY_PART = re.compile(
    r"[A-Za-z]*[0-9]{0,4}(?:[a-z]{0,3}|(?:[A-Z][a-z]{2,20}){1,4})|[0-9]+[A-Za-z]{0,3}"
)
_PARTS = re.compile(r"[-_./:+=|\\]")
_JUMPS = re.compile(r"[a-z](?=[A-Z])")
LONG = 16
"""Characters from which letters alone show by their case that nobody chose them: names in camel case have a
capital every six letters or so, random text has one after every fourth small letter."""
MIN_ENTROPY = 3.0
"""Bits a character, by Shannon: eight different characters have three. Words have less than random text, but
not by much at such lengths, so that the value's build counts as well."""

_EMAIL = re.compile(
    r"(?<![\w.+/@-])(?P<local>[\w.+-]{1,64})@(?P<domain>(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w-])"
)
_PUBLIC_LOCAL = re.compile(
    r"git|hg|svn|(?:.{0,40}[-_+.])?bot|.{0,40}no-?reply.{0,20}|abuse|admin|contact|hello|help|info|mail|"
    r"maintainers?|office|postmaster|press|sales|security|support|team|webmaster",
    re.IGNORECASE,
)
_PUBLIC_DOMAIN = re.compile(
    # Example names (RFC 2606, RFC 6761), addresses that nobody reads, and what is no domain at all: pictures
    # for dense screens (`icon@2x.png`) and systemd's instances (`getty@tty1.service`).
    r"(?:.{0,200}\.)?(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)|(?:.{0,200}\.)?no-?reply\..{1,200}"
    r"|[0-9.]{1,6}x\.\w{2,5}|.{1,200}\.(?:service|socket|timer|target|mount|slice|png|jpe?g|gif|svg|webp)",
    re.IGNORECASE,
)

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})"
_PRIVATE_V4 = re.compile(
    r"(?<![\w.])(?<![=~<>^!]=)(?<!\w\.)"
    rf"(?:10\.{_OCTET}|172\.(?:1[6-9]|2[0-9]|3[01])|192\.168)\.{_OCTET}\.{_OCTET}(?P<bits>/[0-9]{{1,2}})?"
    r"(?!\w|\.[0-9])"
)
_PRIVATE_V6 = re.compile(
    r"(?<![\w:.])(?:f[cd][0-9a-f]{2}|fe80):(?:[0-9a-f]{0,4}:){1,6}[0-9a-f]{0,4}(?:%\w{1,16}|/[0-9]{1,3})?(?![\w:])",
    re.IGNORECASE,
)
# RFC 1918, RFC 4193 and RFC 4291 themselves, which name nobody's machine
_WHOLE_NETWORKS = {
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    *("fc00::/7", "fd00::/8", "fc00::/8", "fe80::/10", "fe80::/64"),
}
_OF_VERSIONS = re.compile(r"\b(?:bump|upgrade|version|release)", re.IGNORECASE)
_PRIVATE_HOST = re.compile(
    r"(?P<before>(?<=://)|(?<=@)|(?<![\w.@/-]))(?P<secret>(?:[A-Za-z0-9_-]{1,63}\.){1,8}"
    r"(?:internal|intranet|corp|lan|local|localdomain|home\.arpa))(?P<port>:[0-9]{2,5})?(?![\w-]|\.\w)",
    re.IGNORECASE,
)
_PRIVATE_HINTS = (".internal", ".intranet", ".corp", ".lan", ".local", ".home.arpa")
_KNOWN_HOSTS = {
    # The same for everybody who uses Docker, Kubernetes or Google's cloud.
    *("host.docker.internal", "gateway.docker.internal", "metadata.google.internal"),
    *("kubernetes.default.svc.cluster.local", "svc.cluster.local", "cluster.local"),
}


def mask(text: str) -> str:
    """`text` with everything that looks like a secret replaced by `MASK`; masking again changes nothing."""
    if "://" in text and "@" in text:
        text = _CREDENTIALS.sub(_masked, text)
    for pattern in dict.fromkeys([pattern for hint, pattern in _MARKED if hint in text]):
        text = pattern.sub(_masked, text)
    lowered = text.lower()
    if any(hint in lowered for hint in _ASSIGNED_HINTS):
        text = _ASSIGNED.sub(_masked_if(lambda found: is_random(found["secret"])), text)
    if "bearer" in lowered or "authorization" in lowered:
        text = _HEADER.sub(_masked_if(lambda found: is_random(found["secret"])), text)
    if "@" in text:
        text = _EMAIL.sub(_masked_if(_is_private_email), text)
    if "10." in text or "172." in text or "192.168." in text:
        text = _PRIVATE_V4.sub(_masked_if(_is_private_v4), text)
    if "fc" in lowered or "fd" in lowered or "fe80" in lowered:
        text = _PRIVATE_V6.sub(_masked_if(lambda found: found[0].lower() not in _WHOLE_NETWORKS), text)
    if any(hint in lowered for hint in _PRIVATE_HINTS):
        text = _PRIVATE_HOST.sub(_masked_if(_is_private_host), text)
    return text


def is_random(value: str) -> bool:
    """Whether a value that something secret was set to looks like the secret itself, and not like a name, a
    path, a version or a reference to where the secret stands."""
    value = value.rstrip(".,:;!?*")
    if len(value) < 8 or value[0] in "/~$%&#@*-." or "://" in value or "…" in value or "..." in value:
        return False
    if entropy(value) < MIN_ENTROPY:
        return False
    if len(value) >= LONG and len(_JUMPS.findall(value)) > len(value) / 6:
        return True
    if all(map(_ORDINARY_PART.fullmatch, _PARTS.split(value))):
        return False
    kinds = (str.islower, str.isupper, str.isdigit, lambda letter: not letter.isalnum())
    has = [any(map(kind, value)) for kind in kinds]
    return (has[2] and (has[0] or has[1])) or sum(has) > 2


def entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


def _masked(found: re.Match[str]) -> str:
    if "secret" not in found.re.groupindex:
        return MASK
    start, end = (place - found.start() for place in found.span("secret"))
    return found[0][:start] + MASK + found[0][end:]


def _masked_if(is_secret: Callable[[re.Match[str]], bool]) -> Callable[[re.Match[str]], str]:
    return lambda found: _masked(found) if is_secret(found) else found[0]


def _is_private_email(found: re.Match[str]) -> bool:
    return not _PUBLIC_LOCAL.fullmatch(found["local"]) and not _PUBLIC_DOMAIN.fullmatch(found["domain"])


def _is_private_v4(found: re.Match[str]) -> bool:
    """Four numbers may also be a version, which lines about versions say."""
    line = found.string[found.string.rfind("\n", 0, found.start()) + 1 :].partition("\n")[0]
    return found[0] not in _WHOLE_NETWORKS and not _OF_VERSIONS.search(line)


def _is_private_host(found: re.Match[str]) -> bool:
    """Names of modules and files look alike (`kotlinx.coroutines.internal`, `settings.local`): a host is what
    stands in an address or has a port."""
    if found["secret"].lower() in _KNOWN_HOSTS:
        return False
    before = found.string[max(0, found.start() - 3) : found.start()]
    return bool(found["port"]) or before.endswith(("://", "@"))
