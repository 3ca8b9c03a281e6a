"""What `lockgate run` does beside the pipeline: provenance, the champion, the comparison with it, the verdict."""
