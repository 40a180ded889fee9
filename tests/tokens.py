"""Tokens as their makers form them, put together here so that no scanner finds one in the sources."""

from __future__ import annotations

import base64

_MIXED = "aB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0fX"
_HEX = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
_DIGITS = "4815162342"
_UUID = "9f3c1d7a-42be-4c1d-8a90-5f6e7d8c9b0a"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_JWT = ".".join((_base64('{"alg":"HS256"}').strip("="), _base64('{"sub":"ann"}').strip("="), _MIXED))
_PEM = "\n".join(_MIXED * 2 for _ in range(3))

# What is written, and the part of it that nobody may see.
TOKENS: dict[str, tuple[str, str]] = {}


def _add(name: str, token: str, text: str = "{}") -> None:
    TOKENS[name] = text.format(token), token


_add("aws-key-id", "AKIA" + "Q3EGRI7TNPLWX5ZD")
_add("aws-session-key-id", "ASIA" + "Q3EGRI7TNPLWX5ZD")
_add("aws-secret", _MIXED + "Kl/9+Zx1", "aws_secret_access_key = {}")
_add("github-classic", "ghp_" + _MIXED + "aB3d")
_add("github-app", "ghs_" + _MIXED + "aB3d")
_add("github-fine-grained", "github_pat_" + "11" + _MIXED[:20] + "_" + _MIXED * 2)
_add("gitlab", "glpat-" + _MIXED[:20])
_add("slack-bot", "xoxb-" + f"{_DIGITS}12-{_DIGITS}34-" + _MIXED[:24])
_add("slack-webhook", "T0" + "AB3DE5G/B0" + "JK9MN1P/" + _MIXED[:24], "https://hooks.slack.com/services/{}")
_add("stripe-secret", "sk_live_" + _MIXED)
_add("stripe-webhook", "whsec_" + _MIXED)
_add("google-api-key", "AIza" + "Sy" + _MIXED + "a")
_add("google-oauth", "ya29." + _MIXED * 2)
_add("google-service-account", _MIXED * 2, "-----BEGIN " + "PRIVATE KEY-----\n{}\n-----END " + "PRIVATE KEY-----\n")
_add(
    "ssh-private-key",
    _MIXED * 2,
    "-----BEGIN OPENSSH " + "PRIVATE KEY-----\n{}\n-----END OPENSSH " + "PRIVATE KEY-----",
)
_add("jwt", _JWT)
_add("openai", "sk-" + "proj-" + _MIXED + "T3BlbkFJ" + _MIXED)
_add("anthropic", "sk-ant-" + "api03-" + _MIXED * 2 + "-AA")
_add("npm", "npm_" + _MIXED + "aB3d")
_add("pypi", "pypi-" + "AgEIcHlwaS5vcmc" + _MIXED * 2)
_add("azure-sas", _MIXED + "%2Bq1w2e3%3D", "https://acc.blob.core.windows.net/c?sv=2024-05-04&se=2026-01-01&sig={}")
_add("azure-storage-key", _MIXED * 2 + "Ab3dEf==", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};")
_add("azure-client-secret", "aB3" + "8Q~" + _MIXED + "aB")
_add("database-url", "s3cr3t" + "Pw9x", "postgresql://app:{}@db.internal:5432/orders")
_add("redis-url", "s3cr3t" + "Pw9x", "redis://:{}@cache.internal:6379/0")
_add("basic-auth", _base64("deploy:" + _MIXED), "Authorization: Basic {}")
_add("bearer", _MIXED + "xY12", "Authorization: Bearer {}")
_add("twilio-key", "SK" + _HEX)
_add("twilio-auth-token", _HEX, "TWILIO_AUTH_TOKEN={}")
_add("sendgrid", "SG." + _MIXED[:22] + "." + _MIXED + _MIXED[:11])
_add("heroku", _UUID, "HEROKU_API_KEY={}")
_add("railway", _UUID, "RAILWAY_TOKEN={}")
_add("digitalocean", "dop_v1_" + _HEX * 2)
_add("vault", "hvs." + _MIXED[:24])
_add("terraform", _MIXED[:14] + ".atlasv1." + _MIXED * 2 + "aB3")
_add("databricks", "dapi" + _HEX + "-2")
_add("supabase", "sbp_" + _HEX + "0a1b2c3d")
_add("discord", "M" + _MIXED[:23] + ".G" + "aB3dE." + _MIXED + "aB3dE5")
_add("telegram", _DIGITS + ":AA" + _MIXED + "b")
_add("cloudflare", _MIXED + "aB3dE5gH", "CLOUDFLARE_API_TOKEN: {}")
_add("huggingface", "hf_" + _MIXED + "aB")
_add("linear", "lin_api_" + _MIXED + "aB3dE5gH")
_add("doppler", "dp.pt." + _MIXED + "aB3dE5gH")
_add("sentry", "sntryu_" + _HEX * 2)
_add("figma", "figd_" + _MIXED)
_add("postman", "PMAK-" + _HEX[:24] + "-" + _HEX + "0a")
_add("atlassian", "ATATT3" + _MIXED * 3)
_add("shopify", "shpat_" + _HEX)
_add("mailgun", "key-" + _HEX)
_add("planetscale", "pscale_tkn_" + _MIXED)
_add("age", "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE")
_add("fly", "fo1_" + _MIXED + "aB3dE5gH7jK")
_add("new-relic", "NRAK-" + "Q3EGRI7TNPLWX5ZDQ3EGRI7TNPL")
_add("high-entropy-password", "xK9" + "!mQ2#vR7", "password: {}")
_add("high-entropy-json", "q7w" + "E9rT2yU4", '{{"client_secret": "{}"}}')
_add("command-line-password", "q7w" + "E9rT2yU4", "mysql --password={} -h db")
