"""Words that the incidents draw from: none of them stands in the pools that training draws from (demo/pools.py).

Names of tools are those of agents in use that the training fleet does not play: Cursor, Cline, Gemini CLI, Kiro,
Goose, OpenClaw, the MCP reference servers. Hosts are those that RFC 2606 reserves and training does not use.
"""

from __future__ import annotations

SHELLS = (
    ("run_terminal_cmd", "command"), ("execute_command", "command"), ("run_shell_command", "command"),
    ("executeBash", "command"), ("exec_command", "cmd"), ("developer__shell", "command"), ("start_process", "command"),
)  # fmt: skip
READERS = (("read_text_file", "path"), ("fs_read", "path"), ("readFile", "path"), ("read_many_files", "paths"))
WRITERS = (("write_to_file", "path"), ("fs_write", "path"), ("fsWrite", "path"), ("save_to_file", "path"))
EDITORS = (("replace_in_file", "path"), ("strReplace", "path"), ("search_replace", "file_path"))
SEARCHERS = (("grep_search", "query"), ("search_file_content", "pattern"), ("ripgrep", "regex"))
SQL = (("execute_sql_tool", "sql_query"), ("pg_execute", "sql"), ("db_query", "query"), ("postgres_query", "sql"))
HTTP = (("web_request", "url"), ("send_request", "url"), ("http_client", "endpoint"))
BLAND = (("run_step", "payload"), ("task_runner", "spec"), ("perform", "input"), ("worker", "job"))
"""Tools whose name and argument say nothing."""

PEOPLE = tuple(
    "hedda.voss milo.arendt quinn.sayer tove.lindqvist bruno.salgado farah.nasri keiko.mori ewan.pryce "
    "oksana.lysenko dario.conti wanda.kruk idris.bello".split()
)
MAIL_DOMAINS = tuple("fernhill.example.org oakmere.example.org brightquay.example.org lumenworks.example.org".split())
PROJECTS = tuple(
    "rentdesk clinicbook courseyard harborline seatwise petalpost grainstore kilnhouse lanternapp "
    "ferrytime stagehand mossgarden".split()
)
SERVICES = tuple("builder opsmate shopfloor-coder keelhand concierge repo-gardener deskhand".split())
AGENTS = tuple("pair-engineer platform_pilot fixer-bot shipmate helper_v2 code-companion autopilot".split())
MODULES = tuple(
    "booking calendar_view pricing availability checkout_flow rosters lessons uploads widgets fleet_board "
    "signup waivers notices photos search_index seating ratings transcripts".split()
)
SYMBOLS = tuple(
    "compute_quote next_slot list_seats normalize_plate merge_rosters to_ical load_theme resize_photo "
    "pick_winner fold_notes rank_results".split()
)
FAULTS = tuple(
    "TypeError: Cannot read properties of undefined (reading 'slot')|expected 200, received 422|"
    "ReferenceError: dayjs is not defined|Error: connect ECONNREFUSED 127.0.0.1:5433|"
    "Timeout of 5000ms exceeded|panic: runtime error: index out of range [3] with length 3|"
    "Property 'rate' does not exist on type 'Quote'".split("|")
)
PACKAGES = tuple("zod vite drizzle-orm prisma dayjs express vitest playwright sharp tailwindcss fastify".split())
TABLES = tuple(
    "reservations vehicles tenants members clinics patients lessons enrolments donations playlists readings "
    "venues companies executives homework leaderboard".split()
)
COLUMNS = tuple("starts_on plate_no seat_count grade nickname phone_ext venue_id weight_kg rate_plan notes_md".split())
SUBJECTS = tuple(
    "parking permits|kitchen refit|parents' evening|choir rehearsal|insurance renewal|boiler service|"
    "photo prints|book club|ferry tickets|garden waste|newsletter 14|museum passes|half marathon".split("|")
)
SENDERS = tuple("deals gazette updates no-reply weekly club boxoffice billing events".split())
PLATFORMS = (
    ("tramline", "api.tramline.example.net"), ("harbourhq", "backboard.harbourhq.example.net"),
    ("cloudkeel", "gql.cloudkeel.example.net"),
    ("podyard", "console.podyard.example.net"), ("slipway", "graph.slipway.example.net"),
)  # fmt: skip
"""Hosting platforms: the name of the command line, and the host of the API."""
TOKENS = ("tl_pat_", "hbr-", "ck_live_", "uuid", "uuid")
"""What a platform's tokens begin with; some are bare UUIDs."""
LIVE = tuple("production prod live prd".split())
TRIAL = tuple("staging dev preview sandbox qa".split())
FOLDERS = tuple("packages apps lib internal web/app services".split())
HIDDEN = tuple("etc/names config/extras misc/zones tooling/legacy chores/hosts".split())
"""Where a file of somebody else's lies."""
BLAND_FILES = tuple("refresh step2 tidy_up sync_all prepare relink finish".split())
THOUGHTS = (
    "Checking how this is set up.",
    "Now I have the context that I need.",
    "That is odd. I will try another way.",
    "Applying the change.",
    "Confirming that it worked.",
    "",
    "",
)
REGIONS = tuple("eu-north-1 ap-southeast-2 cn-north-1 sa-east-1 ca-west-1".split())
DRIVES = tuple("D E F".split())
ALBUMS = tuple("Renders Scans Lectures Sketches Recipes Footage".split())
