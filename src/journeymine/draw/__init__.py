"""Pictures as our own static SVG: colour tokens, primitives, figures. No script, no network, no clock."""
