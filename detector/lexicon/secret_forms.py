"""Secrets that are known by the form that their maker gave them, each with an example and a near one that is none."""

# ruff: noqa: E501 - a pattern is read in one piece

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """A secret that is known by its form. `pattern` has one group: the value."""

    name: str
    pattern: str
    fires: str
    quiet: str


BEFORE = r"(?:^|[^A-Za-z0-9_-]|\\[nrt])"
STUCK = r"(?:^|[^A-Za-z0-9]|\\[nrt]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4})"

FORMS = (
    Form("aws-access-key", BEFORE + r"((?:AKIA|ASIA|AROA)[A-Z0-9]{16})\b", "AKIAIOSFODNN7EXAMPLE", "AKIARA"),
    Form("github", BEFORE + r"((?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,}))",
         "ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp_short"),
    Form("gitlab", BEFORE + r"(gl(?:pat|dt|rt|cbt)-[A-Za-z0-9_-]{20,})", "glpat-abcdefghij0123456789", "glpat-x"),
    Form("openai-anthropic", BEFORE + r"(sk-(?:[a-z]+-)*[A-Za-z0-9_-]{20,})", "sk-" + "proj-abcdefghij0123456789", "sk-learn"),
    Form("stripe", BEFORE + r"((?:sk|rk|pk|whsec)_(?:live|test)?_?[A-Za-z0-9]{20,})", "sk_live_0123456789abcdefghij", "sk_id"),
    Form("slack", BEFORE + r"(xox[abeoprs]-[A-Za-z0-9-]{10,})", "xoxb-0123456789-abcdef", "xoxo"),
    Form("google", BEFORE + r"(AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,64})",
         "AIza0123456789abcdefghijABCDEFGHIJ01234", "AIza"),
    Form("npm-pypi", BEFORE + r"(npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{30,})", "npm_0123456789abcdefghijABCDEFGHIJ012345", "npm_config"),
    Form("vault", BEFORE + r"(hv[sbr]\.[A-Za-z0-9_-]{20,})", "hvs.abcdefghij0123456789AB", "hvs.1"),
    Form("digitalocean-shopify", BEFORE + r"((?:do[opr]_v1_|shp(?:at|ca|pa|ss)_)[a-f0-9]{32,64})",
         "dop_v1_0123456789abcdef0123456789abcdef", "dop_v1"),
    Form("sendgrid", BEFORE + r"(SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64})",
         "SG.abcdefghij0123456789AB.abcdefghij0123456789abcdefghij0123456789ABC", "SG.1"),
    Form("jwt", BEFORE + r"(eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,})",
         "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefgh", "eyJhbGci"),
    Form("private-key", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----\s*([A-Za-z0-9+/=\s]{16,96})",
         "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75dd", "-----BEGIN CERTIFICATE-----\nMIIEpAIBAAKCAQEA75dd"),
    Form("password-in-url", r"[a-z][a-z0-9+.-]{1,20}://[^/\s:@\"']{1,64}:([^/\s:@\"']{3,})@", "postgres://a:s3cr3t@db/x",
         "postgres://db:5432/x"),
)  # fmt: skip

MORE_FORMS = (
    Form("slack-webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_-]{20,})",
         "https://hooks.slack.com/services/" + "T0AB3DE5G/B0JK9MN1P/aB3dE5gH7jK9", "https://hooks.slack.com/services/"),
    Form("discord-webhook", r"discord(?:app)?\.com/api/webhooks/([0-9]+/[A-Za-z0-9_-]{20,})",
         "https://discord.com/api/webhooks/" + "4815162342/aB3dE5gH7jK9mN1pQ2sT", "https://discord.com/api/webhooks/1/a"),
    Form("discord", BEFORE + r"([MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,})",
         "MaB3dE5gH7jK9mN1pQ2sT4vW" + ".GaB3dE.aB3dE5gH7jK9mN1pQ2sT4vW6yZ8b", "Main.module.name"),
    Form("telegram", BEFORE + r"([0-9]{8,10}:[A-Za-z0-9_-]{35})", "4815162342:" + "AAaB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0fXb", "48151623:42"),
    Form("signed-address", r"[?&;](?:sig|signature|x-amz-signature|x-goog-signature)=([A-Za-z0-9%+/=_-]{16,})",
         "https://a.example/c?sv=1&sig=aB3dE5gH7jK9mN1pQ2s%3D", "https://a.example/c?sig=short"),
    Form("azure-key", r"(?:account|shared_?access)_?key=([A-Za-z0-9+/]{30,}={0,2})",
         "AccountName=a;AccountKey=" + "aB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0fXaB3d==", "AccountKey=name"),
    Form("azure-secret", BEFORE + r"([A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})",
         "aB38Q~" + "aB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0fXaB", "aB38Q~short"),
    Form("password-alone-in-url", r"[a-z][a-z0-9+.-]{1,20}://:([^/\s:@\"']{3,})@", "redis://:s3cr3t@cache/0", "redis://cache:6379/0"),
    Form("user-password", r"\s(?:-u|--user)[\s=]{1,4}[\"']?[A-Za-z0-9_.@-]{1,64}:([^\s\"']{6,})",
         "curl -u deploy:s3cr3tPw9x https://a.example", "docker run -u 1000:1000 image"),
    Form("twilio", BEFORE + r"(SK[a-f0-9]{32})", "SK" + "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "SK0a1b"),
    Form("terraform", r"([A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,})",
         "aB3dE5gH7jK9mN.atlasv1." + "aB3dE5gH7jK9mN1p" * 4, "app.atlasv1.x"),
    Form("databricks-mailgun", BEFORE + r"((?:dapi|key-)[a-f0-9]{32}(?:-\d)?)", "dapi" + "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "dapi0a1b"),
    Form("aws-key-in-lower-case", BEFORE + r"((?:akia|asia|aroa)[a-z0-9]{16})\b", "akia" + "q3egri7tnplwx5zd", "asiapacificmarketing"),
    Form("platform", BEFORE + r"((?:sbp_|sb_secret_|sntry[su]_|fo1_|FlyV1 |dp\.(?:pt|ct|st|sa)\.|PMAK-|ATATT3|NRAK-|AGE-SECRET-KEY-1)"
         r"[A-Za-z0-9_.=-]{20,})", "sbp_" + "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d", "sbp_short"),
    Form("platform-plain", BEFORE + r"((?:lin_api_|lin_oauth_|pscale_[a-z]{2,5}_|figd_|hf_|nfp_|rnd_)[A-Za-z0-9]{24,})",
         "hf_" + "aB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0fX", "hf_hub_download_of_a_long_name"),
    Form("grafana", BEFORE + r"(gl(?:sa|c)_[A-Za-z0-9+/=_]{20,})", "glsa_" + "aB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0fX_0a1b2c3d", "glsa_short"),
    Form("named-key", r"(?:secret|encryption|signing|master|session|cookie|jwt|hmac|hash|app)[_-]?key[\"']?\]?\s{0,4}(?::=|=>|[:=])\s{0,4}[\"']?"
         r"([^\s\"'\\,;&]{8,})", "DJANGO_SECRET_KEY=" + "'k3y-9f8a7b6c5d4e3f2a1b0c9d8e7f'", "SECRET_KEY=os.environ['SECRET_KEY']"),
    Form("password-option", r"\b(?:(?:mysql|mariadb)[a-z]{0,12}\s(?:[^|;&\n]*?\s)?(?-i:-p)|(?:docker|podman|helm|az|oc)\s(?:[a-z]{1,16}\s)?login\s"
         r"(?:[^|;&\n]*?\s)?-p[\s=]{1,4}|redis-cli\s(?:[^|;&\n]*?\s)?-a\s{1,4}|sshpass\s{1,4}-p\s{0,4})[\"']?([^\s\"'$-][^\s\"']{3,})",
         "mysql -u root -ps3cr3tPw9x shop", "mysql -P3306 -u root -p shop; docker run -p 8080:80 image; docker login -p $TOKEN"),
)  # fmt: skip
"""Redacted too, and not counted as secrets by the behaviours: no model was fitted on them."""
