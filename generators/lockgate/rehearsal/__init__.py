"""A rollout without a cluster: what the analyses of a plan would say of samples that were taken here."""
