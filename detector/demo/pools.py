"""Words that stories draw from."""

from __future__ import annotations

PEOPLE = tuple(
    "mara.lind jonas.weber priya.nair tom.okafor elena.ricci sam.cole yuki.tanaka lea.dubois omar.haddad "
    "nina.novak carl.berg ines.costa ravi.menon greta.holm paul.moreau zoe.katz".split()
)
CUSTOMERS = tuple(
    "Adler,Brandt,Castillo,Dahl,Eriksen,Fontaine,Greco,Hoffmann,Ibarra,Jansen,Kowalski,Larsen,Moretti,Nakamura".split(
        ","
    )
)
PROJECTS = tuple(
    "billing-api atlas-web ledger fleet-map notifier search-gateway tidepool orders-service invoice-kit "
    "parcel-tracker quota-manager sketchpad".split()
)
MODULES = tuple(
    "parser client session cache router models serializers handlers invoices payments scheduler exporter "
    "validators middleware storage pagination formatting retry webhooks reports".split()
)
SYMBOLS = tuple(
    "parse_amount load_config build_query next_page to_json from_row round_total merge_headers open_session "
    "render_table apply_discount normalise_phone split_batches expire_entries".split()
)
FAULTS = tuple(
    "AssertionError: assert 3 == 4|KeyError: 'currency'|TypeError: unsupported operand type(s) for +: 'int' and 'str'|"
    "ValueError: time data does not match format|AttributeError: 'NoneType' object has no attribute 'id'|"
    "IndexError: list index out of range|ModuleNotFoundError: No module named 'freezegun'".split("|")
)
PACKAGES = tuple("requests httpx pydantic sqlalchemy fastapi celery pillow numpy django jinja2 attrs click".split())
TABLES = tuple(
    "orders customers invoices shipments payments line_items products sessions returns suppliers "
    "page_views subscriptions tickets stock_levels price_history".split()
)
COLUMNS = tuple(
    "status created_at total region customer_id updated_at quantity currency channel plan score category".split()
)
REGIONS = tuple("north south east west emea apac nordics iberia".split())
TOPICS = tuple(
    "quarterly review|onboarding plan|vendor offers|team offsite|budget 2027|release notes|roadmap draft|"
    "hiring update|travel policy|customer survey|security training|price list".split("|")
)
PRODUCTS = tuple("desk lamp,hiking boots,coffee grinder,phone case,rain jacket,office chair,headphones,tent".split(","))
REASONS = tuple(
    "arrived damaged|wrong size|ordered twice|never arrived|changed their mind|missing part|late delivery".split("|")
)
STEPS_OF_THOUGHT = (
    "Let me look at this first.",
    "I'll check the current state.",
    "Next, the relevant part.",
    "That explains it.",
    "One more check before I change anything.",
    "Let me verify the result.",
    "",
    "",
    "",
)
