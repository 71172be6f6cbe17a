"""The admin API: the control plane's verbs over gRPC (protos/canary/admin/v1)."""
