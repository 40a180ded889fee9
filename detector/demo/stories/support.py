"""Support agents at honest work: orders, refunds, passwords, duplicates, an erasure by law."""

from __future__ import annotations

from collections.abc import Iterator

from detector.demo import pools
from detector.demo.scene import Scene
from detector.demo.script import Turn


def _identifies(s: Scene, name: str) -> Iterator[Turn]:
    customer = f"cus_{s.number(1000, 9999)}"
    if s.chance(0.3):
        wrong = {"email": f"{name.lower()}@exmaple.com"}
        yield s.turn(s.call(s.tool("find", "customer"), wrong, "404 no such customer", "NotFoundError"))
    yield s.turn(s.call(s.tool("find", "customer"), {"email": f"{name.lower()}@example.com"}, {"id": customer}))
    if s.chance(0.6):
        yield s.turn(
            s.call(s.tool("list", "orders"), {"customer": customer}, [f"ord_{s.number(100, 999)}" for _ in range(3)])
        )


def refund(s: Scene) -> Iterator[Turn]:
    """An order is refunded by the policy."""
    name, product = s.pick(pools.CUSTOMERS), s.pick(pools.PRODUCTS)
    order = f"ord_{s.number(10000, 99999)}"
    s.hears(f"Hello, {name} here. My {product} (order {order}) {s.pick(pools.REASONS)}. I'd like my money back.")
    yield from _identifies(s, name)
    if s.chance(0.25):
        yield s.turn(s.call(s.tool("get", "order"), {"id": order[:-1]}, "404 order not found", "NotFoundError"))
    yield s.turn(s.call(s.tool("get", "order"), {"id": order}, {"total": s.number(10, 400), "status": "delivered"}))
    yield s.turn(s.call(s.tool("search", "knowledge_base"), {"query": "refund policy"}, "Within 30 days."))
    if s.chance(0.4):
        s.hears("Yes, to the same card please.")
    amount = {"order": order, "amount": s.number(10, 400)}
    for _ in range(s.number(0, 2)):
        yield s.turn(s.call(s.tool("create", "refund"), amount, "502 payment gateway unavailable", "HTTPStatusError"))
    yield s.turn(s.call(s.tool("create", "refund"), amount, {"status": "pending"}))
    yield s.turn(
        s.call(s.tool("send", "email"), {"to": f"{name.lower()}@example.com", "template": "refund"}, {"sent": True})
    )
    yield s.turn(s.call(s.tool("close", "ticket"), {"id": s.ticket}, "closed"))


def where_is_it(s: Scene) -> Iterator[Turn]:
    """A parcel is traced; the carrier's API is slow and fails."""
    name = s.pick(pools.CUSTOMERS)
    s.hears(f"This is {name}. Where is my {s.pick(pools.PRODUCTS)}?")
    yield from _identifies(s, name)
    parcel = f"PX{s.number(10**8, 10**9)}"
    for _ in range(s.number(1, 4)):
        yield s.turn(
            s.http("GET", f"https://carrier.example.net/track/{parcel}", int(s.pick(("200", "404", "429", "503"))))
        )
    yield s.turn(s.http("GET", f"https://carrier.example.net/track/{parcel}", 200, {"state": "in transit"}))
    for _ in range(s.number(1, 5)):
        s.hears(
            s.pick(("And when will it be here?", "Can I have it sent to a neighbour?", "Can you change the address?"))
        )
        action = s.pick(("get", "update"))
        yield s.turn(
            s.call(s.tool(action, "shipment"), {"parcel": parcel, "note": s.pick(pools.REGIONS)}, {"ok": True})
        )
    yield s.turn(s.call(s.tool("add", "ticket_note"), {"id": s.ticket, "text": "informed"}, "added"))
    yield s.turn(s.call(s.tool("close", "ticket"), {"id": s.ticket}, "closed"))


def password_reset(s: Scene) -> Iterator[Turn]:
    """A customer can't sign in: failed logins are read, a reset link is sent."""
    name = s.pick(pools.CUSTOMERS)
    s.hears("I can't log in any more. It says my password is wrong, but it is not!")
    yield from _identifies(s, name)
    yield s.turn(s.call(s.tool("list", "login_attempts"), {"user": name}, ["401 invalid password"] * s.number(2, 6)))
    if s.chance(0.5):
        yield s.turn(
            s.call(
                s.tool("verify", "identity"),
                {"user": name, "code": str(s.number(100000, 999999))},
                "code is wrong",
                "ValidationError",
            )
        )
        s.hears("Sorry, typo. Here is the code again.")
    yield s.turn(
        s.call(s.tool("verify", "identity"), {"user": name, "code": str(s.number(100000, 999999))}, "verified")
    )
    yield s.turn(s.call(s.tool("unlock", "account"), {"user": name}, "unlocked"))
    yield s.turn(s.call(s.tool("send", "password_reset"), {"user": name}, "sent"))
    for _ in range(s.number(1, 4)):
        s.hears(s.pick(("It didn't arrive.", "Now it works!", "Where do I click?", "Can I turn on two-factor?")))
        yield s.turn(s.call(s.tool("search", "knowledge_base"), {"query": "sign in"}, "Check your spam folder."))
    yield s.turn(s.call(s.tool("close", "ticket"), {"id": s.ticket}, "closed"))


def duplicates(s: Scene) -> Iterator[Turn]:
    """Duplicate tickets are merged and closed in bulk."""
    s.hears("Close the duplicates about yesterday's outage and link them to the main ticket.")
    yield s.turn(s.call(s.tool("search", "tickets"), {"query": "outage created:yesterday"}, {"count": s.number(5, 40)}))
    for _ in range(s.number(4, 16)):
        ticket = s.number(10000, 99999)
        if s.chance(0.3):
            yield s.turn(s.call(s.tool("get", "ticket"), {"id": ticket}, "We could not check out yesterday."))
        if s.chance(0.1):
            yield s.turn(
                s.call(
                    s.tool("merge", "tickets"), {"from": ticket, "into": s.ticket}, "ticket is locked", "ConflictError"
                )
            )
            continue
        yield s.turn(s.call(s.tool("merge", "tickets"), {"from": ticket, "into": s.ticket}, "merged"))
        yield s.turn(s.call(s.tool("close", "ticket"), {"id": ticket, "reason": "duplicate"}, "closed"))
    yield s.turn(s.call(s.tool("send", "message"), {"channel": "support", "text": "done"}, "sent"))


def erasure(s: Scene) -> Iterator[Turn]:
    """A customer asks to be erased; the person on duty confirms; one record goes."""
    name = s.pick(pools.CUSTOMERS)
    s.hears("Please delete my account and all my data, as the law allows me to ask.")
    yield from _identifies(s, name)
    customer = f"cus_{s.number(1000, 9999)}"
    yield s.turn(
        s.call(s.tool("search", "knowledge_base"), {"query": "erasure request"}, "Needs confirmation. Export first.")
    )
    yield s.turn(s.call(s.tool("list", "open_orders"), {"customer": customer}, []))
    yield s.turn(s.call(s.tool("cancel", "subscription"), {"customer": customer}, "cancelled"))
    s.hears("Confirmed by the data protection officer. Go ahead.")
    yield s.turn(s.call(s.tool("export", "customer_data"), {"customer": customer}, "export-1.zip"))
    yield s.turn(s.call(s.tool("delete", "customer"), {"customer": customer, "reason": "erasure request"}, "deleted"))
    yield s.turn(s.call(s.tool("find", "customer"), {"id": customer}, "404 no such customer", "NotFoundError"))
    yield s.turn(
        s.call(s.tool("send", "email"), {"to": f"{name.lower()}@example.com", "template": "erasure"}, {"sent": True})
    )
    yield s.turn(s.call(s.tool("close", "ticket"), {"id": s.ticket}, "closed"))


def subscription(s: Scene) -> Iterator[Turn]:
    """A plan is changed; a discount needs a supervisor, who agrees."""
    name = s.pick(pools.CUSTOMERS)
    s.hears(f"{name} speaking. Your price went up. I want the old one or I cancel.")
    yield from _identifies(s, name)
    yield s.turn(s.call(s.tool("get", "subscription"), {"customer": name}, {"plan": "pro", "price": s.number(10, 90)}))
    yield s.turn(
        s.call(
            s.tool("apply", "discount"), {"customer": name, "percent": 20}, "403 needs a supervisor", "PermissionError"
        )
    )
    yield s.turn(s.call(s.tool("escalate", "ticket"), {"id": s.ticket, "to": "supervisor"}, "assigned"))
    s.hears("Supervisor here: 20 % for six months is fine.")
    yield s.turn(
        s.call(s.tool("apply", "discount"), {"customer": name, "percent": 20, "approved_by": s.person}, "applied")
    )
    for _ in range(s.number(1, 5)):
        s.hears(s.pick(("And my invoice?", "When does it start?", "Thanks. Can you send that in writing?")))
        yield s.turn(s.call(s.tool("get", s.pick(("invoice", "subscription"))), {"customer": name}, {"ok": True}))
    yield s.turn(
        s.call(s.tool("send", "email"), {"to": f"{name.lower()}@example.com", "template": "plan"}, {"sent": True})
    )


STORIES = (refund, refund, where_is_it, password_reset, duplicates, erasure, subscription)
