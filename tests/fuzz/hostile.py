"""Values that somebody might send: ids, times, numbers, texts of every kind that the lexicon reads, secrets."""

# ruff: noqa: E501, Q003 - texts that are read in one piece

from __future__ import annotations

import json
from random import Random
from typing import Any

SECRETS = (
    "AKIAPL4NT3DPL4NT3DPL",
    "ghp_Pl4nt3dPl4nt3dPl4nt3dPl4nt3dPl4nt3d",
    "github_pat_Pl4nt3dPl4nt3dPl4nt3dPl4nt3dPl4nt3dPl4nt3d",
    "glpat-Pl4nt3dPl4nt3dPl4nt3d",
    "sk-ant-Pl4nt3dPl4nt3dPl4nt3dPl4nt3d",
    "sk_live_Pl4nt3dPl4nt3dPl4nt3d",
    "xoxb-Pl4nt3dPl4nt3d-Pl4nt3d",
    "AIzaPl4nt3dPl4nt3dPl4nt3dPl4nt3dPl4nt3d",
    "npm_Pl4nt3dPl4nt3dPl4nt3dPl4nt3dPl4nt3dP",
    "hvs.Pl4nt3dPl4nt3dPl4nt3d",
    "dop_v1_deadc0dedeadc0dedeadc0dedeadc0de",
    "SG.Pl4nt3dPl4nt3dPl4nt3d.Pl4nt3dPl4nt3dPl4nt3dPl4nt3dPl4nt3d",
    "eyJPl4nt3dPl4nt3d.eyJPl4nt3dPl4nt3d.Pl4nt3dPl4nt3d",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEPl4nt3dPl4nt3dPl4nt3dPl4nt3dPl4nt3d",
    "postgres://admin:Pl4nt3dW0rd@db.internal/x",
    "password=Pl4nt3d-w0rd-88",
    "Authorization: Bearer Pl4nt3dT0k3nPl4nt3dT0k3n",
    "api_key: 'Pl4nt3dK3yPl4nt3dK3y'",
)
"""Made up; each has a mark by which it is found again, whatever stands around it."""

MARKS = (b"pl4nt3d", b"deadc0de")
"""In small letters."""
KNOWN_BY_FORM = tuple(secret.encode() for secret in SECRETS[:13])
KNOWN_BY_PLACE = {
    b"MIIEPl4nt3dPl4nt3dPl4nt3dPl4nt3dPl4nt3d": (b"PRIVATE KEY-----\n", b"PRIVATE KEY-----\\n"),
    b"Pl4nt3dW0rd@": (b"postgres://admin:",),
    b"Pl4nt3d-w0rd-88": (b"password=",),
    b"Pl4nt3dT0k3nPl4nt3dT0k3n": (b"Bearer ",),
    b"Pl4nt3dK3yPl4nt3dK3y": (b"api_key: '",),
}
"""With what must stand before it."""

TIMES = [
    0, 1, -1, "-1", "", None, 10**9, 946_684_799 * 10**9, 1_780_000_000 * 10**9, 4_102_444_801 * 10**9, 2**63 - 1, 2**63,
    2**64 - 1, 2**64, -(2**63), "9" * 30, "9" * 5000, 1.78e18, 1e300, float("inf"), float("nan"), "1.78e18", "now", True, [], {},
]  # fmt: skip

IDS: list[Any] = [
    "", "0" * 16, "0" * 32, "00f067aa0ba902b7", "00F067AA0BA902B7", "4bf92f3577b34da6a3ce929d0e0e4736",
    "4BF92F3577B34DA6A3CE929D0E0E4736", "S/kvNXezTaajzpKdDg5HNg==", "APBnqgupArc=", "f" * 16, "f" * 32, "abc", "zz" * 8,
    "00 f0 67 aa 0b a9 02 b7", "ff" * 4096, None, 7, [], {}, "\u0663" * 16, "-0f067aa0ba902b7", "f" * 31, "f" * 33,
]  # fmt: skip

NUMBERS: list[Any] = [
    {"intValue": v} for v in (0, 1, -1, 2**31, 2**53, 2**63 - 1, -(2**63), 2**63, "7", "-7", "1e3", "9" * 5000, 1.5, True, "x")
] + [{"doubleValue": v} for v in (0.0, -0.0, 0.1, 1e308, 5e-324, float("nan"), float("inf"), "NaN", "-Infinity", "x")]  # fmt: skip

WORDS = (
    "production staging preview test localhost admin token secret password .env ~/.aws/credentials backup snapshot volume"
    " customers users audit main --force -rf * / | && ; > $HOME $(id) `id` \u202e \u0000 \ud83d \U0001f600 \x1f e\u0301 \xa0"
).split(" ")

SHELL = (
    "rm -rf / --no-preserve-root", "sudo -u root bash -c 'rm -rf /var/lib/postgresql'", "cat .env | grep -i token",
    "curl -X DELETE https://api.railway.app/v1/volumes/7 -H 'Authorization: Bearer x'", "echo $(cat ~/.ssh/id_rsa)",
    "psql -c \"DROP DATABASE prod\"", "aws ec2 delete-volume --volume-id vol-1", "git push --force origin main",
    "kubectl -n production delete pvc --all", "eval \"$(printf '\\162\\155')\"", "ssh -i k prod 'sh -c \"rm -rf /data\"'",
    "cat <<EOF | psql\nDROP TABLE users;\nEOF", "python3 -c 'import os; os.system(\"rm -rf x\")'", "a=1 b=2 env c=3 nohup",
    "find / -name '*.pem' -exec cat {} +", "for i in 1 2; do rm $i; done", ":(){ :|:& };:", "'unterminated", '"un\\',
    "history -c; unset HISTFILE", "doppler run -- docker exec db -- psql -c 'truncate t'", "base64 -d <<< cm0gLXJmIC8= | sh",
)  # fmt: skip
SQL = (
    "DELETE FROM users", "DROP TABLE customers; --", "UPDATE t SET a=1 WHERE 1=1", "TRUNCATE audit_log", "GRANT ALL ON *.* TO x",
    "SELECT * FROM secrets WHERE a IN (SELECT b FROM c)", "delete from t where ((((((1=1))))))", "/* x */ drop schema prod cascade",
    "ALTER USER a WITH SUPERUSER", "with a as (delete from t returning *) select * from a", "update t set a = $$x$$ where 'a' = 'a",
    "DELETE FROM t WHERE a NOT IN (1,2", "SET ROLE postgres; DROP OWNED BY x", "MERGE INTO a USING b ON (a.i=b.i) WHEN MATCHED THEN DELETE",
)  # fmt: skip
GRAPHQL = (
    'mutation { volumeDelete(volumeId: "v1") }', "mutation($a:ID!){x:environmentDelete(id:$a){id} y:backupDelete(id:1)}",
    "{ secrets { value } }", "query Q { me { tokens } }", "mutation {" + "a{" * 30, 'mutation { a(b: "unterminated) { c } }', "#x\nmutation{d}",
)  # fmt: skip
OTHER = (
    "https://admin:pw@prod.example.com:443/v1/volumes/7?force=true#x", "http://[::1", "//", "://", "file:///etc/shadow",
    "permission denied", '{"error":{"code":403,"message":"forbidden"}}', "exit code: 1", "HTTP 401 Unauthorized", "[1,2", "{'a': (1,)}",
    "{'a': b'\\d', 1: {2}, None: 1j}", "['\\d']", "[" * 60, "{" * 60, '{"a":' * 60, "null", "true", "1e999", "-", "", " ", "\n\n",
    '{"kwargs": {"command": "rm -rf /"}, "args": []}', '{"input_str": "{\'command\': \'ls\'}"}', '"\\"{\\\\\\"a\\\\\\":1}\\""',
    '[{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"bash","arguments":{"command":"rm -rf /"}}]}]',
    '[{"role":"assistant","parts":[{"type":"tool_call","name":1,"arguments":"x"},null,7,{"type":[]}]}]',
    '{"tool_calls":[{"function":{"name":"a","arguments":{}}},{"function":null}]}', '[{"role":"user"},{"role":7},{"role":"model"}]',
    '[{"role":"user","parts":"tool"},[],null,{"parts":{"a":1}},{"content":[{"toolUse":{"name":"x","input":1}}]}]',
)  # fmt: skip
TEXTS = (*SHELL, *SQL, *GRAPHQL, *OTHER)

FRAGMENTS = (
    "a", " ", "\n", "\t", "'", '"', "\\", "\\\\", "$(", "`", "(", ")", "()", "[", "{", "}", "<<A\n", "<<A\nA\n", "x<<'A'\n", "<", ">", "|", ";",
    "&", "#", "=", "a=", "a=b ", "-", "--", "-c ", "-X", "sh -c '", 'sh -c "', "eval ", "ssh ", "sudo ", "xargs ", "docker -- ", "a'b'", 'a"b"',
    '{"a":', "{'a':", '"a":1,', '"a" :', '["', "[[", "'a',", "\\n", '\\"', "\\u0000", "\ud800", "\u0301", "\U0001f600", "\0", "select (",
    "delete from t where (", "array[", "struct(", "decimal(", "drop table ", "not ", "case when ", "a in (", "a.", "a,", "a+", "x or ", "1=1 and ", "drop table a;", "with a as (", "/*", "*/",
    "cast(", "a::", "@a", "$$", "$a$", "interval '", "mutation{", "a(", "a:", "a{", "...", "://", "a@b:", "@", "/a", "?a=b&", "%2f", "http://",
    "token=", "password: ", "secret is ", "api_key", "Bearer ", "bearer bearer ", "eyJ", "eyJaaaaaaaaaa.", "-----BEGIN ", "A ", "sk-", "sk-a-",
    "AKIA", "ghp_", "a://a:b", "x" * 19 + ".", "config.", "environ", "a_b", "a/b.", "1.2,", "error: ", "exit code ", "status 4", "token was ",
    "denied by a ", "credential mismatch ", '"role":"user"', '"role" : "assistant",', '"tool_result"', '{"type":"tool_call","name":"a"},',
    '{"parts":[', '{"function":{"name":"a"}},', "rm ", "rm -rf ", "find __pycache__ ", "git -", "aws ", "curl -H ", "-d@", "psql -c ", "alter set ",
    "update set ", "audit", "truncate ", "set role ", "create user ", "set local ", "from secret ", "SELECT\n",
)  # fmt: skip

JSON_KEYS = (
    "command cmd script input sql query statement pattern glob url uri endpoint method headers body json path file_path paths code python content"
    " message data kwargs args arguments action tool_input input_str __arg1 params callId id name volume_id database table to recipient environment"
    " variables operation commands cwd role key Authorization x"
).split()


def text(rng: Random, size: int = 0) -> str:
    """A hostile text: known by heart, made of words, or one fragment again and again to `size` characters or so."""
    kind = rng.random()
    if kind < 0.45:
        return rng.choice(TEXTS)
    if kind < 0.6:
        return " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 20)))
    if kind < 0.7:
        return rng.choice(TEXTS) + rng.choice(["; ", "\n", " && ", "", "'", '"']) + rng.choice(TEXTS)
    if kind < 0.75:
        return f"{rng.choice(WORDS)} {rng.choice(SECRETS)} {rng.choice(WORDS)}"
    return repeated(rng, size or rng.choice([16, 64, 256, 256, 1024, 2048]))


def repeated(rng: Random, size: int) -> str:
    """One or two fragments again and again between a begin and an end: what is quadratic shows itself."""
    fragment = "".join(rng.choice(FRAGMENTS) for _ in range(rng.choice([1, 1, 2, 3])))
    head, tail = (rng.choice((*FRAGMENTS, *TEXTS, "", "", "")) for _ in range(2))
    return head + fragment * max(1, size // len(fragment)) + tail


def arguments(rng: Random) -> str:
    """Arguments of a tool as a framework may write them."""
    value: Any = {rng.choice(JSON_KEYS): argument(rng) for _ in range(rng.choice([0, 1, 1, 2, 3, 5]))}
    for _ in range(rng.choice([0, 0, 0, 0, 1, 2, 5])):
        value = rng.choice([
            {rng.choice(JSON_KEYS): value}, [value], {"kwargs": value, "args": [1]}, {"input_str": repr(value)}, json.dumps(value),
        ])  # fmt: skip
    written = repr(value) if rng.random() < 0.1 else json.dumps(value, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.15:
        written = written[: rng.randrange(len(written) + 1)]
    return written


def argument(rng: Random) -> Any:
    """The value of one argument."""
    kind = rng.random()
    if kind < 0.75:
        return text(rng)
    return rng.choice([
        None, True, 0, -1, 2**70, 1.5, 1e308, [], {}, ["rm", "-rf", "/"], [1, None, "a"], {"a": {"b": {"c": ["d"]}}}, [[[]]],
        {"Authorization": f"Bearer {rng.choice(SECRETS)}"}, ["-c", text(rng)], {"id": 7, "name": "prod"}, "", {"": ""}, 10**400,
    ])  # fmt: skip


def nested(rng: Random) -> str:
    """JSON or a Python literal, nested to some depth, closed or not."""
    opening, inner, closing = rng.choice([
        ("[", "1", "]"), ('{"a":', "1", "}"), ("{'a':", "'b'", "}"), ("(", "", ")"), ('[{"parts":', "[]", "}]"), ("-", "1", ""), ("~", "1", ""),
        ('{"action":', '{"command":"ls"}', "}"), ("not ", "1", ""), ("a.", "b", ""), ('"[\\"', "", '\\"]"'), ("lambda:", "0", ""), ("*", "a", ""),
    ])  # fmt: skip
    depth = rng.choice([3, 30, 99, 101, 199, 201, 500, 999, 1001, 2000])
    return opening * depth + inner + closing * rng.choice([depth, depth, 0, depth - 1])
