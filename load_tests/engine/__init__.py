"""The engine beside its peers: durable bids per second and latency."""
