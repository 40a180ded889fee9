"""Patterns and words by which requests are known: hosts, paths, nouns."""

# ruff: noqa: E501 - a pattern is read in one piece

from __future__ import annotations

import re

from detector.lexicon import verbs
from detector.lexicon.deed_table import CREDENTIALS, DEEDS
from detector.records import Does

MAX_SEGMENTS = 16
MAX_PARAMETERS = 16
MAX_PATH_CHARS = 512

VERB = {
    "DELETE": "delete",
    "POST": "create",
    "PUT": "put",
    "PATCH": "update",
    "GET": "get",
    "HEAD": "get",
    "QUERY": "search",
}
METHODS = {
    **dict.fromkeys(("GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "LIST"), Does.READ),
    "QUERY": Does.READ | Does.SEARCH,
    "SEARCH": Does.READ | Does.SEARCH,
    "DELETE": Does.DELETE,
    "PURGE": Does.DELETE,
}
PREFIX = re.compile(
    r"(?:v\d[\w.]*|api|apis|rest|client|public|latest|graphql|rpc|admin|platform|management|\d{4}-\d\d(?:-\d\d)?)$",
    re.IGNORECASE,
)
NAME = re.compile(r"[A-Za-z][A-Za-z_.:-]{1,63}$")
ASKS_MODEL = re.compile(
    r"/(?:chat/completions|completions|embeddings|moderations|rerank|responses|generate|chat|messages|tokenize|count_tokens)$"
    r"|:(?:streamGenerateContent|generateContent|embedContent|predict|countTokens|rawPredict)$|/invoke(?:-with-response-stream)?$|/converse$",
)
MODEL_HOSTS = re.compile(
    r"openai|anthropic|mistral|cohere|generativelanguage|aiplatform|bedrock|groq|together|deepseek|ollama|huggingface|:11434|:8000|litellm|vllm|openrouter|perplexity|x\.ai|azure\.com"
)
READ_BY_POST = re.compile(
    r"/_?(?:search|count|msearch|mget|query|explain|validate|field_caps|analyze|graphql|lookup|find|list|preview|dry-?run|test-?iam-?permissions|describe|export/preview|searches|search/jobs)$",
    re.IGNORECASE,
)
METADATA = re.compile(
    r"(?:^|@)(?:169\.254\.169\.254|169\.254\.170\.2|metadata\.google\.internal|metadata|100\.100\.100\.200|fd00:ec2::254|\[fd00:ec2::254\]|192\.0\.0\.192)(?::\d+)?$"
)
OF_METADATA = re.compile(
    r"credential|/token|identity|user-?data|/keys|/v2/|service-accounts/[^/]+/?$|attributes/(?:ssh|kube-env)"
)
INDEX_HOST = re.compile(
    r"(?:^|[.@/-])(?:es|elastic|elasticsearch|opensearch)\d*(?:[.:-]|$)|:9200$|:9243$|\.es\.|cloudsearch"
)
KEY_VALUE = re.compile(r"/(?:kv|keys|v2/keys|v3/kv)(?:/|$)")
WILDCARD = re.compile(r"(?:^|[/,])(?:_all|\*|[^/?]*\*[^/?]*|all)(?:/|,|$)")
NAMES_ONLY = re.compile(r"(?:^|\.)(?:github|gitlab|bitbucket)\.")
LOGS = frozenset(("logs", "log"))

PLURAL_KNOWN = frozenset(noun for deed in DEEDS for noun in deed.nouns) | verbs.nouns(
    "issue pull label item order product cart post comment message file document page event ticket task deployment run job workflow"
    " service pod node image container function hook webhook session record row line invoice payment subscription zone domain release tag"
    " ref release variable setting route rule alert dashboard report list board card team channel thread draft note template build"
    " artifact instance server machine droplet replica deploy series mail contact lead deal case conversation attachment comment refund charge"
    " reaction star milestone gist manifest blob head branch collaborator member team package version asset review suggestion todo cache addon certificate"
)
TWO_PARTS = frozenset(("repos", "repositories", "projects"))
SINGLE = frozenset(
    ("protection", "access", "status", "lock", "settings", "config", "config-vars", "env", "logs", "acl", "policy")
)

DOCUMENT_HOST = re.compile(r":5984$|(?:^|[.-])couch(?:db)?\d*(?:[.:-]|$)")
BUCKET_HOST = re.compile(
    r"(?:^|\.)s3[.-](?:[\w-]+\.)*amazonaws\.com$|r2\.cloudflarestorage\.com$|digitaloceanspaces\.com$|^storage\.googleapis\.com$|backblazeb2\.com$|wasabisys\.com$"
)
BUCKET_NAMED = re.compile(r"(?!s3[.-]|storage\.)[\w-]+\.")
KEPT_SECRET = CREDENTIALS | {"configvars", "envvars", "apikeys", "apikey", "accesskeys"}
ABOUT = frozenset("policy metadata rotation iam permissions usage count status versions_list audit".split())
NO_COLLECTIONS = frozenset(("status", "address", "access"))
MANNERS = frozenset(("async", "force", "hard", "soft", "batch"))
NAMED_ALONE = frozenset(
    "namespaces apps buckets projects databases tables topics queues indices repositories branches clusters volumes workspaces b keyspaces collections".split()
)
