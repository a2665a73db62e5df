"""The report: results become one dict, and page, tables and run folder are views of it."""
