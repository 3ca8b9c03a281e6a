"""What runs in a cluster, beside what Git says. The one package that talks to the Kubernetes API."""
