"""Process models: trees, discovery from counts, alignments, conformance."""
