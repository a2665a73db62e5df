"""The three shapes: a shop, the onboarding of a subscription, and a service case with hand-offs."""

from __future__ import annotations

from typing import Final

from journeymine.simulate.worlds.shape import GOAL, Idea, Places, Shape, Step, Wait

SHOP: Final = Shape(
    name="shop",
    steps={
        "list": Step("Product list", "web", 0.18, {"product": 0.48, "list": 0.52}),
        "product": Step("Product page", "web", 0.03, {"address": 0.62, "advice": 0.14, "list": 0.24}),
        "address": Step("Address form", "web", 0.17, {"quote": 0.88, "advice": 0.12}),
        "advice": Step("Call centre contact", "call centre", 0.32, {"product": 0.19, "address": 0.81}),
        "quote": Step("Delivery quote requested", "web", 0.0, {"payment": 1.0}, Wait(0.6, 0.7, 0.16)),
        "payment": Step("Payment", "web", 0.12, {GOAL: 0.62, "declined": 0.38}),
        "declined": Step("Payment declined", "web", 0.24, {"payment": 1.0}),
    },
    first={"list": 0.8, "product": 0.2},
    loop=("payment", "declined"),
    goal=("Order placed", "web"),
    left=None,
    ideas=(
        Idea("remove_step", "address"),
        Idea("wait", "quote", 0.5),
        Idea("loop", "payment", 0.5, target="declined"),
        Idea("drop_off", "payment", 0.3),
        Idea("drop_off", "advice", 0.3),
        Idea("drop_off", "list", 0.3),
    ),
    places=Places(
        first="list",
        hub="product",
        inert="address",
        late="payment",
        help="advice",
        switched="product",
        uneven="list",
        merged=("list", "address"),
    ),
    segments={"platform": {"mobile": 0.5, "desktop": 0.5}, "source": {"search": 0.6, "ads": 0.4}},
    values=(60.0, 80.0),
)

SUBSCRIPTION: Final = Shape(
    name="subscription",
    steps={
        "landing": Step("Landing page", "web", 0.3, {"plans": 0.63, "landing": 0.37}),
        "invite": Step("Invitation opened", "e-mail", 0.03, {"plans": 0.55, "account": 0.45}),
        "plans": Step("Plans compared", "web", 0.08, {"account": 0.54, "chat": 0.16, "landing": 0.3}),
        "chat": Step("Chat with an adviser", "chat", 0.26, {"account": 0.76, "plans": 0.24}),
        "account": Step("Account created", "app", 0.03, {"tour": 0.45, "upload": 0.55}),
        "tour": Step("Product tour", "app", 0.24, {"upload": 0.93, "chat": 0.07}),
        "upload": Step("Document uploaded", "app", 0.08, {"review": 0.66, "rejected": 0.34}),
        "rejected": Step("Document rejected", "e-mail", 0.3, {"upload": 1.0}),
        "review": Step("Review under way", "app", 0.0, {"card": 1.0}, Wait(0.4, 0.8, 0.18)),
        "card": Step("Card registered", "app", 0.11, {GOAL: 1.0}),
    },
    first={"landing": 0.65, "invite": 0.35},
    loop=("upload", "rejected"),
    goal=("Subscribed", "app"),
    left=("Application withdrawn", "app"),
    ideas=(
        Idea("remove_step", "tour"),
        Idea("wait", "review", 0.5),
        Idea("loop", "upload", 0.5, target="rejected"),
        Idea("drop_off", "card", 0.38),
        Idea("drop_off", "chat", 0.5),
        Idea("drop_off", "landing", 0.25),
        Idea("reroute", "account", 0.3, target="tour", to="upload"),
    ),
    places=Places(
        first="landing",
        hub="plans",
        inert="tour",
        late="card",
        help="chat",
        switched="plans",
        uneven="landing",
        merged=("landing", "tour"),
    ),
    segments={"platform": {"mobile": 0.5, "desktop": 0.5}, "source": {"search": 0.6, "ads": 0.4}},
    values=(240.0, 300.0),
)

SERVICE: Final = Shape(
    name="service",
    steps={
        "form": Step("Request form", "web", 0.16, {"case": 0.44, "call": 0.3, "form": 0.26}),
        "mail": Step("E-mail received", "e-mail", 0.14, {"case": 0.59, "call": 0.41}),
        "call": Step("Call answered", "phone", 0.2, {"case": 0.71, "expert": 0.11, "callback": 0.18}),
        "callback": Step("Call-back promised", "phone", 0.08, {"call": 0.93, "case": 0.07}),
        "case": Step("Case opened", "back office", 0.05, {"papers": 0.40, "expert": 0.12, "visit": 0.48}),
        "papers": Step("Papers requested", "e-mail", 0.17, {"case": 0.45, "call": 0.15, "visit": 0.4}),
        "expert": Step("Expert consulted", "phone", 0.29, {"visit": 0.69, "papers": 0.31}),
        "visit": Step("Visit booked", "back office", 0.0, {"repair": 1.0}, Wait(0.70, 0.6, 0.14)),
        "repair": Step("Repair attempted", "technician", 0.03, {GOAL: 0.6, "failed": 0.4}),
        "failed": Step("Repair failed", "phone", 0.18, {"repair": 1.0}),
    },
    first={"form": 0.45, "mail": 0.25, "call": 0.30},
    loop=("repair", "failed"),
    goal=("Case resolved", "back office"),
    left=("Case withdrawn", "phone"),
    ideas=(
        Idea("remove_step", "papers"),
        Idea("wait", "visit", 0.5),
        Idea("loop", "repair", 0.5, target="failed"),
        Idea("drop_off", "form", 0.3),
        Idea("drop_off", "expert", 0.25),
        Idea("drop_off", "mail", 0.5),
        Idea("channel_switch", "call", 0.2),
        Idea("reroute", "case", 0.3, target="papers", to="visit"),
    ),
    places=Places(
        first="form",
        hub="case",
        inert="papers",
        late="repair",
        help="expert",
        switched="call",
        uneven="case",
        merged=("form", "expert"),
    ),
    segments={"platform": {"mobile": 0.5, "desktop": 0.5}, "source": {"search": 0.6, "ads": 0.4}},
    values=(110.0, 130.0),
)

SHAPE_TABLES: Final = {shape.name: shape for shape in (SHOP, SUBSCRIPTION, SERVICE)}
