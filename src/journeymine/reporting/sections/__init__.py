"""Sections of `report.json`: each function turns results into plain numbers; none formats or words anything."""
