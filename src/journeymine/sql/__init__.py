"""SQL text in the common subset of the engines: each function returns a query, none runs one."""
