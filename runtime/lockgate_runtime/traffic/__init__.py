"""Requests to a served model: rows of a Parquet file, sent over connections that are kept, and what came of them."""
