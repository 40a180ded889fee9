"""HTTP clients, databases and processes: what a tool's call did underneath.

Current keys: semantic-conventions v1.41.0, docs/http, docs/db, docs/resource/process. Deprecated
keys: v1.20.0 of HTTP (still the default of Python's instrumentations 0.66b1) and v1.24.0 of DB.
`api.path`: Codex CLI 0.169.
"""

from __future__ import annotations

from detector.dialects.base import Dialect, Kind

DIALECT = Dialect(
    name="infra",
    spec="open-telemetry/semantic-conventions v1.41.0 docs/http docs/db docs/system; deprecated: v1.20.0, v1.24.0",
    order=90,
    kinds={
        "http.request.method": Kind.HTTP,
        "http.method": Kind.HTTP,
        "db.system.name": Kind.DATABASE,
        "db.system": Kind.DATABASE,
        "process.command_line": Kind.PROCESS,
        "process.command_args": Kind.PROCESS,
        "process.executable.name": Kind.PROCESS,
    },
    # UNSPECIFIED, INTERNAL, CLIENT: a server's or a consumer's span is somebody else's call.
    span_kinds=frozenset({0, 1, 3}),
    fields={
        Kind.HTTP: {
            "method": ("http.request.method", "http.method"),
            "url": ("url.full", "http.url", "api.path"),
            "host": ("server.address", "net.peer.name", "http.host"),
            "body": ("http.request.body.text",),
        },
        Kind.DATABASE: {
            "sql": ("db.query.text", "db.statement"),
            "operation": ("db.operation.name", "db.operation"),
            "table": ("db.collection.name", "db.sql.table"),
            "database": ("db.namespace", "db.name"),
            "host": ("server.address", "net.peer.name"),
        },
        Kind.PROCESS: {
            "command": ("process.command_line", "process.command_args", "process.command", "process.executable.name"),
            "cwd": ("process.working_directory",),
        },
    },
    failed={"error.type": None},
    status=("http.response.status_code", "http.status_code", "process.exit.code"),
)
