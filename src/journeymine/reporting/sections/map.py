"""The process map as plain numbers: what is drawn, where it is drawn, and what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journeymine.paths.process_fold import MAX_IN_A_ROW
from journeymine.reporting.schema_parts import (
    COUNT,
    ESTIMATE,
    ESTIMATE_OR_NULL,
    FLAG,
    NUMBER,
    TEXT,
    Schema,
    array_of,
    object_of,
    one_of,
    or_null,
)

if TYPE_CHECKING:
    from journeymine.paths.process_map import ProcessMap

MAX_MEMBERS: Final = 20


def map_section(found: ProcessMap) -> dict[str, Any]:
    """What `report.json` holds of the map; `layout` is what the next run starts from."""
    ids = found.steps.ids
    return {
        "derived": found.stages.derived,
        "leave": "dropped" if found.has_goal else "ended",
        "stages": [
            {"id": id_, "name": found.stages.names[i], "reach": found.stage_reach.at(i)}
            for i, id_ in enumerate(found.stages.ids)
        ],
        "steps": [_step(found, i) for i in range(len(ids))],
        "paths": [_path(found, e) for e in range(len(found.source))],
        "n_shown": found.n_shown,
        "moves": found.share_moves.at(),
        "main_way": [ids[i] for i in found.main_way],
        "layout": dict(found.stored),
        "hidden": {"n_steps": found.n_folded, "n_paths": found.n_paths - len(found.source)},
    }


def _step(found: ProcessMap, i: int) -> dict[str, Any]:
    members = found.steps.members[i]
    leave = found.leave.at(i)
    return {
        "id": found.steps.ids[i],
        "name": found.activities[members[0]] if len(members) == 1 else None,
        "n_activities": len(members),
        "activities": [found.activities[code] for code in members[:MAX_MEMBERS]],
        "stage": found.stages.ids[int(found.steps.stage[i])],
        "goal": i in found.goal,
        "n": int(found.n[i]),
        "n_cases": int(found.n_cases[i]),
        "n_left": round(float(leave["estimate"]) * int(leave["n"])) if leave else None,
        "reach": found.reach.at(i),
        "leave": leave,
        "repeat": found.repeat.at(i),
        "conversion": found.conversion.at(i),
    }


def _path(found: ProcessMap, e: int) -> dict[str, Any]:
    ids = found.steps.ids
    source, target = ids[int(found.source[e])], ids[int(found.target[e])]
    return {
        "source": source,
        "target": target,
        "n": int(found.path_n[e]),
        "share": found.share.at(e),
        "wait_s": found.wait_s.at(e) if found.wait_s is not None else None,
        "back": found.layout.rows[target] < found.layout.rows[source],
        "backbone": bool(found.in_backbone[e]),
    }


def map_schema() -> Schema:
    """Schema of `map`."""
    step = object_of(
        id=TEXT,
        name=or_null(TEXT),
        n_activities=COUNT,
        activities={**array_of(TEXT), "maxItems": MAX_MEMBERS},
        stage=TEXT,
        goal=FLAG,
        n=COUNT,
        n_cases=COUNT,
        n_left=or_null(COUNT),
        reach=ESTIMATE,
        leave=ESTIMATE_OR_NULL,
        repeat=ESTIMATE_OR_NULL,
        conversion=ESTIMATE_OR_NULL,
    )
    path = object_of(
        source=TEXT,
        target=TEXT,
        n=COUNT,
        share=ESTIMATE,
        wait_s=ESTIMATE_OR_NULL,
        back=FLAG,
        backbone=FLAG,
    )
    return object_of(
        derived=FLAG,
        leave=one_of("dropped", "ended"),
        stages=array_of(object_of(id=TEXT, name=or_null(TEXT), reach=ESTIMATE)),
        steps={**array_of(step), "maxItems": MAX_IN_A_ROW},
        paths={
            **array_of(path),
            "maxItems": 150,
            "description": "The best way into and out of every step, then the others, each by falling count; the "
            "first `n_shown` are shown at first. A share is one of the visits to the source.",
        },
        n_shown=COUNT,
        moves=ESTIMATE_OR_NULL,
        main_way=array_of(TEXT),
        layout=_layout_schema(),
        hidden=object_of(n_steps=COUNT, n_paths=COUNT),
    )


def _layout_schema() -> Schema:
    def by_id(values: Schema) -> Schema:
        return {"type": "object", "additionalProperties": values}

    return {
        **object_of(
            x=by_id(NUMBER),
            rows=by_id(COUNT),
            stage_of=by_id(TEXT),
            bands=array_of(object_of(stage=TEXT, n_rows=COUNT)),
            width=NUMBER,
            derived=FLAG,
            shown=array_of({**array_of(TEXT), "minItems": 2, "maxItems": 2}),
        ),
        "description": "Where everything is drawn: x of steps by id and of paths by source>target@offset in px, "
        "row of each step inside its stage. The next run starts from it.",
    }
