"""The stages of a model's pipeline: plain functions over the files that `lockgate.contract` names."""
