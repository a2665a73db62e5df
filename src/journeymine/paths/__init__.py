"""Paths of customers: what differs between segments and periods, beyond the noise."""
